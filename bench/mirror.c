// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/mirror.h"

#include "bench/churn.h"
#include "bench/machine.h"
#include "bench/mirror_bed.h"
#include "bench/record.h"
#include "bench/outage.h"
#include "bench/workload/table_generate.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIRROR_ROUNDS      3
#define MIRROR_RATE        20000
#define MIRROR_SECONDS     3.0
#define MIRROR_CHANGES     500000
#define MIRROR_CHANGES_MAX 5000000
#define MIRROR_USAGE       2

struct mirror_plan {
	size_t routes4, routes6;
	unsigned int rounds;
	unsigned long rate, changes;
	double seconds;
	bool json;
};

struct mirror_bench {
	struct mirror_plan plan;
	struct mirror_bed bed;
	double load_begin, load_end; // of the machine
};

static volatile sig_atomic_t mirror_stop;

static void mirror_signalled(int number)
{
	mirror_stop = 1;
}

static void mirror_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = mirror_signalled };
	unsigned int i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void mirror_help(void)
{
	printf("Usage: penstock bench mirror [OPTION]...\n"
	       "Measures how fast the data plane follows the kernel's routes, in network namespaces of its "
	       "own. "
	       "As root.\n\n"
	       "  --routes N     IPv4 routes in the table, and %u %% as many IPv6 routes (%zu)\n"
	       "  --rounds N     how often all is measured, 1 to %u (%u)\n"
	       "  --rate N       changes a second while the lag is measured (%u)\n"
	       "  --seconds S    how long (%g)\n"
	       "  --changes N    changes in a burst (%u)\n"
	       "  --json         results as JSON\n",
	       (unsigned int)(100 * TABLE_GENERATE_FULL.ipv6 / TABLE_GENERATE_FULL.ipv4),
	       TABLE_GENERATE_FULL.ipv4, FIGURES_ROUNDS_MAX, MIRROR_ROUNDS, MIRROR_RATE, MIRROR_SECONDS,
	       MIRROR_CHANGES);
}

