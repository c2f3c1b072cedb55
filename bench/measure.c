// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/measure.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Before each measurement: caches and page pool fill.
#define MEASURE_WARM_UP 0.1

struct measure_turn {
	struct measure *measure;
	struct generate *generate;
	struct subject_bed *bed;
	const volatile sig_atomic_t *stop;
	unsigned int round;
};

static int measure_sleep(const struct measure_turn *turn, double seconds)
{
	struct timespec until;
	int err = EINTR;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)seconds;
	until.tv_nsec += (seconds - (time_t)seconds) * 1e9;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!*turn->stop && err == EINTR)
		err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return -err;
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

// Frames flow from here to the end; the rate is that of the time between two samples.
static int measure_window(const struct measure_turn *turn, const struct subject *subject, __u8 family,
			  struct measure_result *result)
{
	const struct measure_plan *plan = &turn->measure->plan;
	struct generate_sample begin, end;
	struct generate_counts counts;
	__u64 packets;
	int err, ended;

	err = generate_start(turn->generate, family, plan->cpu);
	if (err < 0)
		return err;
	err = measure_sleep(turn, MEASURE_WARM_UP);
	if (err >= 0) {
		generate_read(turn->generate, &begin);
		err = measure_sleep(turn, plan->seconds);
		generate_read(turn->generate, &end);
	}
	ended = generate_stop(turn->generate, &counts);
	if (err < 0 || ended < 0)
		return err < 0 ? err : ended;
	packets = end.counts.arrived - begin.counts.arrived;
	if (subject->delivery == SUBJECT_NOTHING)
		packets = end.counts.sent - begin.counts.sent;
	result->rates[turn->round] = packets * 1e9 / (end.cpu_ns - begin.cpu_ns);
	result->shares[turn->round] = (double)(end.cpu_ns - begin.cpu_ns) / (end.wall_ns - begin.wall_ns);
	measure_add_counts(&result->counts, &counts);
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
	if (err < 0) {
		measure_progress_end();
		warnx("bench: cannot attach %s: %s", subject->name, strerror(-err));
		return err;
	}
	generate_expect_gateways(turn->generate, subject->delivery == SUBJECT_ROUTES);
	for (family = 0; err >= 0 && family < plan->family_count; family++) {
		result = &turn->measure->results[family][index];
		err = measure_window(turn, subject, plan->families[family], result);
		if (err >= 0)
			measure_progress(turn, subject->name, plan->families[family],
					 result->rates[turn->round]);
	}
	subject_detach(turn->bed);
	if (err < 0 && !*turn->stop) {
		measure_progress_end();
		warnx("bench: the generator failed under %s: %s", subject->name, strerror(-err));
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

__u64 measure_wrong(const struct measure_result *result)
{
	__u64 wrong = 0;
	unsigned int kind;

	for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		wrong += result->counts.wrong[kind];
	return wrong;
}
