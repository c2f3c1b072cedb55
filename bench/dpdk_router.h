// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "bench/dpdk_bed.h"

// A router of DPDK's as a child process, be it penstock or l3fwd: forwards from its first device to its
// second. It polls without a pause, so it runs only while it is measured.

enum dpdk_router_kind { DPDK_ROUTER_PENSTOCK, DPDK_ROUTER_L3FWD, DPDK_ROUTERS };

struct dpdk_router {
	pid_t pid;          // 0: none
	int log;            // what it says, in memory
	char telemetry[96]; // path of DPDK's socket
	char schedstat[64]; // file of the thread that forwards
};

struct dpdk_router_plan {
	enum dpdk_router_kind kind;
	enum dpdk_bed_traffic traffic;
	unsigned int cpu;
	unsigned int memory;  // MiB
	unsigned int buffers; // for frames
	unsigned int packets; // in the capture
	bool huge;            // pages
};

struct dpdk_sample {
	__u64 received, sent; // frames of the first device, of the second one
	__u64 nanoseconds;    // CPU time of the thread that forwards
};

// Returns once it forwards all that it receives; then it stands still. Tells errors on stderr; -EINTR once
// *stop is set.
int dpdk_router_start(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
		      const volatile sig_atomic_t *stop, struct dpdk_router *ret_router);

// Lets it run until it has had so much CPU time, and tells what it did meanwhile.
int dpdk_router_run(struct dpdk_router *router, double seconds, struct dpdk_sample *ret_sample);

// Ends it.
void dpdk_router_stop(struct dpdk_router *router);

const char *dpdk_router_name(enum dpdk_router_kind kind);
