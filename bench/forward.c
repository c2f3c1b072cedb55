// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/forward.h"

#include "bench/generate.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/option.h"
#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/subject.h"
#include "bench/topology.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORWARD_ROUNDS   7
#define FORWARD_SECONDS  1.0
#define FORWARD_SUBJECTS "penstock,nolookup,fiblookup,kernel"
#define FORWARD_SEED     1
#define FORWARD_MANY     10000 // routes, from which on loading takes time
#define FORWARD_USAGE    2

struct forward {
	struct measure measure;
	bool json;
	struct scenario scenario;
	struct topology topology;
	struct generate *generate;
	struct subject_bed *subjects;
	struct report_scene scene;
};

static volatile sig_atomic_t forward_stop;

static void forward_signalled(int number)
{
	forward_stop = 1;
}

static void forward_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = forward_signalled };
	unsigned int i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void forward_help(void)
{
	const struct subject *subjects;
	unsigned int i, count;

	printf("Usage: penstock bench forward [OPTION]...\n"
	       "Compares routers over the same routes and packets, in network namespaces of its own. As "
	       "root.\n\n"
	       "  --family 4|6|both    what to send (both)\n"
	       "  --routes WHAT        what the routers know (1):\n"
	       "                         1     one route\n"
	       "                         full  generated tables of the public Internet's size and shape\n"
	       "                         N     the same shape, N IPv4 routes and IPv6 routes in proportion\n"
	       "                         FILE  the routes of a text file, plain or packed with xz or gzip;\n"
	       "                               give the option again for another file\n"
	       "  --rounds N           how often each router is measured, 1 to %u (%u)\n"
	       "  --seconds S          how long each time (%g)\n"
	       "  --subjects A,B,...   which routers (" FORWARD_SUBJECTS ")\n"
	       "  --cpu N              the CPU to measure on (the last one)\n"
	       "  --json               results as JSON\n\nRouters:\n",
	       MEASURE_ROUNDS_MAX, FORWARD_ROUNDS, FORWARD_SECONDS);
	subjects = subject_list(&count);
	for (i = 0; i < count; i++)
		printf("  %-20s %s\n", subjects[i].name, subjects[i].summary);
}

static bool forward_fits(const struct subject *subject)
{
	return !subject_has_threads(subject); // their time is none of the measured CPU's
}

static int forward_parse_subjects(struct measure_plan *plan, const char *text)
{
	return option_subjects(
		"forward", "--subjects", text, forward_fits,
		"routers of the kernel that --help lists; for others see bench afxdp and bench "
		"modes",
		plan->subjects, &plan->subject_count);
}

static int forward_parse_families(struct measure_plan *plan, const char *text)
{
	return option_families("forward", text, plan->families, &plan->family_count);
}

static int forward_parse_option(struct forward *forward, int option)
{
	struct measure_plan *plan = &forward->measure.plan;

	switch (option) {
	case 'f':
		return forward_parse_families(plan, optarg);
	case 't':
		return scenario_add(&forward->scenario, optarg);
	case 'r':
		return option_number("forward", "--rounds", optarg, 1, MEASURE_ROUNDS_MAX, &plan->rounds);
	case 's':
		return option_seconds("forward", "--seconds", optarg, &plan->seconds);
	case 'u':
		return forward_parse_subjects(plan, optarg);
	case 'c':
		return option_cpu("forward", optarg, &plan->cpu);
	case 'j':
		forward->json = true;
		return 0;
	}
	return -EINVAL; // getopt_long() has told why
}

// Returns 1 when help was asked for and given.
static int forward_parse(struct forward *forward, int argc, char **argv)
{
	static const struct option options[] = {
		{ "family", required_argument, NULL, 'f' },
		{ "routes", required_argument, NULL, 't' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "subjects", required_argument, NULL, 'u' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h') {
			forward_help();
			return 1;
		}
		err = forward_parse_option(forward, option);
	}
	if (err >= 0 && optind < argc) {
		warnx("bench forward: unknown argument %s; see --help", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

static int forward_set_defaults(struct forward *forward)
{
	struct measure_plan *plan = &forward->measure.plan;

	plan->rounds = FORWARD_ROUNDS;
	plan->seconds = FORWARD_SECONDS;
	plan->cpu = machine_last_cpu();
	forward_parse_families(plan, "both");
	forward_parse_subjects(plan, FORWARD_SUBJECTS);
	forward->scene.destinations = TRAFFIC_DESTINATIONS;
	forward->scene.gateways = LANE_GATEWAYS;
	return scenario_open(&forward->scenario, &forward_stop);
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
	if (err >= 0 && (fflush(stdout) == EOF || ferror(stdout)))
		err = -EIO;
	if (err < 0)
		warnx("bench forward: cannot write the results: %s", strerror(-err));
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
	err = subject_open(&forward->topology, &forward_stop, &forward->subjects);
	if (err < 0)
		return forward_fail("load the baseline programs", err);
	err = forward_load(forward);
	if (err >= 0)
		err = measure_run(&forward->measure, forward->generate, forward->subjects, &forward_stop);
	return err < 0 ? err : forward_report(forward);
}

static int forward_in_topology(struct forward *forward)
{
	int err = topology_open(&forward->topology);

	if (err < 0)
		return forward_fail("make network namespaces", err);
	err = forward_run(forward);
	subject_close(forward->subjects);
	generate_close(forward->generate);
	topology_close(&forward->topology);
	if (forward_stop)
		warnx("bench forward: interrupted");
	return err;
}

int bench_forward(int argc, char **argv)
{
	struct forward *forward = calloc(1, sizeof(*forward));
	int code = EXIT_FAILURE, err;

	if (!forward)
		return EXIT_FAILURE;
	err = forward_set_defaults(forward);
	if (err < 0)
		goto free_forward;
	err = forward_parse(forward, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : FORWARD_USAGE;
		goto close_scenario;
	}
	if (!forward->scenario.routes->count && scenario_add(&forward->scenario, "1") < 0)
		goto close_scenario;
	forward_catch_signals();
	err = forward_in_topology(forward);
	code = err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

close_scenario:
	scenario_close(&forward->scenario);
free_forward:
	free(forward);
	return code;
}
