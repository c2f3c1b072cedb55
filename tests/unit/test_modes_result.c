// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// What says something of the generator only is not published as a figure of a router.

#include "bench/modes_result.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct modes_scene scene = { .name = "modes IPv4", .text = "IPv4", .sender = 1e6 };

static bool has(const struct modes_result *result, const struct modes_result *ceiling, const char *what)
{
	json_t *record = record_new("modes");
	char name[RECORD_NAME];
	bool found;

	modes_add_result(record, &scene, "kernel", result, ceiling);
	snprintf(name, sizeof(name), "modes IPv4 kernel %s", what);
	found = record_find(record, name) != NULL;
	json_decref(record);
	return found;
}

Test(modes_result, what_is_published)
{
	struct modes_result result = { .rounds = 1, .timed = true }, ceiling = result;

	for (unsigned int metric = 0; metric < MODES_METRICS; metric++)
		result.values[metric][0] = ceiling.values[metric][0] = 5e5;
	cr_assert(has(&result, &ceiling, "NDR") && has(&result, &ceiling, "PDR") &&
		  has(&result, &ceiling, "most"));
	cr_assert(has(&result, &ceiling, "PDR-of-nolookup") && has(&result, &ceiling, "latency-at-50% p99"));
	ceiling.bounded = true;
	cr_assert(!has(&result, &ceiling, "PDR-of-nolookup") && has(&result, &ceiling, "PDR"));
	ceiling.bounded = false;
	result.bounded = true;
	cr_assert(!has(&result, &ceiling, "NDR") && !has(&result, &ceiling, "PDR") &&
		  !has(&result, &ceiling, "PDR-of-nolookup") && has(&result, &ceiling, "most"));
	result.bounded_most = true;
	cr_assert(!has(&result, &ceiling, "most") && has(&result, &ceiling, "latency-at-0% max"));
	result.timed = false;
	cr_assert(!has(&result, &ceiling, "latency-at-0% max"));
	result.rounds = 0;
	cr_assert(!has(&result, &ceiling, "most"));
}
