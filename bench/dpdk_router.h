// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "bench/dpdk_bed.h"

// A router of DPDK's as a child process: penstock, l3fwd, or testpmd, which does not look at what it
// forwards, so that it shows what the devices take. It forwards from its first device to its second. It polls
// without a pause, so it runs only while it is measured.

enum dpdk_router_kind { DPDK_ROUTER_PENSTOCK, DPDK_ROUTER_L3FWD, DPDK_ROUTER_TESTPMD, DPDK_ROUTERS };

// The second device: nothing (net_null), or a shared memory (net_memif) whose other end another process reads
// (testpmd, on a CPU of its own).
enum dpdk_router_egress { DPDK_ROUTER_NULL, DPDK_ROUTER_MEMIF, DPDK_ROUTER_EGRESSES };

struct dpdk_router {
	pid_t pid;          // 0: none
	pid_t sink;         // behind net_memif; 0: none
	int log;            // what it says, in memory
	char telemetry[96]; // path of DPDK's socket
	char schedstat[64]; // file of the thread that forwards
};

struct dpdk_router_plan {
	enum dpdk_router_kind kind;
	enum dpdk_bed_traffic traffic;
	enum dpdk_router_egress egress;
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

// Whether it is installed. Without, there are no testpmd and no net_memif.
bool dpdk_router_has_testpmd(void);

const char *dpdk_router_name(enum dpdk_router_kind kind);
const char *dpdk_router_egress_name(enum dpdk_router_egress egress);
