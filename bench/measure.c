// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/measure.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// All in seconds of CPU time. At the start of the traffic: page pool and caches fill.
#define MEASURE_WARM_UP 0.1
// How long the traffic stays on a lane while it is measured, and before that, for the caches.
#define MEASURE_SLICE   0.05
#define MEASURE_SETTLE  0.01
#define MEASURE_STEP    0.001

// On a busy machine it may take a while to get the CPU time; after so many seconds it is a failure.
#define MEASURE_PATIENCE 30

// What happened on one lane while it was measured.
struct measure_sum {
	double packets, cpu_ns, wall_ns;
};

struct measure_turn {
	struct measure *measure;
	struct generate *generate;
	struct subject_bed *bed;
	const volatile sig_atomic_t *stop;
	unsigned int round;
};

static int measure_sleep(const struct measure_turn *turn, double seconds)
{
	const struct timespec time = { .tv_sec = (time_t)seconds,
				       .tv_nsec = (seconds - (time_t)seconds) * 1e9 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
	return *turn->stop ? -EINTR : 0; // an early end for another reason does no harm
}

// Waits until the generator has worked for so many seconds since `begin`; ret_end is where it stands then.
static int measure_wait(const struct measure_turn *turn, const struct generate_sample *begin, double seconds,
			struct generate_sample *ret_end)
{
	double left = seconds;
	int err;

	do {
		err = measure_sleep(turn, left > MEASURE_STEP ? left : MEASURE_STEP);
		generate_read(turn->generate, ret_end);
		if (ret_end->wall_ns - begin->wall_ns > MEASURE_PATIENCE * 1e9)
			return -ETIMEDOUT;
		left = seconds - (ret_end->cpu_ns - begin->cpu_ns) / 1e9;
	} while (err >= 0 && left > seconds / 10);
	return err;
}

static void measure_progress(const struct measure_turn *turn, const char *subject, __u8 family, double rate)
{
	const struct measure_plan *plan = &turn->measure->plan;
	int terminal = isatty(STDERR_FILENO);

	fprintf(stderr, "%sround %u of %u: %s, IPv%u: %.3f Mpps%s", terminal ? "\r\033[K" : "",
		turn->round + 1, plan->rounds, subject, family == AF_INET6 ? 6 : 4, rate / 1e6,
		terminal ? "" : "\n");
}

static void measure_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

static void measure_add_counts(struct generate_counts *sum, const struct generate_counts *counts)
{
	unsigned int kind;

	sum->sent += counts->sent;
	sum->arrived += counts->arrived;
	sum->foreign += counts->foreign;
	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		sum->wrong[kind] += counts->wrong[kind];
}

// Measures one lane for some time; frames flow.
static int measure_slice(const struct measure_turn *turn, enum traffic_lane lane, bool delivers,
			 double seconds, struct measure_sum *sum)
{
	struct generate_sample begin, end;
	int err;

	generate_switch(turn->generate, lane);
	generate_read(turn->generate, &end);
	err = measure_wait(turn, &end, MEASURE_SETTLE, &begin);
	if (err >= 0)
		err = measure_wait(turn, &begin, seconds, &end);
	if (err < 0)
		return err;
	if (delivers)
		sum->packets += end.counts[lane].arrived - begin.counts[lane].arrived;
	else
		sum->packets += end.counts[lane].sent - begin.counts[lane].sent;
	sum->cpu_ns += end.cpu_ns - begin.cpu_ns;
	sum->wall_ns += end.wall_ns - begin.wall_ns;
	return err;
}

// Subject and reference in turns. The reference needs half of the time: its rate differs less.
static int measure_slices(const struct measure_turn *turn, bool delivers,
			  struct measure_sum sums[TRAFFIC_LANES])
{
	double left = turn->measure->plan.seconds, slice;
	struct generate_sample begin, end;
	int err;

	generate_read(turn->generate, &begin);
	err = measure_wait(turn, &begin, MEASURE_WARM_UP, &end);
	for (; err >= 0 && left > 1e-6; left -= slice) {
		slice = left < MEASURE_SLICE ? left : MEASURE_SLICE;
		err = measure_slice(turn, TRAFFIC_SUBJECT, delivers, slice, &sums[TRAFFIC_SUBJECT]);
		if (err >= 0)
			err = measure_slice(turn, TRAFFIC_REFERENCE, true, slice / 2,
					    &sums[TRAFFIC_REFERENCE]);
	}
	return err;
}

static double measure_rate(const struct measure_sum *sum)
{
	return sum->cpu_ns > 0 ? sum->packets * 1e9 / sum->cpu_ns : 0;
}

static int measure_family(const struct measure_turn *turn, const struct subject *subject, __u8 family,
			  struct measure_result *result)
{
	struct measure_sum sums[TRAFFIC_LANES] = { 0 }, *sum = &sums[TRAFFIC_SUBJECT];
	struct generate_counts counts[TRAFFIC_LANES];
	unsigned int lane;
	int err, ended;

	err = generate_start(turn->generate, family, turn->measure->plan.cpu);
	if (err < 0)
		return err;
	err = measure_slices(turn, subject->delivery != SUBJECT_NOTHING, sums);
	ended = generate_stop(turn->generate, counts);
	if (err < 0 || ended < 0)
		return err < 0 ? err : ended;
	result->rates[turn->round] = measure_rate(sum);
	result->references[turn->round] = measure_rate(&sums[TRAFFIC_REFERENCE]);
	result->shares[turn->round] = sum->wall_ns > 0 ? sum->cpu_ns / sum->wall_ns : 0;
	for (lane = 0; lane < TRAFFIC_LANES; lane++)
		measure_add_counts(&result->counts[lane], &counts[lane]);
	return 0;
}

static int measure_subject(const struct measure_turn *turn, unsigned int index)
{
	const struct measure_plan *plan = &turn->measure->plan;
	const struct subject *subject = plan->subjects[index];
	struct measure_result *result;
	unsigned int family;
	int err;

	err = subject_attach(turn->bed, subject);
	if (err < 0)
		return err;
	generate_expect_gateways(turn->generate, subject->delivery == SUBJECT_ROUTES);
	for (family = 0; err >= 0 && family < plan->family_count; family++) {
		result = &turn->measure->results[family][index];
		err = measure_family(turn, subject, plan->families[family], result);
		if (err >= 0)
			measure_progress(turn, subject->name, plan->families[family],
					 result->rates[turn->round]);
	}
	subject_detach(turn->bed);
	if (err < 0 && !*turn->stop) {
		measure_progress_end();
		warnx("bench: the generator failed under %s: %s", subject->name,
		      err == -ETIMEDOUT ? "it gets no time on its CPU; choose another by --cpu"
					: strerror(-err));
	}
	return err;
}

int measure_run(struct measure *measure, struct generate *generate, struct subject_bed *bed,
		const volatile sig_atomic_t *stop)
{
	struct measure_turn turn = { .measure = measure, .generate = generate, .bed = bed, .stop = stop };
	const struct measure_plan *plan = &measure->plan;
	unsigned int i;
	int err = 0;

	memset(measure->results, 0, sizeof(measure->results));
	for (turn.round = 0; err >= 0 && turn.round < plan->rounds; turn.round++)
		for (i = 0; err >= 0 && i < plan->subject_count; i++)
			err = measure_subject(&turn, (i + turn.round) % plan->subject_count);
	measure_progress_end();
	return err;
}

__u64 measure_wrong(const struct generate_counts *counts)
{
	__u64 wrong = 0;
	unsigned int kind;

	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		wrong += counts->wrong[kind];
	return wrong;
}
