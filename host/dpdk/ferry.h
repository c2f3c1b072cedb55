// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The ferry: a thread that carries what the kernel sends out of the interfaces to the devices, and shows the
 * devices' link state on the interfaces.
 */
#pragma once

#include "host/dpdk/device.h"

struct ferry;

/* It sends by the last slot of each device. -ENOMEM and the like. */
int ferry_start(struct device *const *device, unsigned int count, struct rte_mempool *pool,
		struct ferry **ret);
/* NULL is fine. */
void ferry_stop(struct ferry *ferry);
/* It does not touch devices between these two. */
void ferry_pause(struct ferry *ferry);
void ferry_resume(struct ferry *ferry);
