// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/report.h"

#include "bench/machine.h"
#include "bench/statistics.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <jansson.h>

// Ratios are against this subject.
#define REPORT_CEILING    "nolookup"
// Below this share of its CPU the report says that the machine was busy.
#define REPORT_BUSY_SHARE 0.9

static const struct measure_result *report_ceiling(const struct measure *measure, unsigned int family)
{
	unsigned int i;

	for (i = 0; i < measure->plan.subject_count; i++)
		if (strcmp(measure->plan.subjects[i]->name, REPORT_CEILING) == 0)
			return &measure->results[family][i];
	return NULL;
}

// Each round's rate against the ceiling's rate in the same round.
static struct statistics report_ratio(const struct measure *measure, const struct measure_result *result,
				      const struct measure_result *ceiling)
{
	double ratios[MEASURE_ROUNDS_MAX];
	unsigned int i;

	for (i = 0; i < measure->plan.rounds; i++)
		ratios[i] = ceiling->rates[i] > 0 ? result->rates[i] / ceiling->rates[i] : 0;
	return statistics_of(ratios, measure->plan.rounds);
}

static double report_arrived(const struct subject *subject, const struct measure_result *result)
{
	if (subject->delivery == SUBJECT_NOTHING || !result->counts.sent)
		return 0;
	return (double)result->counts.arrived / result->counts.sent;
}

static void report_row(FILE *out, const struct measure *measure, unsigned int family, unsigned int index)
{
	const struct measure_result *result = &measure->results[family][index], *ceiling;
	const struct subject *subject = measure->plan.subjects[index];
	struct statistics rate = statistics_of(result->rates, measure->plan.rounds), ratio;

	fprintf(out, "%-18s %7.3f  %7.3f..%-7.3f %7.1f", subject->name, rate.median / 1e6, rate.low / 1e6,
		rate.high / 1e6, rate.median > 0 ? 1e9 / rate.median : 0);
	ceiling = report_ceiling(measure, family);
	if (ceiling) {
		ratio = report_ratio(measure, result, ceiling);
		fprintf(out, "  %6.3f  %6.3f..%-6.3f", ratio.median, ratio.low, ratio.high);
	}
	if (subject->delivery == SUBJECT_NOTHING)
		fprintf(out, "        -        -\n");
	else
		fprintf(out, "  %8.3f %%  %llu\n", 100 * report_arrived(subject, result),
			measure_wrong(result));
}

static double report_share(const struct measure *measure)
{
	const struct measure_plan *plan = &measure->plan;
	unsigned int family, i, round;
	double sum = 0;

	for (family = 0; family < plan->family_count; family++)
		for (i = 0; i < plan->subject_count; i++)
			for (round = 0; round < plan->rounds; round++)
				sum += measure->results[family][i].shares[round];
	return sum / (plan->family_count * plan->subject_count * plan->rounds);
}

static json_t *report_json_statistics(struct statistics statistics, const double *values, unsigned int count)
{
	json_t *rounds = json_array();
	unsigned int i;

	for (i = 0; i < count; i++)
		json_array_append_new(rounds, json_real(values[i]));
	return json_pack("{s:f, s:f, s:f, s:o}", "median", statistics.median, "low", statistics.low, "high",
			 statistics.high, "rounds", rounds);
}

static json_t *report_json_wrong(const struct measure_result *result)
{
	json_t *wrong = json_object();
	unsigned int kind;

	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		json_object_set_new(wrong, generate_wrong_name(kind),
				    json_integer(result->counts.wrong[kind]));
	return wrong;
}

static json_t *report_json_subject(const struct measure *measure, unsigned int family, unsigned int index)
{
	const struct measure_result *result = &measure->results[family][index], *ceiling;
	const struct subject *subject = measure->plan.subjects[index];
	unsigned int rounds = measure->plan.rounds;
	struct statistics ratio;
	json_t *object;

	object = json_pack(
		"{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:o}", "name", subject->name, "summary",
		subject->summary, "packets_per_second",
		report_json_statistics(statistics_of(result->rates, rounds), result->rates, rounds),
		"cpu_share",
		report_json_statistics(statistics_of(result->shares, rounds), result->shares, rounds), "sent",
		(json_int_t)result->counts.sent, "arrived", (json_int_t)result->counts.arrived, "foreign",
		(json_int_t)result->counts.foreign, "wrong", report_json_wrong(result));
	ceiling = report_ceiling(measure, family);
	if (ceiling) {
		ratio = report_ratio(measure, result, ceiling);
		json_object_set_new(object, "of_" REPORT_CEILING,
				    json_pack("{s:f, s:f, s:f}", "median", ratio.median, "low", ratio.low,
					      "high", ratio.high));
	}
	return object;
}

