// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench replay": how many packets a second the program forwards in user space, from
// memory, without any device: the burst loop of the engines there. argv[0] is "replay". Returns the exit
// code: 0, 1 failed, 2 bad usage.
int bench_replay(int argc, char **argv);
