// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define WATCH_INTERVAL_NS 10000000
#define WATCH_SAMPLES     1000

struct watch {
	const struct generate *generate;
	pthread_t thread;
	atomic_bool stop;
	unsigned int count; // of samples
	__u64 begin_ns, ns[WATCH_SAMPLES], arrived[WATCH_SAMPLES];
};

static __u64 watch_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void *watch_run(void *argument)
{
	const struct timespec interval = { .tv_nsec = WATCH_INTERVAL_NS };
	struct watch *watch = argument;
	struct generate_counts counts;

	while (!watch->stop && watch->count < WATCH_SAMPLES) {
		generate_tally(watch->generate, &counts);
		watch->ns[watch->count] = watch_now_ns() - watch->begin_ns;
		watch->arrived[watch->count++] = counts.arrived;
		nanosleep(&interval, NULL);
	}
	return NULL;
}

struct watch *watch_start(const struct generate *generate)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->generate = generate;
	watch->begin_ns = watch_now_ns();
	if (pthread_create(&watch->thread, NULL, watch_run, watch) == 0)
		return watch;
	free(watch);
	return NULL;
}

json_t *watch_stop(struct watch *watch)
{
	json_t *ms, *rate;

	if (!watch)
		return NULL;
	watch->stop = true;
	pthread_join(watch->thread, NULL);
	ms = json_array();
	rate = json_array();
	for (unsigned int i = 1; i < watch->count; i++) {
		double seconds = (watch->ns[i] - watch->ns[i - 1]) / 1e9;
		// the counters begin anew with each trial
		double arrived = watch->arrived[i] >= watch->arrived[i - 1]
					 ? watch->arrived[i] - watch->arrived[i - 1]
					 : watch->arrived[i];

		json_array_append_new(ms, json_integer(watch->ns[i] / 1000000));
		json_array_append_new(rate, json_integer(arrived / seconds));
	}
	free(watch);
	return json_pack("{s:o, s:o}", "ms", ms, "rate", rate);
}