static json_t *report_json_family(const struct measure *measure, const struct report_scene *scene,
				  unsigned int family)
{
	json_t *subjects = json_array();
	unsigned int i;

	for (i = 0; i < measure->plan.subject_count; i++)
		json_array_append_new(subjects, report_json_subject(measure, family, i));
	return json_pack("{s:i, s:I, s:i, s:i, s:o}", "family",
			 measure->plan.families[family] == AF_INET6 ? 6 : 4, "routes",
			 (json_int_t)scene->routes[family], "destinations", scene->destinations, "gateways",
			 scene->gateways, "subjects", subjects);
}

static void report_name_wrong(const struct subject *subject, __u8 family, const struct measure_result *result)
{
	unsigned int kind;

	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		if (result->counts.wrong[kind])
			warnx("bench: %s, IPv%u: %llu of %llu packets arrived with a wrong %s", subject->name,
			      family == AF_INET6 ? 6 : 4, result->counts.wrong[kind], result->counts.arrived,
			      generate_wrong_name(kind));
}

void report_table(FILE *out, const struct measure *measure, const struct report_scene *scene)
{
	const struct measure_plan *plan = &measure->plan;
	unsigned int family, i;
	double share = report_share(measure);
	struct machine machine;

	machine_read(&machine);
	for (family = 0; family < plan->family_count; family++) {
		fprintf(out,
			"%sIPv%u: %zu route%s, %u destinations, %u gateways; %u rounds of %g s on CPU %u\n",
			family ? "\n" : "", plan->families[family] == AF_INET6 ? 6 : 4, scene->routes[family],
			scene->routes[family] == 1 ? "" : "s", scene->destinations, scene->gateways,
			plan->rounds, plan->seconds, plan->cpu);
		fprintf(out, "%-18s %7s  %-16s %7s%s  %10s  %s\n", "router", "Mpps", "(95 %)", "ns",
			report_ceiling(measure, family) ? "  of " REPORT_CEILING " (95 %)" : "", "arrived",
			"wrong");
		for (i = 0; i < plan->subject_count; i++)
			report_row(out, measure, family, i);
	}
	fprintf(out, "\n%s, %u CPUs, %s.\n", machine.cpu, machine.cpus, machine.kernel);
	fprintf(out,
		"Generator, router and sink share one CPU over veth: compare the rows, not with a NIC.\n");
	if (share < REPORT_BUSY_SHARE)
		fprintf(out,
			"The machine was busy: the bench had %.0f %% of its CPU; rates are per CPU second.\n",
			100 * share);
}

int report_json(FILE *out, const struct measure *measure, const struct report_scene *scene)
{
	const struct measure_plan *plan = &measure->plan;
	json_t *families = json_array(), *root;
	struct machine machine;
	unsigned int family;
	int err;

	machine_read(&machine);
	for (family = 0; family < plan->family_count; family++)
		json_array_append_new(families, report_json_family(measure, scene, family));
	root = json_pack("{s:s, s:i, s:s, s:o, s:i, s:f, s:i, s:o}", "bench", "forward", "version", 1,
			 "penstock", PENSTOCK_VERSION, "machine", machine_json(&machine), "rounds",
			 plan->rounds, "seconds", plan->seconds, "cpu", plan->cpu, "families", families);
	if (!root)
		return -ENOMEM;
	err = json_dumpf(root, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
	json_decref(root);
	return err;
}

bool report_is_right(const struct measure *measure)
{
	const struct measure_plan *plan = &measure->plan;
	unsigned int family, i;
	bool right = true;

	for (family = 0; family < plan->family_count; family++)
		for (i = 0; i < plan->subject_count; i++)
			if (measure_wrong(&measure->results[family][i])) {
				report_name_wrong(plan->subjects[i], plan->families[family],
						  &measure->results[family][i]);
				right = false;
			}
	return right;
}
