// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// A generator on each CPU sends batches through everything behind it: on veth, router and sink work on the
// CPU that sends, with a queue for each. The rate is that of CPUs which do nothing else: what arrived,
// divided by the CPU time of all generators, times their number.

#include "bench/scale_cpus.h"

#include "bench/generate.h"
#include "bench/record.h"
#include "bench/scenario.h"
#include "bench/statistics.h"
#include "bench/stop.h"
#include "bench/subject.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCALE_CPUS_POINTS  8
#define SCALE_CPUS_ROUNDS  100
#define SCALE_CPUS_MOST    64
#define SCALE_CPUS_WARM_UP 0.1

static const char *const scale_cpus_names[] = { "penstock", "nolookup", "fiblookup", "kernel" };
#define SCALE_CPUS_SUBJECTS (sizeof(scale_cpus_names) / sizeof(scale_cpus_names[0]))

struct scale_cpus_bench {
	const struct scale_cpus *plan;
	struct topology topology;
	struct generate *generates[SCALE_CPUS_MOST];
	unsigned int cpus[SCALE_CPUS_MOST]; // their numbers
	struct subject_bed *subjects;
	struct scenario scenario;
	size_t routes;
	unsigned int points[SCALE_CPUS_POINTS], point_count; // numbers of CPUs
	double rates[SCALE_CPUS_SUBJECTS][SCALE_CPUS_POINTS][SCALE_CPUS_ROUNDS];
};

static void scale_cpus_sleep(double seconds)
{
	const struct timespec time = { .tv_sec = seconds, .tv_nsec = (seconds - (long)seconds) * 1e9 };

	nanosleep(&time, NULL);
}

static int scale_cpus_measure(struct scale_cpus_bench *bench, unsigned int count, double *ret_rate)
{
	struct generate_sample begin[SCALE_CPUS_MOST], end[SCALE_CPUS_MOST];
	struct generate_counts ends[TRAFFIC_LANES];
	unsigned int started = 0;
	double ns = 0;
	int err = 0;

	for (; err >= 0 && started < count; started += err >= 0)
		err = generate_start(bench->generates[started], AF_INET, bench->cpus[started]);
	scale_cpus_sleep(SCALE_CPUS_WARM_UP);
	for (unsigned int i = 0; i < started; i++)
		generate_read(bench->generates[i], &begin[i]);
	scale_cpus_sleep(bench->plan->seconds);
	for (unsigned int i = 0; i < started; i++)
		generate_read(bench->generates[i], &end[i]);
	for (unsigned int i = 0; i < started; i++) {
		int ended = generate_stop(bench->generates[i], ends);

		err = ended < 0 ? ended : err;
		ns += end[i].cpu_ns - begin[i].cpu_ns;
	}
	if (err >= 0 && ns > 0)
		*ret_rate = (double)(end[0].counts[TRAFFIC_SUBJECT].arrived -
				     begin[0].counts[TRAFFIC_SUBJECT].arrived) /
			    (ns / count) * 1e9;
	return stop_asked ? -EINTR : err;
}

static int scale_cpus_subject(struct scale_cpus_bench *bench, unsigned int index, unsigned int round)
{
	const struct subject *subject = subject_find(scale_cpus_names[index]);
	int err = subject_attach(bench->subjects, subject);

	fprintf(stderr, "CPUs, round %u of %u: %s\n", round + 1, bench->plan->rounds, subject->name);
	for (unsigned int point = 0; err >= 0 && point < bench->point_count; point++)
		err = scale_cpus_measure(bench, bench->points[point], &bench->rates[index][point][round]);
	subject_detach(bench->subjects);
	return err;
}

static int scale_cpus_set_up(struct scale_cpus_bench *bench)
{
	struct scenario_bed bed;
	int err = lane_queues(&bench->topology.subject, bench->plan->most);

	if (err >= 0)
		err = generate_open(&bench->topology, &bench->generates[0]);
	for (unsigned int i = 1; err >= 0 && i < bench->plan->most; i++)
		err = generate_beside(bench->generates[0], &bench->generates[i]);
	if (err >= 0)
		err = subject_open(&bench->topology, &stop_asked, &bench->subjects);
	bed = (struct scenario_bed){ &bench->topology, bench->generates[0], bench->subjects, false };
	if (err >= 0)
		err = scenario_add(&bench->scenario, bench->plan->routes);
	return err < 0 ? err : scenario_load(&bench->scenario, &bed, AF_INET, &bench->routes);
}

