// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/report.h"

#include "bench/machine.h"
#include "bench/record.h"
#include "bench/statistics.h"

#include <err.h>
#include <string.h>
#include <jansson.h>

// Below this share of its CPU the report says that the machine was busy.
#define REPORT_BUSY_SHARE 0.9

static unsigned int report_family_number(__u8 family)
{
	return family == AF_INET6 ? 6 : 4;
}

// Sets ratios to each round's rate against the reference's at the same time.
static struct statistics report_ratios(const struct measure *measure, const struct measure_result *result,
				       double ratios[MEASURE_ROUNDS_MAX])
{
	unsigned int i;

	for (i = 0; i < measure->plan.rounds; i++)
		ratios[i] = result->references[i] > 0 ? result->rates[i] / result->references[i] : 0;
	return statistics_of(ratios, measure->plan.rounds);
}

static void report_row(FILE *out, const struct measure *measure, unsigned int family, unsigned int index)
{
	const struct measure_result *result = &measure->results[family][index];
	const struct generate_counts *counts = &result->counts[TRAFFIC_SUBJECT];
	const struct subject *subject = measure->plan.subjects[index];
	struct statistics rate = statistics_of(result->rates, measure->plan.rounds), ratio;
	double ratios[MEASURE_ROUNDS_MAX];

	ratio = report_ratios(measure, result, ratios);
	fprintf(out, "%-18s %6.3f %7.1f   %5.3f  %5.3f..%-5.3f  ", subject->name, rate.median / 1e6,
		rate.median > 0 ? 1e9 / rate.median : 0, ratio.median, ratio.low, ratio.high);
	if (subject->delivery == SUBJECT_NOTHING)
		fprintf(out, "%9s %6s\n", "-", "-");
	else
		fprintf(out, "%7.3f %% %6llu\n", counts->sent ? 100.0 * counts->arrived / counts->sent : 0,
			measure_wrong(counts));
}

static void report_family(FILE *out, const struct measure *measure, const struct report_scene *scene,
			  unsigned int family)
{
	const struct measure_plan *plan = &measure->plan;
	unsigned int i;

	fprintf(out, "IPv%u: %zu route%s, %u destinations, %u gateways; %u round%s of %g s on CPU %u\n",
		report_family_number(plan->families[family]), scene->routes[family],
		scene->routes[family] == 1 ? "" : "s", scene->destinations, scene->gateways, plan->rounds,
		plan->rounds == 1 ? "" : "s", plan->seconds, plan->cpu);
	fprintf(out, "%-18s %6s %7s   %s   %9s %6s\n", "router", "Mpps", "ns", "of no lookup, 95 %",
		"arrived", "wrong");
	for (i = 0; i < plan->subject_count; i++)
		report_row(out, measure, family, i);
	fputc('\n', out);
}

// The mean share of its CPU that the bench had.
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

static json_t *report_json_values(const double *values, unsigned int count)
{
	struct statistics statistics = statistics_of(values, count);
	json_t *rounds = json_array();
	unsigned int i;

	for (i = 0; i < count; i++)
		json_array_append_new(rounds, json_real(values[i]));
	return json_pack("{s:f, s:f, s:f, s:o}", "median", statistics.median, "low", statistics.low, "high",
			 statistics.high, "rounds", rounds);
}

static json_t *report_json_counts(const struct generate_counts *counts)
{
	json_t *wrong = json_object();
	unsigned int kind;

	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		json_object_set_new(wrong, generate_wrong_name(kind), json_integer(counts->wrong[kind]));
	return json_pack("{s:I, s:I, s:I, s:o}", "sent", (json_int_t)counts->sent, "arrived",
			 (json_int_t)counts->arrived, "foreign", (json_int_t)counts->foreign, "wrong", wrong);
}

static json_t *report_json_subject(const struct measure *measure, unsigned int family, unsigned int index)
{
	const struct measure_result *result = &measure->results[family][index];
	const struct subject *subject = measure->plan.subjects[index];
	unsigned int rounds = measure->plan.rounds;
	double ratios[MEASURE_ROUNDS_MAX];

	report_ratios(measure, result, ratios);
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "name", subject->name, "summary",
			 subject->summary, "delivers", subject->delivery != SUBJECT_NOTHING,
			 "packets_per_second", report_json_values(result->rates, rounds),
			 "reference_packets_per_second", report_json_values(result->references, rounds),
			 "of_reference", report_json_values(ratios, rounds), "cpu_share",
			 report_json_values(result->shares, rounds), "packets",
			 report_json_counts(&result->counts[TRAFFIC_SUBJECT]), "reference_packets",
			 report_json_counts(&result->counts[TRAFFIC_REFERENCE]));
}

