// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/mirror.h"

#include "bench/churn.h"
#include "bench/machine.h"
#include "bench/mirror_bed.h"
#include "bench/option.h"
#include "bench/outage.h"
#include "bench/record.h"
#include "bench/stop.h"
#include "bench/workload/table_generate.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mirror_plan {
	unsigned int routes4, routes6;
	unsigned int rounds, rate, changes;
	double seconds;
	bool json;
};

struct mirror_bench {
	struct mirror_plan plan;
	struct mirror_bed bed;
	double load_begin, load_end; // of the machine
};

static int mirror_parse(struct mirror_plan *plan, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "routes", "N", "IPv4 routes in the table, and IPv6 routes in proportion (full tables)",
		  .number = &plan->routes4, .least = 1000, .most = TABLE_GENERATE_FULL.ipv4 },
		{ "rounds", "N", "how often all is measured", "3", .number = &plan->rounds, .least = 1,
		  .most = FIGURES_ROUNDS_MAX },
		{ "rate", "N", "changes a second while the lag is measured", "20000", .number = &plan->rate,
		  .least = 100, .most = 1000000 },
		{ "seconds", "S", "how long", "3", .seconds = &plan->seconds, .least = 0.1, .most = 600 },
		{ "changes", "N", "changes in a burst", "500000", .number = &plan->changes, .least = 1000,
		  .most = 5000000 },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "mirror",
		.about = "Measures how fast the data plane follows the kernel's\n"
			 "routes, in network namespaces of its own. As root.\n",
		.json = &plan->json,
		.lines = lines,
	};
	int err;

	plan->routes4 = TABLE_GENERATE_FULL.ipv4;
	err = option_parse(&set, argc, argv);
	plan->routes6 =
		(unsigned long long)plan->routes4 * TABLE_GENERATE_FULL.ipv6 / TABLE_GENERATE_FULL.ipv4;
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
	return stop_asked ? -EINTR : 0;
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
		       "%u IPv4 and %u IPv6 routes, all behind one port; %u round%s\n",
		       machine.cpu, machine.cpus, machine.kernel, bench->load_begin, bench->load_end,
		       plan->routes4, plan->routes6, plan->rounds, plan->rounds == 1 ? "" : "s");
		figures_table(stdout, &bench->bed.figures);
	}
	return record_end("mirror", err);
}

static int mirror_run(struct mirror_bench *bench)
{
	const struct mirror_plan *plan = &bench->plan;
	struct mirror_bed *bed = &bench->bed;
	unsigned int round;
	int err;

	bed->stop = &stop_asked;
	getloadavg(&bench->load_begin, 1);
	err = mirror_bed_open(bed, plan->routes4, plan->routes6);
	if (err < 0)
		return err;
	for (round = 0; err >= 0 && round < plan->rounds; round++)
		err = mirror_round(bench, round);
	mirror_bed_close(bed);
	getloadavg(&bench->load_end, 1);
	if (stop_asked)
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
	err = mirror_parse(&bench->plan, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	}
	stop_catch();
	err = mirror_run(bench);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