// 1, 2, 4, ... and all.
static void scale_cpus_choose(struct scale_cpus_bench *bench)
{
	unsigned int most = bench->plan->most, count = 0;
	cpu_set_t allowed;

	for (unsigned int cpus = 1; cpus < most && bench->point_count + 1 < SCALE_CPUS_POINTS; cpus *= 2)
		bench->points[bench->point_count++] = cpus;
	bench->points[bench->point_count++] = most;
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && count < most; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			bench->cpus[count++] = cpu;
}

static void scale_cpus_add(const struct scale_cpus_bench *bench, unsigned int subject, unsigned int point,
			   json_t *record)
{
	const double *rates = bench->rates[subject][point], *ones = bench->rates[subject][0];
	double ratios[SCALE_CPUS_ROUNDS];
	unsigned int rounds = bench->plan->rounds;
	char name[RECORD_NAME];

	for (unsigned int round = 0; round < rounds; round++)
		ratios[round] = ones[round] > 0 ? rates[round] / ones[round] : 0;
	snprintf(name, sizeof(name), "cpus IPv4 %zu-routes %u %s rate", bench->routes, bench->points[point],
		 scale_cpus_names[subject]);
	record_add(record, &(struct record_figure){ name, "1/s", RECORD_MORE, false, rates, rounds });
	snprintf(name, sizeof(name), "cpus IPv4 %zu-routes %u %s times-one", bench->routes,
		 bench->points[point], scale_cpus_names[subject]);
	record_add(record,
		   &(struct record_figure){ name, "", RECORD_MORE, rounds >= RECORD_JUDGED, ratios, rounds });
	if (bench->plan->print)
		printf("%-6u %10zu  %-18s %8.3f   %.2f times one\n", bench->points[point], bench->routes,
		       scale_cpus_names[subject], statistics_of(rates, rounds).median / 1e6,
		       statistics_of(ratios, rounds).median);
}

static void scale_cpus_report(const struct scale_cpus_bench *bench, json_t *record)
{
	if (bench->plan->print)
		printf("\n%-6s %10s  %-18s %8s\n", "CPUs", "routes", "router", "Mpps");
	for (unsigned int subject = 0; subject < SCALE_CPUS_SUBJECTS; subject++)
		for (unsigned int point = 0; point < bench->point_count; point++)
			scale_cpus_add(bench, subject, point, record);
	fflush(stdout);
}

static int scale_cpus_run(struct scale_cpus_bench *bench)
{
	int err = topology_open_for("bench scale", NULL, &bench->topology);

	if (err < 0)
		return err;
	err = scale_cpus_set_up(bench);
	for (unsigned int round = 0; err >= 0 && round < bench->plan->rounds; round++)
		for (unsigned int i = 0; err >= 0 && i < SCALE_CPUS_SUBJECTS; i++)
			err = scale_cpus_subject(bench, (i + round) % SCALE_CPUS_SUBJECTS, round);
	subject_close(bench->subjects);
	generate_close(bench->generates[0]);
	for (unsigned int i = 1; i < bench->plan->most; i++)
		free(bench->generates[i]);
	topology_close(&bench->topology);
	return err;
}

int scale_cpus(const struct scale_cpus *plan, json_t *record)
{
	struct scale_cpus_bench *bench = calloc(1, sizeof(*bench));
	int err;

	if (!bench)
		return -ENOMEM;
	bench->plan = plan;
	scale_cpus_choose(bench);
	err = scenario_open(&bench->scenario, &stop_asked);
	if (err >= 0)
		err = scale_cpus_run(bench);
	if (err >= 0)
		scale_cpus_report(bench, record);
	else if (!stop_asked)
		warnx("bench scale: cannot measure on several CPUs: %s", strerror(-err));
	scenario_close(&bench->scenario);
	free(bench);
	return err;
}
