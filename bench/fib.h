// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench fib": the image beside other structures that find routes, loaded with the same
// tables and asked for the same addresses. argv[0] is "fib". Returns the exit code: 0, 1 failed or the
// structures disagree, 2 bad usage.
int bench_fib(int argc, char **argv);
