// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// A value measured several times: its median, and the interval that holds the true median with 95 %
// confidence.
struct statistics {
	double median;
	double low, high;
};

// Sums up count (at least 1) values. The interval comes from a bootstrap: the medians of many samples of the
// same size, drawn with replacement; seeded, so the same values give the same interval.
struct statistics statistics_of(const double *values, unsigned int count);
