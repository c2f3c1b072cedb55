// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is known about drivers by name: all that kernels before 6.3 leave open, and what no kernel tells (how
 * many queues XDP needs, which MTU fits one buffer). The attachment has the last word.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct driver {
	const char *name;
	__u64 features;     /* enum xdp_feature as of Linux 6.1; 0: no XDP in the driver */
	__u64 lies;         /* features that it claims on newer kernels and does not have */
	bool queue_per_cpu; /* redirected frames need a transmit queue for each CPU */
	bool half_queues;   /* with XDP, half of the queues at most may be in use */
	bool combined_only; /* XDP needs channels that both receive and send */
	__u32 max_mtu;      /* for frames of one buffer; 0: what fits a page */
};

/* NULL: not in the table. */
const struct driver *driver_find(const char *name);
