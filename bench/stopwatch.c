// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/stopwatch.h"

#include <time.h>
#include <sys/resource.h>

#define STOPWATCH_CALIBRATION 5000000 // nanoseconds

static __u64 stopwatch_read(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (__u64)time.tv_sec * 1000000000 + time.tv_nsec;
}

__u64 stopwatch_cpu(void)
{
	return stopwatch_read(CLOCK_THREAD_CPUTIME_ID);
}

__u64 stopwatch_wall(void)
{
	return stopwatch_read(CLOCK_MONOTONIC);
}

double stopwatch_tick(void)
{
	static double tick;
	__u64 began, ended, ticks;

	if (tick > 0)
		return tick;
	began = stopwatch_wall();
	ticks = stopwatch_ticks();
	do
		ended = stopwatch_wall();
	while (ended - began < STOPWATCH_CALIBRATION);
	tick = (double)(ended - began) / (stopwatch_ticks() - ticks);
	return tick;
}

__u64 stopwatch_interruptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}
