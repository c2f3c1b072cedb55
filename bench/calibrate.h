// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench calibrate": a second of packets from one sender, as fast as it can, through the
// modes in turn, over veth pairs of its own: how many arrive a second. What `calibrate: yes` goes by.
// argv[0] is "calibrate". Returns the exit code: 0, 1 failed, 2 bad usage.
int bench_calibrate(int argc, char **argv);
