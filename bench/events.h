// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench events": packets at a fixed rate while something happens to the router. What is
// lost, divided by the rate, is the effective blocked time. argv[0] is "events". Returns the exit code: 0, 1
// failed or packets came out wrong, 2 bad usage.
int bench_events(int argc, char **argv);
