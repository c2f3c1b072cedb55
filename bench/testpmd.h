// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/dpdk_child.h"

// DPDK's testpmd over net_af_xdp on r0 and r1 of a lane, in "mac" mode, which writes new addresses into each
// frame and sends it out of the other port, with no lookup.

#define TESTPMD_BINARY "dpdk-testpmd"

// Starts it on one CPU, towards the MAC of gateway 0, and returns once it forwards; else as
// dpdk_child_start().
int testpmd_start(const struct lane *lane, unsigned int cpu, const volatile sig_atomic_t *stop,
		  struct dpdk_child **ret_child);
