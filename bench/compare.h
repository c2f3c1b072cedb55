// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <jansson.h>

#include "bench/record.h"

// Compares two records, figure by figure: has it become better or worse, or is there no evidence? A figure is
// judged when it is relative, see record.h; the others move with the machine from one run to the next, and
// are only shown.
//
// Better or worse: the 95 % intervals of the medians do not overlap, and the medians differ by at least
// COMPARE_LEAST, since rounds of one run differ less from each other than two runs do.

#define COMPARE_LEAST 0.015

enum compare_verdict { COMPARE_NO_EVIDENCE, COMPARE_BETTER, COMPARE_WORSE, COMPARE_NOT_JUDGED };

struct compare_change {
	double before, after; // medians
	double change;        // after / before - 1; 0 where before is 0
	enum compare_verdict verdict;
};

// Two runs of the same figure.
void compare_figures(const struct record_figure *before, const struct record_figure *after,
		     struct compare_change *ret_change);

// `penstock bench compare BEFORE AFTER`. Exit status 1: something became worse.
int bench_compare(int argc, char **argv);
