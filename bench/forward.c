// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/forward.h"

#include "bench/destination.h"
#include "bench/generate.h"
#include "bench/inject.h"
#include "bench/measure.h"
#include "bench/netns.h"
#include "bench/report.h"
#include "bench/subject.h"
#include "bench/topology.h"
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table.h"
#include "bench/workload/table_read.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORWARD_ROUNDS   7
#define FORWARD_SECONDS  1.0
#define FORWARD_SUBJECTS "nolookup,fiblookup,kernel"
#define FORWARD_SEED     1
#define FORWARD_USAGE    2

// With one route: the prefixes that are set aside for benchmarks (RFC 2544, RFC 5180).
static const char *const forward_one_route[] = { "198.18.0.0/15", "2001:2::/48" };

struct forward {
	struct measure measure;
	bool json;
	struct table *routes; // of both families, sorted
	struct topology topology;
	struct generate *generate;
	struct subject_bed *bed;
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
	       "  --routes 1|FILE      what the routers know: one route, or the routes of a file, which may "
	       "be\n"
	       "                       packed with xz or gzip; give the option again for a second file (1)\n"
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

static int forward_usage(const char *option, const char *value, const char *want)
{
	warnx("bench forward: %s %s: want %s", option, value, want);
	return -EINVAL;
}

static int forward_parse_family(struct measure_plan *plan, const char *text)
{
	plan->family_count = 0;
	if (strcmp(text, "4") == 0 || strcmp(text, "both") == 0)
		plan->families[plan->family_count++] = AF_INET;
	if (strcmp(text, "6") == 0 || strcmp(text, "both") == 0)
		plan->families[plan->family_count++] = AF_INET6;
	return plan->family_count ? 0 : forward_usage("--family", text, "4, 6 or both");
}

static int forward_parse_rounds(struct measure_plan *plan, const char *text)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (*end || !rounds || rounds > MEASURE_ROUNDS_MAX)
		return forward_usage("--rounds", text, "a number from 1 to 100");
	plan->rounds = rounds;
	return 0;
}

static int forward_parse_seconds(struct measure_plan *plan, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || !(seconds >= 0.01 && seconds <= 3600))
		return forward_usage("--seconds", text, "a number from 0.01 to 3600");
	plan->seconds = seconds;
	return 0;
}

static int forward_parse_cpu(struct measure_plan *plan, const char *text)
{
	char *end;
	unsigned long cpu = strtoul(text, &end, 10);
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	if (*end || cpu >= TRAFFIC_CPUS || !CPU_ISSET(cpu, &allowed))
		return forward_usage("--cpu", text, "the number of a CPU that this process may run on");
	plan->cpu = cpu;
	return 0;
}

static int forward_parse_subjects(struct measure_plan *plan, const char *text)
{
	char copy[512], *rest = copy, *name;
	const struct subject *subject;

	plan->subject_count = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((name = strsep(&rest, ","))) {
		subject = subject_find(name);
		if (!subject)
			return forward_usage("--subjects", name,
					     "routers that --help lists, with commas between");
		if (plan->subject_count == MEASURE_SUBJECTS_MAX)
			return forward_usage("--subjects", text, "16 routers at most");
		plan->subjects[plan->subject_count++] = subject;
	}
	return 0;
}

static int forward_parse_routes(struct forward *forward, const char *text)
{
	struct table_route route;
	struct stream_error error;
	unsigned int i;
	int err = 0;

	if (strcmp(text, "1") != 0) {
		err = table_read(text, NULL, forward->routes, &error);
		if (err < 0)
			warnx("bench forward: %s", error.text);
		return err;
	}
	for (i = 0; err >= 0 && i < 2; i++) {
		prefix_parse(forward_one_route[i], &route);
		err = table_append(forward->routes, &route);
	}
	return err;
}

