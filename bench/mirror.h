// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench mirror": how fast and how completely the data plane follows the kernel's
// tables. argv[0] is "mirror". Returns the exit code: 0, 1 failed, 2 bad usage. A missed goal is no failure.
int bench_mirror(int argc, char **argv);
