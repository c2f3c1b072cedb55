// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk.h"

#include "bench/dpdk_bed.h"
#include "bench/dpdk_router.h"
#include "bench/l3fwd.h"
#include "bench/machine.h"
#include "bench/record.h"
#include "bench/statistics.h"
#include "bench/workload/table_generate.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DPDK_USAGE       2
#define DPDK_ROUNDS      7
#define DPDK_ROUNDS_MAX  50
#define DPDK_SECONDS     0.3
#define DPDK_ROUTES      60000
#define DPDK_PACKETS     16384
#define DPDK_PACKETS_MAX 32768 // what l3fwd takes as the size of a queue
#define DPDK_FEW         16
#define DPDK_MEMORY      2048 // MiB
#define DPDK_HUGE        "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

struct dpdk_plan {
	size_t routes;
	unsigned int packets, rounds, cpu;
	double seconds;
	const char *sources; // of l3fwd
	bool json, huge;
};

struct dpdk_bench {
	struct dpdk_plan plan;
	struct dpdk_bed bed;
	double mpps[DPDK_BED_TRAFFICS][DPDK_ROUTERS][DPDK_ROUNDS_MAX]; // per second of CPU time
	double times[DPDK_BED_TRAFFICS][DPDK_ROUNDS_MAX];              // l3fwd's
};

static volatile sig_atomic_t dpdk_stop;

static void dpdk_signalled(int number)
{
	dpdk_stop = 1;
}

static void dpdk_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = dpdk_signalled };

	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void dpdk_help(void)
{
	printf("Usage: penstock bench dpdk [OPTION]...\n"
	       "Compares the DPDK engine with DPDK's own l3fwd (FIB mode): 60-byte IPv4 packets of a capture "
	       "into\n"
	       "nothing (net_pcap to net_null), one worker each, in turns. As root.\n\n"
	       "  --routes N|full   generated IPv4 routes (%u); above %u l3fwd's limits are raised\n"
	       "  --packets N       in the capture, 64 to %u (%u)\n"
	       "  --rounds N        1 to %u (%u)\n"
	       "  --seconds S       of each, 0.05 to 60 (%g)\n"
	       "  --cpu N           where the workers run (the last one)\n"
	       "  --l3fwd DIR       sources of l3fwd (" L3FWD_SOURCES ")\n"
	       "  --json            results as JSON\n",
	       DPDK_ROUTES, L3FWD_ROUTES, DPDK_PACKETS_MAX, DPDK_PACKETS, DPDK_ROUNDS_MAX, DPDK_ROUNDS,
	       DPDK_SECONDS);
}

