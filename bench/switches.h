// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench switches": packets at a fixed rate while the ports of a router go from each
// mode to each other, again and again; what became of the packets of each change. argv[0] is "switches".
// Returns the exit code: 0, 1 failed or a packet was lost, came twice or came out wrong, 2 bad usage.
int bench_switches(int argc, char **argv);
