// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bench/measure.h"

// The results as people and as programs read them.

// What was measured, beside the plan: one entry per family of the plan.
struct report_scene {
	size_t routes[MEASURE_FAMILIES];
	unsigned int destinations;
	unsigned int gateways;
};

// Prints one table per family.
void report_table(FILE *out, const struct measure *measure, const struct report_scene *scene);

// Prints one JSON object.
int report_json(FILE *out, const struct measure *measure, const struct report_scene *scene);

// Names on stderr every subject that delivered wrong packets; returns whether there was none.
bool report_is_right(const struct measure *measure);
