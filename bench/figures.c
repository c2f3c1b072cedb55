// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/figures.h"

#include "bench/record.h"
#include "bench/statistics.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct figure_kind {
	const char *name;
	const char *text;
	const char *unit;
	double at_most, at_least; // the goal; 0: none
};

static const struct figure_kind figure_kinds[FIGURES] = {
	[FIGURE_COLD_MS] = { "cold_start", "start of the daemon until all ports forward", "ms", 3000, 0 },
	[FIGURE_COLD_CPU_MS] = { "cold_start_cpu", "its CPU time until then", "ms", 0, 0 },
	[FIGURE_COLD_MB] = { "memory", "its resident memory then", "MB", 250, 0 },
	[FIGURE_CHURN_RATE] = { "churn_rate", "churn: changes offered", "1/s", 0, 0 },
	[FIGURE_LAG_P50_MS] = { "lag_p50", "churn: kernel to data plane, median", "ms", 0, 0 },
	[FIGURE_LAG_P99_MS] = { "lag_p99", "churn: the same, 99 of 100", "ms", 50, 0 },
	[FIGURE_LAG_MAX_MS] = { "lag_max", "churn: the same, largest", "ms", 0, 0 },
	[FIGURE_LAG_OWN_MS] = { "lag_own", "churn: largest the daemon itself tells", "ms", 0, 0 },
	[FIGURE_KERNEL_RATE] = { "kernel_rate", "burst: the kernel alone takes", "1/s", 0, 0 },
	[FIGURE_KERNEL_CPU_US] = { "kernel_cpu", "burst: CPU time of that a change", "us", 0, 0 },
	[FIGURE_INJECT_RATE] = { "inject_rate", "burst: the kernel takes beside the daemon", "1/s", 0, 0 },
	[FIGURE_INJECT_CPU_US] = { "inject_cpu", "burst: CPU time of that a change", "us", 0, 0 },
	[FIGURE_APPLIED_RATE] = { "applied_rate", "burst: applied until in step", "1/s", 0, 100000 },
	[FIGURE_APPLIED_CPU_US] = { "applied_cpu", "burst: the daemon's CPU time a change", "us", 0, 0 },
	[FIGURE_APPLIED_OVERRUNS] = { "applied_overruns", "burst: notifications were lost", "times", 0, 0 },
	[FIGURE_RESYNC_MS] = { "resync", "lost notifications: until in step again", "ms", 0, 0 },
	[FIGURE_RESYNC_CPU_MS] = { "resync_cpu", "its CPU time until then", "ms", 0, 0 },
	[FIGURE_RESYNC_LOST] = { "resync_lost", "packets of unchanged routes lost meanwhile", "", 0, 0 },
	[FIGURE_CARRIER_MS] = { "carrier_lost", "far end down: last packet, from the kernel's word", "ms", 50,
				0 },
	[FIGURE_CARRIER_CALL_MS] = { "carrier_lost_call", "far end down: last packet, from the command", "ms",
				     0, 0 },
	[FIGURE_DOWN_MS] = { "link_down", "near end down: last packet, from the kernel's word", "ms", 50, 0 },
	[FIGURE_DOWN_CALL_MS] = { "link_down_call", "near end down: last packet, from the command", "ms", 0,
				  0 },
	[FIGURE_PEAK_MB] = { "memory_peak", "largest resident memory of all", "MB", 0, 0 },
};

static double figure_lowest(const struct figures *figures, unsigned int figure)
{
	double lowest = figures->values[figure][0];
	unsigned int i;

	for (i = 1; i < figures->counts[figure]; i++)
		if (figures->values[figure][i] < lowest)
			lowest = figures->values[figure][i];
	return lowest;
}

static double figure_highest(const struct figures *figures, unsigned int figure)
{
	double highest = figures->values[figure][0];
	unsigned int i;

	for (i = 1; i < figures->counts[figure]; i++)
		if (figures->values[figure][i] > highest)
			highest = figures->values[figure][i];
	return highest;
}

// A goal is met when the worst round meets it.
static bool figure_is_met(const struct figures *figures, unsigned int figure)
{
	const struct figure_kind *kind = &figure_kinds[figure];

	return (!kind->at_most || figure_highest(figures, figure) <= kind->at_most) &&
	       (!kind->at_least || figure_lowest(figures, figure) >= kind->at_least);
}

static void figure_print_goal(FILE *out, const struct figures *figures, unsigned int figure)
{
	const struct figure_kind *kind = &figure_kinds[figure];

	if (kind->at_most || kind->at_least)
		fprintf(out, "  %s %g: %s", kind->at_most ? "at most" : "at least",
			kind->at_most ? kind->at_most : kind->at_least,
			figure_is_met(figures, figure) ? "met" : "MISSED");
}

void figures_add(struct figures *figures, enum figure figure, double value)
{
	assert(figures->counts[figure] < FIGURES_ROUNDS_MAX);
	figures->values[figure][figures->counts[figure]++] = value;
}

void figures_table(FILE *out, const struct figures *figures)
{
	const struct figure_kind *kind;
	unsigned int i;
	double median;

	fprintf(out, "%-50s %10s  %-21s %s\n", "", "median", "lowest..highest", "");
	for (i = 0; i < FIGURES; i++) {
		if (!figures->counts[i])
			continue;
		kind = &figure_kinds[i];
		median = statistics_of(figures->values[i], figures->counts[i]).median;
		fprintf(out, "%-50s %10.1f  %9.1f..%-10.1f %-3s", kind->text, median,
			figure_lowest(figures, i), figure_highest(figures, i), kind->unit);
		figure_print_goal(out, figures, i);
		fputc('\n', out);
	}
}

static void figure_record(const struct figures *figures, unsigned int figure, json_t *record)
{
	const struct figure_kind *kind = &figure_kinds[figure];
	char name[RECORD_NAME];
	json_t *entry;

	snprintf(name, sizeof(name), "mirror %s", kind->name);
	entry = record_add(record, &(struct record_figure){
					   name, kind->unit,
					   strcmp(kind->unit, "1/s") == 0 ? RECORD_MORE : RECORD_LESS,
					   !*kind->unit, figures->values[figure], figures->counts[figure] });
	json_object_set_new(entry, "text", json_string(kind->text));
	if (kind->at_most || kind->at_least)
		json_object_update_new(entry, json_pack("{s:f, s:b}", kind->at_most ? "at_most" : "at_least",
							kind->at_most ? kind->at_most : kind->at_least, "met",
							figure_is_met(figures, figure)));
}

void figures_record(const struct figures *figures, json_t *record)
{
	for (unsigned int i = 0; i < FIGURES; i++)
		if (figures->counts[i])
			figure_record(figures, i, record);
}
