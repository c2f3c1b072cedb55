// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * All that the plugin holds: the EAL, the devices, the workers, the ferry.
 */
#pragma once

#include "host/dpdk/device.h"
#include "host/dpdk/ferry.h"
#include "host/dpdk/worker.h"

struct dpdk {
	struct eal eal;
	struct rte_mempool *pool;
	unsigned int buffers; /* in the pool */
	unsigned int devices;
	struct device *device[IMAGE_PORTS];
	struct workers workers;
	struct ferry *ferry;
	struct grace *grace;
	bool reach[IMAGE_PORTS]; /* ports that workers may send out of */
};

/* The two halves of dpdk_plugin.open: makes all but carries nothing yet; starts, or on failure takes all
 * down. */
int dpdk_make(const struct config *config, const char *instance, const struct dpdk_log *log,
	      struct dpdk **ret, struct why *why);
int dpdk_start(struct dpdk *dpdk, struct why *why);
void dpdk_counters(const struct dpdk *dpdk, __u16 port, struct image_counters *ret);
