// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench forward": routers compared over the same routes and traffic, in namespaces of
// its own. argv[0] is "forward". Returns the exit code: 0, 1 failed or packets came out wrong, 2 bad usage.
int bench_forward(int argc, char **argv);
