// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <jansson.h>

// Rates against the number of CPUs that work at the same time: each sends, forwards and receives.

struct scale_cpus {
	const char *routes; // as of --routes
	unsigned int most;  // CPUs; measured are 1, 2, 4, ... and this
	unsigned int rounds;
	double seconds; // of each measurement
	bool print;     // a table on stdout
};

// Measures, in turns, and adds the figures to the record. Before any thread is started. Tells errors on
// stderr.
int scale_cpus(const struct scale_cpus *plan, json_t *record);