static int dpdk_number(const char *option, unsigned long low, unsigned long high, unsigned long *ret)
{
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (end == optarg || *end || value < low || value > high) {
		warnx("bench dpdk: --%s %s: want a number from %lu to %lu", option, optarg, low, high);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int dpdk_parse_seconds(struct dpdk_plan *plan)
{
	char *end;

	plan->seconds = strtod(optarg, &end);
	if (end != optarg && !*end && plan->seconds >= 0.05 && plan->seconds <= 60)
		return 0;
	warnx("bench dpdk: --seconds %s: want a number from 0.05 to 60", optarg);
	return -EINVAL;
}

static int dpdk_parse_option(struct dpdk_plan *plan, int option)
{
	unsigned long value = 0;
	int err = 0;

	switch (option) {
	case 't':
		if (strcmp(optarg, "full") == 0)
			value = TABLE_GENERATE_FULL.ipv4;
		else
			err = dpdk_number("routes", 100, TABLE_GENERATE_FULL.ipv4, &value);
		plan->routes = value;
		return err;
	case 'p':
		err = dpdk_number("packets", 64, DPDK_PACKETS_MAX, &value);
		plan->packets = (unsigned int)value;
		return err;
	case 'r':
		err = dpdk_number("rounds", 1, DPDK_ROUNDS_MAX, &value);
		plan->rounds = (unsigned int)value;
		return err;
	case 'c':
		err = dpdk_number("cpu", 0, CPU_SETSIZE - 1, &value);
		plan->cpu = (unsigned int)value;
		return err;
	case 's':
		return dpdk_parse_seconds(plan);
	case 'l':
		plan->sources = optarg;
		return 0;
	case 'j':
		plan->json = true;
		return 0;
	}
	return -EINVAL; // getopt_long() has told why
}

// Returns 1 when help was asked for and given.
static int dpdk_parse(struct dpdk_plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{ "routes", required_argument, NULL, 't' },
		{ "packets", required_argument, NULL, 'p' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "l3fwd", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h') {
			dpdk_help();
			return 1;
		}
		err = dpdk_parse_option(plan, option);
	}
	if (err >= 0 && optind < argc) {
		warnx("bench dpdk: unknown argument %s; see --help", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

// Both take the same kind of pages: what penstock takes by itself.
static bool dpdk_huge_pages(void)
{
	FILE *file = fopen(DPDK_HUGE, "re");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages >= 2ul * DPDK_MEMORY / 2; // for each of them
}

static int dpdk_round(struct dpdk_bench *bench, struct dpdk_router *routers, enum dpdk_bed_traffic traffic,
		      unsigned int round)
{
	for (unsigned int i = 0; i < DPDK_ROUTERS; i++) {
		unsigned int kind = (i + round) % DPDK_ROUTERS;
		struct dpdk_sample sample;
		int err = dpdk_router_run(&routers[kind], bench->plan.seconds, &sample);

		if (err == -EBADMSG)
			warnx("bench dpdk: %s sent %llu of %llu packets", dpdk_router_name(kind),
			      (unsigned long long)sample.sent, (unsigned long long)sample.received);
		if (err < 0)
			return err;
		bench->mpps[traffic][kind][round] = (double)sample.sent * 1e3 / (double)sample.nanoseconds;
	}
	bench->times[traffic][round] = bench->mpps[traffic][DPDK_ROUTER_PENSTOCK][round] /
				       bench->mpps[traffic][DPDK_ROUTER_L3FWD][round];
	return dpdk_stop ? -EINTR : 0;
}

static int dpdk_measure(struct dpdk_bench *bench, enum dpdk_bed_traffic traffic)
{
	const struct dpdk_plan *plan = &bench->plan;
	struct dpdk_router routers[DPDK_ROUTERS] = { { .log = -1 }, { .log = -1 } };
	int err = 0;

	for (unsigned int kind = 0; err >= 0 && kind < DPDK_ROUTERS; kind++) {
		struct dpdk_router_plan router = {
			kind,          traffic,   plan->cpu, DPDK_MEMORY, 4 * plan->packets + 16384,
			plan->packets, plan->huge
		};

		fprintf(stderr, "%s: %s starts\n", dpdk_bed_traffic_name(traffic), dpdk_router_name(kind));
		err = dpdk_router_start(&bench->bed, &router, &dpdk_stop, &routers[kind]);
	}
	for (unsigned int round = 0; err >= 0 && round < plan->rounds; round++)
		err = dpdk_round(bench, routers, traffic, round);
	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++)
		dpdk_router_stop(&routers[kind]);
	return err;
}

static void dpdk_table(const struct dpdk_bench *bench)
{
	const struct dpdk_plan *plan = &bench->plan;
	struct machine machine;

	printf("IPv4: %zu routes, capture of %u packets; %u rounds of %g s on CPU %u, %s pages\n"
	       "destinations  router       Mpps     ns   of l3fwd, 95 %%\n",
	       bench->bed.routes->count, plan->packets, plan->rounds, plan->seconds, plan->cpu,
	       plan->huge ? "huge" : "ordinary");
	for (unsigned int traffic = 0; traffic < DPDK_BED_TRAFFICS; traffic++) {
		struct statistics times = statistics_of(bench->times[traffic], plan->rounds);

		for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++) {
			struct statistics mpps = statistics_of(bench->mpps[traffic][kind], plan->rounds);

			printf("%-12s  %-9s  %7.2f  %5.1f", dpdk_bed_traffic_name(traffic),
			       dpdk_router_name(kind), mpps.median, 1e3 / mpps.median);
			if (kind == DPDK_ROUTER_PENSTOCK)
				printf("   %.3f  %.3f..%.3f", times.median, times.low, times.high);
			printf("\n");
		}
	}
	machine_read(&machine);
	printf("\n%s, %u CPUs, %s. Rates are per second of CPU time.\n"
	       "l3fwd takes the checksum as verified and looks at no VLAN, VRF, MTU, local or martian "
	       "address.\n",
	       machine.cpu, machine.cpus, machine.kernel);
}

static void dpdk_figure(const struct dpdk_bench *bench, json_t *record, unsigned int traffic,
			const char *what, const double *values, bool relative)
{
	char name[RECORD_NAME];
	struct record_figure figure = { name,   relative ? "" : "Mpps", RECORD_MORE, relative,
					values, bench->plan.rounds };

	snprintf(name, sizeof(name), "dpdk IPv4 %zu-routes %s %s", bench->bed.routes->count,
		 dpdk_bed_traffic_name(traffic), what);
	(void)record_add(record, &figure);
}

static int dpdk_report(const struct dpdk_bench *bench)
{
	json_t *record;

	if (!bench->plan.json) {
		dpdk_table(bench);
		return 0;
	}
	record = record_new("dpdk");
	for (unsigned int traffic = 0; traffic < DPDK_BED_TRAFFICS; traffic++) {
		dpdk_figure(bench, record, traffic, "penstock", bench->mpps[traffic][DPDK_ROUTER_PENSTOCK],
			    false);
		dpdk_figure(bench, record, traffic, "l3fwd", bench->mpps[traffic][DPDK_ROUTER_L3FWD], false);
		dpdk_figure(bench, record, traffic, "times-l3fwd", bench->times[traffic], true);
	}
	json_object_update_new(
		record, json_pack("{s:I, s:i, s:i, s:f, s:b}", "routes", (json_int_t)bench->bed.routes->count,
				  "packets", (int)bench->plan.packets, "rounds", (int)bench->plan.rounds,
				  "seconds", bench->plan.seconds, "huge_pages", bench->plan.huge));
	return record_print(stdout, record);
}

static int dpdk_run(struct dpdk_bench *bench)
{
	const struct dpdk_plan *plan = &bench->plan;
	int err = dpdk_bed_open(&bench->bed, plan->routes);

	if (err < 0)
		return err;
	fprintf(stderr, "l3fwd is built\n");
	err = l3fwd_build(plan->sources, bench->bed.directory, plan->routes > L3FWD_ROUTES);
	if (err >= 0)
		err = dpdk_bed_files(&bench->bed, plan->packets, DPDK_FEW);
	for (unsigned int traffic = 0; err >= 0 && traffic < DPDK_BED_TRAFFICS; traffic++)
		err = dpdk_measure(bench, traffic);
	if (dpdk_stop)
		warnx("bench dpdk: interrupted");
	if (err >= 0)
		err = dpdk_report(bench);
	dpdk_bed_close(&bench->bed);
	return err;
}

int bench_dpdk(int argc, char **argv)
{
	struct dpdk_bench *bench = calloc(1, sizeof(*bench));
	int err;

	if (!bench)
		return EXIT_FAILURE;
	bench->plan = (struct dpdk_plan){ .routes = DPDK_ROUTES,
					  .packets = DPDK_PACKETS,
					  .rounds = DPDK_ROUNDS,
					  .cpu = machine_last_cpu(),
					  .seconds = DPDK_SECONDS,
					  .sources = L3FWD_SOURCES,
					  .huge = dpdk_huge_pages() };
	err = dpdk_parse(&bench->plan, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : DPDK_USAGE;
	}
	dpdk_catch_signals();
	err = dpdk_run(bench);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
