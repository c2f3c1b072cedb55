// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench modes": one scenario through each mode, with packets offered at a rate: how
// much each takes without loss (NDR) and with 0.5 % of it (PDR), and how long packets are under way. argv[0]
// is "modes". Returns the exit code: 0, 1 failed or packets came out wrong, 2 bad usage.
int bench_modes(int argc, char **argv);
