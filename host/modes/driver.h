// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is known about drivers by name: all that kernels before 6.3 leave open, and what no kernel tells (how
 * many transmit queues redirected frames need).
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct driver {
	const char *name;
	__u64 features;     /* enum xdp_feature as of Linux 6.1; 0: no XDP in the driver */
	bool queue_per_cpu; /* redirected frames need a transmit queue for each CPU */
};

/* NULL: not in the table. */
const struct driver *driver_find(const char *name);
