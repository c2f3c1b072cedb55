// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// What penstock wants to reach, all in one place: `penstock bench goals` runs the benches that it takes and
// says which goals are met on this machine. Exit status 1: not all are, or not all could be measured.
int bench_goals(int argc, char **argv);
