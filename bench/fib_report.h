// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdio.h>
#include <jansson.h>

#include "bench/fib_family.h"

// The results of bench fib, as people and as programs read them.

// Prints the tables of one family.
void fib_report_tables(FILE *out, const struct fib_family *family);

// Returns the same as a JSON object, NULL without memory.
json_t *fib_report_json(const struct fib_family *family);

// Adds the figures of one family to a record, see record.h.
void fib_report_figures(const struct fib_family *family, json_t *record);

// Prints the record with the JSON objects of the families (an array); both are taken over.
int fib_report_json_print(FILE *out, const struct fib_plan *plan, unsigned int cpu, json_t *record,
			  json_t *families);
