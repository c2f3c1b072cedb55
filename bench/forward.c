// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/forward.h"

#include "bench/generate.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/stop.h"
#include "bench/subject.h"
#include "bench/topology.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORWARD_MANY 10000 // routes, from which on loading takes time

struct forward {
	struct measure measure;
	bool json;
	struct scenario scenario;
	struct topology topology;
	struct generate *generate;
	struct subject_bed *subjects;
	struct report_scene scene;
};

static void forward_print_subjects(FILE *out)
{
	const struct subject *subjects;
	unsigned int i, count;

	fprintf(out, "\nRouters:\n");
	subjects = subject_list(&count);
	for (i = 0; i < count; i++)
		fprintf(out, "  %-20s %s\n", subjects[i].name, subjects[i].summary);
}

static bool forward_fits(const struct subject *subject)
{
	return !subject_has_threads(subject); // their time is none of the measured CPU's
}

static int forward_take_subjects(void *into, const char *bench, const char *value)
{
	struct measure_plan *plan = into;

	return option_subjects(
		bench, "--subjects", value, forward_fits,
		"routers of the kernel that --help lists; for others see bench afxdp and bench modes",
		plan->subjects, &plan->subject_count);
}

static int forward_parse(struct forward *forward, int argc, char **argv)
{
	struct measure_plan *plan = &forward->measure.plan;
	const struct option_line lines[] = {
		{ "family", "4|6|both", "what to send", "both", .families = plan->families,
		  .family_count = &plan->family_count },
		{ "routes", "WHAT",
		  "what the routers know\n"
		  "  1     one route\n"
		  "  full  generated tables of the public Internet's size and shape\n"
		  "  N     the same shape, N IPv4 routes and IPv6 routes in proportion\n"
		  "  FILE  the routes of a text file, plain or packed with xz or gzip;\n"
		  "        give the option again for another file",
		  "1", .scenario = &forward->scenario },
		{ "rounds", "N", "how often each router is measured", "7", .number = &plan->rounds,
		  .least = 1, .most = MEASURE_ROUNDS_MAX },
		{ "seconds", "S", "how long each time", "1", .seconds = &plan->seconds, .least = 0.01,
		  .most = 3600 },
		{ "subjects", "A,B,...", "which routers", "penstock,nolookup,fiblookup,kernel",
		  .take = forward_take_subjects, .into = plan },
		{ "cpu", "N", "the CPU to measure on (the last one)", .cpu = &plan->cpu },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "forward",
		.about = "Compares routers over the same routes and packets, in\n"
			 "network namespaces of its own. As root.\n",
		.json = &forward->json,
		.lines = lines,
		.print_more = forward_print_subjects,
	};

	plan->cpu = machine_last_cpu();
	return option_parse(&set, argc, argv);
}

static bool forward_wants_own_table(const struct forward *forward)
{
	unsigned int i;

	for (i = 0; i < forward->measure.plan.subject_count; i++)
		if (forward->measure.plan.subjects[i]->own_table)
			return true;
	return false;
}

// Brings the scenario into the test bed.
static int forward_load(struct forward *forward)
{
	struct scenario_bed bed = { &forward->topology, forward->generate, forward->subjects,
				    forward_wants_own_table(forward) };
	const struct measure_plan *plan = &forward->measure.plan;
	unsigned int i;
	int err = 0;

	if (forward->scenario.routes->count > FORWARD_MANY)
		fprintf(stderr, "loading %zu routes\n", forward->scenario.routes->count);
	for (i = 0; err >= 0 && i < plan->family_count; i++)
		err = scenario_load(&forward->scenario, &bed, plan->families[i], &forward->scene.routes[i]);
	return err;
}

static int forward_report(const struct forward *forward)
{
	int err = 0;

	if (forward->json)
		err = report_json(stdout, &forward->measure, &forward->scene);
	else
		report_table(stdout, &forward->measure, &forward->scene);
	err = record_end("forward", err);
	return report_is_right(&forward->measure) ? err : -EBADMSG;
}

static int forward_fail(const char *what, int err)
{
	warnx("bench forward: cannot %s: %s%s", what, strerror(-err),
	      err == -EPERM || err == -EACCES ? "; run as root" : "");
	return err;
}

static int forward_run(struct forward *forward)
{
	int err;

	err = generate_open(&forward->topology, &forward->generate);
	if (err < 0)
		return forward_fail("set up the generator", err);
	err = subject_open(&forward->topology, &stop_asked, &forward->subjects);
	if (err < 0)
		return forward_fail("load the baseline programs", err);
	err = forward_load(forward);
	if (err >= 0)
		err = measure_run(&forward->measure, forward->generate, forward->subjects, &stop_asked);
	return err < 0 ? err : forward_report(forward);
}

static int forward_in_topology(struct forward *forward)
{
	int err = topology_open_for("bench forward", NULL, &forward->topology);

	if (err < 0)
		return err;
	err = forward_run(forward);
	subject_close(forward->subjects);
	generate_close(forward->generate);
	topology_close(&forward->topology);
	if (stop_asked)
		warnx("bench forward: interrupted");
	return err;
}

int bench_forward(int argc, char **argv)
{
	struct forward *forward = calloc(1, sizeof(*forward));
	int code = EXIT_FAILURE, err;

	if (!forward)
		return EXIT_FAILURE;
	err = scenario_open(&forward->scenario, &stop_asked);
	if (err < 0)
		goto free_forward;
	forward->scene.destinations = TRAFFIC_DESTINATIONS;
	forward->scene.gateways = LANE_GATEWAYS;
	err = forward_parse(forward, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
		goto close_scenario;
	}
	stop_catch();
	err = forward_in_topology(forward);
	code = err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

close_scenario:
	scenario_close(&forward->scenario);
free_forward:
	free(forward);
	return code;
}
