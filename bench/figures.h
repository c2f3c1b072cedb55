// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdio.h>
#include <jansson.h>

// The figures of `penstock bench mirror`: one value a round each, and the goal where there is one.

#define FIGURES_ROUNDS_MAX 20

enum figure {
	FIGURE_COLD_MS,
	FIGURE_COLD_CPU_MS,
	FIGURE_COLD_MB,
	FIGURE_CHURN_RATE,
	FIGURE_LAG_P50_MS,
	FIGURE_LAG_P99_MS,
	FIGURE_LAG_MAX_MS,
	FIGURE_LAG_OWN_MS,
	FIGURE_KERNEL_RATE,
	FIGURE_KERNEL_CPU_US,
	FIGURE_INJECT_RATE,
	FIGURE_INJECT_CPU_US,
	FIGURE_APPLIED_RATE,
	FIGURE_APPLIED_CPU_US,
	FIGURE_APPLIED_OVERRUNS,
	FIGURE_RESYNC_MS,
	FIGURE_RESYNC_CPU_MS,
	FIGURE_RESYNC_LOST,
	FIGURE_CARRIER_MS,
	FIGURE_CARRIER_CALL_MS,
	FIGURE_DOWN_MS,
	FIGURE_DOWN_CALL_MS,
	FIGURE_PEAK_MB,
	FIGURES,
};

struct figures {
	double values[FIGURES][FIGURES_ROUNDS_MAX];
	unsigned int counts[FIGURES];
};

// Adds the value of a round.
void figures_add(struct figures *figures, enum figure figure, double value);

// Prints a line for each figure that was measured.
void figures_table(FILE *out, const struct figures *figures);

// Adds them to a record, see record.h, with the goals.
void figures_record(const struct figures *figures, json_t *record);
