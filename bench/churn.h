// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/mirror_bed.h"

// How the data plane follows routes that come and go. The daemon runs, except where told; figures are added
// to the bed's.

// Offers changes at a rate (per second) for some seconds and moves the mark whenever it is where it should
// be. A lag lasts from just before the kernel is asked for the move until the first probe that shows it;
// probes go every 0.2 ms, so it is exact to about that and the noise of the scheduler.
int churn_lag(struct mirror_bed *bed, double rate, double seconds);

// Without the daemon: how many changes a second the kernel takes.
int churn_kernel(struct mirror_bed *bed, size_t count);

// Offers changes as fast as the kernel takes them, then moves the mark: notifications keep their order, so
// what came before is in the data plane when the mark is.
int churn_burst(struct mirror_bed *bed, size_t count);