static json_t *report_json_family(const struct measure *measure, const struct report_scene *scene,
				  unsigned int family)
{
	json_t *subjects = json_array();
	unsigned int i;

	for (i = 0; i < measure->plan.subject_count; i++)
		json_array_append_new(subjects, report_json_subject(measure, family, i));
	return json_pack("{s:i, s:I, s:i, s:i, s:o}", "family",
			 report_family_number(measure->plan.families[family]), "routes",
			 (json_int_t)scene->routes[family], "destinations", scene->destinations, "gateways",
			 scene->gateways, "subjects", subjects);
}

// The figures of one subject, named "forward IPv4 1-route penstock ...".
static void report_figures(json_t *record, const struct measure *measure, const struct report_scene *scene,
			   unsigned int family, unsigned int index)
{
	const struct measure_result *result = &measure->results[family][index];
	const struct subject *subject = measure->plan.subjects[index];
	const struct generate_counts *counts = &result->counts[TRAFFIC_SUBJECT];
	double ratios[MEASURE_ROUNDS_MAX], lost = (double)counts->sent - (double)counts->arrived;
	double wrong = measure_wrong(counts);
	unsigned int rounds = measure->plan.rounds;
	char front[RECORD_NAME / 2], name[RECORD_NAME];

	report_ratios(measure, result, ratios);
	snprintf(front, sizeof(front), "forward IPv%u %zu-routes %s",
		 report_family_number(measure->plan.families[family]), scene->routes[family], subject->name);
	snprintf(name, sizeof(name), "%s of-nolookup", front);
	record_add(record,
		   &(struct record_figure){ name, "", RECORD_MORE, rounds >= RECORD_JUDGED, ratios, rounds });
	snprintf(name, sizeof(name), "%s rate", front);
	record_add(record, &(struct record_figure){ name, "1/s", RECORD_MORE, false, result->rates, rounds });
	if (subject->delivery == SUBJECT_NOTHING)
		return;
	snprintf(name, sizeof(name), "%s lost", front);
	record_add(record, &(struct record_figure){ name, "packets", RECORD_LESS, true, &lost, 1 });
	snprintf(name, sizeof(name), "%s wrong", front);
	record_add(record, &(struct record_figure){ name, "packets", RECORD_LESS, true, &wrong, 1 });
}

static bool report_counts_are_right(const char *subject, __u8 family, const struct generate_counts *counts)
{
	unsigned int kind;

	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		if (counts->wrong[kind])
			warnx("bench: %s, IPv%u: %llu of %llu packets arrived with a wrong %s", subject,
			      report_family_number(family), counts->wrong[kind], counts->arrived,
			      generate_wrong_name(kind));
	return measure_wrong(counts) == 0;
}

void report_table(FILE *out, const struct measure *measure, const struct report_scene *scene)
{
	double share = report_share(measure);
	struct machine machine;
	unsigned int family;

	for (family = 0; family < measure->plan.family_count; family++)
		report_family(out, measure, scene, family);
	machine_read(&machine);
	fprintf(out, "%s, %u CPUs, %s. Generator, router and sink share one CPU over veth:\n", machine.cpu,
		machine.cpus, machine.kernel);
	fprintf(out, "compare the rows, not with a NIC. Rates are per second of CPU time%s",
		share < REPORT_BUSY_SHARE ? "" : ".\n");
	if (share < REPORT_BUSY_SHARE)
		fprintf(out, "; the machine was busy and left %.0f %%.\n", 100 * share);
}

int report_json(FILE *out, const struct measure *measure, const struct report_scene *scene)
{
	const struct measure_plan *plan = &measure->plan;
	json_t *families = json_array(), *record = record_new("forward");
	unsigned int family, i;

	for (family = 0; family < plan->family_count; family++) {
		json_array_append_new(families, report_json_family(measure, scene, family));
		for (i = 0; i < plan->subject_count; i++)
			report_figures(record, measure, scene, family, i);
	}
	json_object_update_new(record, json_pack("{s:i, s:f, s:i, s:o}", "rounds", plan->rounds, "seconds",
						 plan->seconds, "cpu", plan->cpu, "families", families));
	return record_print(out, record);
}

bool report_is_right(const struct measure *measure)
{
	const struct measure_plan *plan = &measure->plan;
	const struct measure_result *result;
	unsigned int family, i;
	bool right = true;

	for (family = 0; family < plan->family_count; family++)
		for (i = 0; i < plan->subject_count; i++) {
			result = &measure->results[family][i];
			right &= report_counts_are_right(plan->subjects[i]->name, plan->families[family],
							 &result->counts[TRAFFIC_SUBJECT]);
			right &= report_counts_are_right("the reference", plan->families[family],
							 &result->counts[TRAFFIC_REFERENCE]);
		}
	return right;
}