static int mirror_number(const char *option, unsigned long low, unsigned long high, unsigned long *ret)
{
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (end == optarg || *end || value < low || value > high) {
		warnx("bench mirror: --%s %s: want a number from %lu to %lu", option, optarg, low, high);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int mirror_parse_seconds(struct mirror_plan *plan)
{
	char *end;
	double seconds = strtod(optarg, &end);

	if (end == optarg || *end || !(seconds >= 0.1 && seconds <= 600)) {
		warnx("bench mirror: --seconds %s: want a number from 0.1 to 600", optarg);
		return -EINVAL;
	}
	plan->seconds = seconds;
	return 0;
}

static int mirror_parse_option(struct mirror_plan *plan, int option)
{
	unsigned long value;
	int err;

	switch (option) {
	case 't':
		err = mirror_number("routes", 1000, TABLE_GENERATE_FULL.ipv4, &value);
		if (err < 0)
			return err;
		plan->routes4 = value;
		plan->routes6 = value * TABLE_GENERATE_FULL.ipv6 / TABLE_GENERATE_FULL.ipv4;
		return 0;
	case 'r':
		err = mirror_number("rounds", 1, FIGURES_ROUNDS_MAX, &value);
		if (err >= 0)
			plan->rounds = value;
		return err;
	case 'p':
		return mirror_number("rate", 100, 1000000, &plan->rate);
	case 's':
		return mirror_parse_seconds(plan);
	case 'c':
		return mirror_number("changes", 1000, MIRROR_CHANGES_MAX, &plan->changes);
	case 'j':
		plan->json = true;
		return 0;
	}
	return -EINVAL; // getopt_long() has told why
}

// Returns 1 when help was asked for and given.
static int mirror_parse(struct mirror_plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{ "routes", required_argument, NULL, 't' },  { "rounds", required_argument, NULL, 'r' },
		{ "rate", required_argument, NULL, 'p' },    { "seconds", required_argument, NULL, 's' },
		{ "changes", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },          { 0 },
	};
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h') {
			mirror_help();
			return 1;
		}
		err = mirror_parse_option(plan, option);
	}
	if (err >= 0 && optind < argc) {
		warnx("bench mirror: unknown argument %s; see --help", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

// Starts the daemon with all routes in the kernel; the mark shows that packets then take the fast way.
static int mirror_cold_start(struct mirror_bench *bench)
{
	struct mirror_bed *bed = &bench->bed;
	double begin = mirror_bed_now_ms(), end;
	struct mirror_usage usage;
	int err;

	err = daemon_start(&bed->topology.subject, bed->topology.guard.file, "native", bed->stop,
			   &bed->daemon);
	end = mirror_bed_now_ms();
	if (err >= 0)
		err = mirror_bed_wait_mark(bed);
	if (err >= 0)
		err = mirror_bed_usage(bed, &usage);
	if (err < 0)
		return err;
	figures_add(&bed->figures, FIGURE_COLD_MS, end - begin);
	figures_add(&bed->figures, FIGURE_COLD_CPU_MS, usage.cpu_ms);
	figures_add(&bed->figures, FIGURE_COLD_MB, usage.resident_mb);
	return 0;
}

static int mirror_step(const char *text, int err)
{
	if (err < 0)
		return err;
	fprintf(stderr, "  %s\n", text);
	return mirror_stop ? -EINTR : 0;
}

// One after the other, as long as none fails.
static int mirror_measure(struct mirror_bench *bench)
{
	const struct mirror_plan *plan = &bench->plan;
	struct mirror_bed *bed = &bench->bed;
	int err;

	err = mirror_step("a burst into the kernel alone", 0);
	if (err >= 0)
		err = churn_kernel(bed, plan->changes);
	err = mirror_step("cold start", err);
	if (err >= 0)
		err = mirror_cold_start(bench);
	err = mirror_step("lag under churn", err);
	if (err >= 0)
		err = churn_lag(bed, plan->rate, plan->seconds);
	err = mirror_step("a burst", err);
	if (err >= 0)
		err = churn_burst(bed, plan->changes);
	err = mirror_step("lost notifications", err);
	if (err >= 0)
		err = outage_resync(bed, plan->changes);
	err = mirror_step("link down", err);
	return err < 0 ? err : outage_link(bed);
}

static int mirror_round(struct mirror_bench *bench, unsigned int round)
{
	struct mirror_bed *bed = &bench->bed;
	struct mirror_usage usage;
	int err;

	fprintf(stderr, "round %u of %u\n  %zu routes into the kernel\n", round + 1, bench->plan.rounds,
		bed->routes->count);
	err = mirror_bed_load(bed);
	if (err >= 0)
		err = mirror_measure(bench);
	if (err >= 0)
		err = mirror_bed_usage(bed, &usage);
	daemon_stop(bed->daemon);
	bed->daemon = NULL;
	if (err < 0)
		return err;
	figures_add(&bed->figures, FIGURE_PEAK_MB, usage.peak_mb);
	return round + 1 < bench->plan.rounds ? lane_revive(&bed->topology.subject) : 0;
}

static int mirror_report(const struct mirror_bench *bench)
{
	const struct mirror_plan *plan = &bench->plan;
	struct machine machine;
	json_t *record;
	int err = 0;

	if (plan->json) {
		record = record_new("mirror");
		json_object_update_new(
			record, json_pack("{s:I, s:I, s:i, s:I, s:f, s:I, s:f, s:f}", "routes4",
					  (json_int_t)plan->routes4, "routes6", (json_int_t)plan->routes6,
					  "rounds", (int)plan->rounds, "rate", (json_int_t)plan->rate,
					  "seconds", plan->seconds, "changes", (json_int_t)plan->changes,
					  "load_before", bench->load_begin, "load_after", bench->load_end));
		figures_record(&bench->bed.figures, record);
		err = record_print(stdout, record);
	} else {
		machine_read(&machine);
		printf("%s, %u CPUs, %s; load %.1f before, %.1f after\n"
		       "%zu IPv4 and %zu IPv6 routes, all behind one port; %u round%s\n",
		       machine.cpu, machine.cpus, machine.kernel, bench->load_begin, bench->load_end,
		       plan->routes4, plan->routes6, plan->rounds, plan->rounds == 1 ? "" : "s");
		figures_table(stdout, &bench->bed.figures);
	}
	if (err < 0 || fflush(stdout) == EOF || ferror(stdout)) {
		warnx("bench mirror: cannot write the results");
		return -EIO;
	}
	return 0;
}

static int mirror_run(struct mirror_bench *bench)
{
	const struct mirror_plan *plan = &bench->plan;
	struct mirror_bed *bed = &bench->bed;
	unsigned int round;
	int err;

	bed->stop = &mirror_stop;
	getloadavg(&bench->load_begin, 1);
	err = mirror_bed_open(bed, plan->routes4, plan->routes6);
	if (err < 0)
		return err;
	for (round = 0; err >= 0 && round < plan->rounds; round++)
		err = mirror_round(bench, round);
	mirror_bed_close(bed);
	getloadavg(&bench->load_end, 1);
	if (mirror_stop)
		warnx("bench mirror: interrupted");
	else if (err < 0)
		warnx("bench mirror: the last step failed: %s", strerror(-err));
	return err < 0 ? err : mirror_report(bench);
}

int bench_mirror(int argc, char **argv)
{
	struct mirror_bench *bench = calloc(1, sizeof(*bench));
	int err;

	if (!bench)
		return EXIT_FAILURE;
	bench->plan = (struct mirror_plan){
		.routes4 = TABLE_GENERATE_FULL.ipv4,
		.routes6 = TABLE_GENERATE_FULL.ipv6,
		.rounds = MIRROR_ROUNDS,
		.rate = MIRROR_RATE,
		.changes = MIRROR_CHANGES,
		.seconds = MIRROR_SECONDS,
	};
	err = mirror_parse(&bench->plan, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : MIRROR_USAGE;
	}
	mirror_catch_signals();
	err = mirror_run(bench);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