static unsigned int forward_last_cpu(void)
{
	unsigned int cpu, last = 0;
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (cpu = 0; cpu < CPU_SETSIZE && cpu < TRAFFIC_CPUS; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			last = cpu;
	return last;
}

static int forward_parse_option(struct forward *forward, int option)
{
	struct measure_plan *plan = &forward->measure.plan;

	switch (option) {
	case 'f':
		return forward_parse_family(plan, optarg);
	case 't':
		return forward_parse_routes(forward, optarg);
	case 'r':
		return forward_parse_rounds(plan, optarg);
	case 's':
		return forward_parse_seconds(plan, optarg);
	case 'u':
		return forward_parse_subjects(plan, optarg);
	case 'c':
		return forward_parse_cpu(plan, optarg);
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
		{ NULL },
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
	plan->cpu = forward_last_cpu();
	forward_parse_family(plan, "both");
	forward_parse_subjects(plan, FORWARD_SUBJECTS);
	forward->scene.destinations = TRAFFIC_DESTINATIONS;
	forward->scene.gateways = TOPOLOGY_GATEWAYS;
	forward->routes = table_new();
	return forward->routes ? 0 : -ENOMEM;
}

static int forward_inject_table(struct inject *inject, const struct forward *forward,
				const struct table *table)
{
	struct inject_hop hops[TOPOLOGY_GATEWAYS] = { 0 };
	struct inject_refusals refusals;
	char prefix[PREFIX_TEXT_SIZE];
	unsigned int gateway;
	size_t i;
	int err = 0;

	for (gateway = 0; gateway < TOPOLOGY_GATEWAYS; gateway++) {
		hops[gateway].ifindex = forward->topology.r1.ifindex;
		topology_gateway_address(gateway, table->routes[0].family, hops[gateway].gateway);
	}
	for (i = 0; err >= 0 && i < table->count && !forward_stop; i++)
		err = inject_route(inject, INJECT_ADD, &table->routes[i],
				   &hops[topology_gateway(table->routes[i].nexthop)]);
	if (err >= 0)
		err = inject_flush(inject, &refusals);
	if (err < 0 || !refusals.count)
		return err;
	prefix_format(&table->routes[refusals.sequence - 1], prefix);
	warnx("bench forward: the kernel refused %llu routes, the first one %s: %s", refusals.count, prefix,
	      strerror(-refusals.error));
	return refusals.error;
}

// Writes the routes into the router's kernel.
static int forward_inject(const struct forward *forward, const struct table *table)
{
	struct inject *inject;
	int home, err;

	err = netns_enter(forward->topology.router, &home);
	if (err < 0)
		return err;
	err = inject_open(&inject);
	if (err >= 0) {
		err = forward_inject_table(inject, forward, table);
		inject_close(inject);
	}
	netns_leave(home);
	return err;
}

static int forward_draw(const struct forward *forward, const struct table *table)
{
	static struct generate_destination destinations[TRAFFIC_DESTINATIONS];
	static struct destination drawn[TRAFFIC_DESTINATIONS];
	struct random random;
	unsigned int i;
	int err;

	random_seed(&random, FORWARD_SEED);
	err = destination_draw(table, &random, drawn, TRAFFIC_DESTINATIONS);
	if (err < 0)
		return err;
	for (i = 0; i < TRAFFIC_DESTINATIONS; i++) {
		memcpy(destinations[i].address, drawn[i].address, sizeof(destinations[i].address));
		destinations[i].gateway = topology_gateway(drawn[i].nexthop);
	}
	generate_set_destinations(forward->generate, table->routes[0].family, destinations,
				  TRAFFIC_DESTINATIONS);
	return 0;
}

static bool forward_wants_own_table(const struct forward *forward)
{
	unsigned int i;

	for (i = 0; i < forward->measure.plan.subject_count; i++)
		if (forward->measure.plan.subjects[i]->own_table)
			return true;
	return false;
}

// Routes and destinations of one family, for the kernel, the baselines and the generator.
static int forward_load(struct forward *forward, unsigned int index)
{
	__u8 family = forward->measure.plan.families[index];
	struct table *table;
	int err;

	err = table_select(forward->routes, family, &table);
	if (err < 0)
		return err;
	forward->scene.routes[index] = table->count;
	if (!table->count) {
		warnx("bench forward: no IPv%u routes given; restrict --family or add a file by --routes",
		      family == AF_INET6 ? 6 : 4);
		err = -ENOENT;
	}
	if (err >= 0)
		err = forward_inject(forward, table);
	if (err >= 0 && forward_wants_own_table(forward))
		err = subject_load(forward->bed, table);
	if (err >= 0)
		err = forward_draw(forward, table);
	table_free(table);
	return err;
}

static int forward_load_all(struct forward *forward)
{
	unsigned int i;
	int err;

	err = table_sort(forward->routes);
	if (forward->routes->count > 10000)
		fprintf(stderr, "loading %zu routes\n", forward->routes->count);
	for (i = 0; err >= 0 && i < forward->measure.plan.family_count; i++)
		err = forward_load(forward, i);
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
	warnx("bench forward: cannot %s: %s%s", what, strerror(-err), err == -EPERM ? " (run as root)" : "");
	return err;
}

static int forward_run(struct forward *forward)
{
	int err;

	err = generate_open(&forward->topology, &forward->generate);
	if (err < 0)
		return forward_fail("set up the generator", err);
	err = subject_open(&forward->topology, &forward->bed);
	if (err < 0)
		return forward_fail("load the baseline programs", err);
	err = forward_load_all(forward);
	if (err < 0)
		return forward_fail("load the routes", err);
	err = measure_run(&forward->measure, forward->generate, forward->bed, &forward_stop);
	if (err < 0)
		return err;
	return forward_report(forward);
}

static int forward_in_topology(struct forward *forward)
{
	int err = topology_open(&forward->topology);

	if (err < 0)
		return forward_fail("make network namespaces", err);
	err = forward_run(forward);
	subject_close(forward->bed);
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
		goto free_forward;
	}
	if (!forward->routes->count && forward_parse_routes(forward, "1") < 0)
		goto free_forward;
	forward_catch_signals();
	err = forward_in_topology(forward);
	code = err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

free_forward:
	table_free(forward->routes);
	free(forward);
	return code;
}
