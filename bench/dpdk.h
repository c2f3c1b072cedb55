// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench dpdk": the DPDK engine beside DPDK's own l3fwd, each from the same capture into
// nothing (net_pcap to net_null), with one worker. argv[0] is "dpdk". Returns the exit code: 0, 1 failed, 2
// bad usage.
int bench_dpdk(int argc, char **argv);
