// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench afxdp": penstock behind AF_XDP sockets beside DPDK's testpmd over the same kind
// of sockets on the same veth pairs, in turns. argv[0] is "afxdp". Returns the exit code: 0, 1 failed or
// packets came out wrong, 2 bad usage.
int bench_afxdp(int argc, char **argv);
