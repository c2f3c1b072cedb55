// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/modes_result.h"

#include "bench/statistics.h"

#include <stdio.h>

const double modes_loads[MODES_LOADS] = { 0, 0.1, 0.5, 0.9 };
const double modes_parts[MODES_PARTS] = { 0.5, 0.99, 0.999, 1 };
static const char *const modes_part_names[MODES_PARTS] = { "p50", "p99", "p99.9", "max" };
static const char *const modes_rate_names[MODES_LATENCY] = { "NDR", "PDR", "most" };

static double modes_median(const struct modes_result *result, unsigned int metric)
{
	return statistics_of(result->values[metric], result->rounds).median;
}

// More than MODES_HEADROOM of what the sender can do?
static bool modes_is_bounded(const struct modes_result *result, unsigned int rate)
{
	return rate == MODES_MOST ? result->bounded_most : result->bounded;
}

void modes_print_scene(const struct modes_scene *scene)
{
	printf("%s. The sender itself: %.3f Mpps; above 80 %% of that (>), it is what limits.\n\n",
	       scene->text, scene->sender / 1e6);
	printf("%-20s %8s %8s %8s  %-16s %-16s %-16s\n", "", "NDR", "PDR", "most", "at 10 % of PDR",
	       "at 50 %", "at 90 %");
	printf("%-20s %8s %8s %8s  %7s %7s  %7s %7s  %7s %7s  limited by\n", "mode", "Mpps", "Mpps", "Mpps",
	       "p50, us", "p99, us", "p50", "p99", "p50", "p99");
}

void modes_print_result(const char *subject, const struct modes_result *result, const char *why)
{
	if (!result->rounds) {
		printf("%-20s not measured: %s\n", subject, *why ? why : "it could not be set up");
		return;
	}
	printf("%-20s ", subject);
	for (unsigned int rate = MODES_NDR; rate < MODES_LATENCY; rate++)
		printf("%c%7.3f ", modes_is_bounded(result, rate) ? '>' : ' ',
		       modes_median(result, rate) / 1e6);
	for (unsigned int load = 1; !result->timed && load < MODES_LOADS; load++)
		printf(" %7s %7s ", "-", "-");
	for (unsigned int load = 1; result->timed && load < MODES_LOADS; load++)
		printf(" %7.1f %7.1f ", modes_median(result, modes_latency_metric(load, MODES_P50)),
		       modes_median(result, modes_latency_metric(load, MODES_P99)));
	printf("%s\n", result->bounded ? " the sender" : "");
}

static void modes_add(json_t *record, const struct modes_scene *scene, const char *subject, const char *what,
		      struct record_figure figure)
{
	char name[RECORD_NAME];

	snprintf(name, sizeof(name), "%s %s %s", scene->name, subject, what);
	figure.name = name;
	record_add(record, &figure);
}

// Are there figures of the same rounds to compare, which say something of the routers?
static bool modes_is_comparable(const struct modes_result *result, const struct modes_result *ceiling)
{
	if (ceiling->rounds != result->rounds || ceiling->bounded || result->bounded)
		return false;
	for (unsigned int i = 0; i < result->rounds; i++)
		if (ceiling->round[i] != result->round[i] || ceiling->values[MODES_PDR][i] <= 0)
			return false;
	return true;
}

static void modes_add_ratio(json_t *record, const struct modes_scene *scene, const char *subject,
			    const struct modes_result *result, const struct modes_result *ceiling)
{
	double ratios[MODES_ROUNDS_MAX];

	for (unsigned int round = 0; round < result->rounds; round++)
		ratios[round] = result->values[MODES_PDR][round] / ceiling->values[MODES_PDR][round];
	modes_add(record, scene, subject, "PDR-of-nolookup",
		  (struct record_figure){ NULL, "", RECORD_MORE, result->rounds >= RECORD_JUDGED, ratios,
					  result->rounds });
}

void modes_add_result(json_t *record, const struct modes_scene *scene, const char *subject,
		      const struct modes_result *result, const struct modes_result *ceiling)
{
	char what[48];

	if (!result->rounds)
		return;
	for (unsigned int rate = MODES_NDR; rate < MODES_LATENCY; rate++) {
		// of the router it says no more than that, if the sender limits
		snprintf(what, sizeof(what), "%s%s", modes_rate_names[rate],
			 modes_is_bounded(result, rate) ? "-at-least" : "");
		modes_add(record, scene, subject, what,
			  (struct record_figure){ NULL, "1/s", RECORD_MORE, false, result->values[rate],
						  result->rounds });
	}
	if (ceiling && modes_is_comparable(result, ceiling))
		modes_add_ratio(record, scene, subject, result, ceiling);
	for (unsigned int load = 0; result->timed && load < MODES_LOADS; load++)
		for (unsigned int part = 0; part < MODES_PARTS; part++) {
			snprintf(what, sizeof(what), "latency-at-%.0f%% %s", 100 * modes_loads[load],
				 modes_part_names[part]);
			modes_add(record, scene, subject, what,
				  (struct record_figure){ NULL, "us", RECORD_LESS, false,
							  result->values[modes_latency_metric(load, part)],
							  result->rounds });
		}
}
