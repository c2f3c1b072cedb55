// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench equal": a capture through one mode after the other; all must make the same
// bytes of it. argv[0] is "equal". Returns the exit code: 0 all equal, 1 they differ or it failed, 2 bad
// usage.
int bench_equal(int argc, char **argv);
