// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/heartbeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "host/log.h"
#include "host/loop.h"
#include "xdp/clock.skel.h"

#define PERIOD 1000 /* ms */

struct heartbeat {
	struct clock *clock;
	struct loop_timer *timer;
	struct image_control *control;
	__u64 span; /* jiffies */
};

/* The tick is the resolution of the kernel's coarse clock. */
static __u64 jiffies_in(unsigned int seconds)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec <= 0)
		return seconds * 100ull; /* the slowest kernel: early rather than late */
	return seconds * (1000000000ull / (__u64)tick.tv_nsec);
}

static int beat(struct heartbeat *heartbeat)
{
	char frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame));
	int error = bpf_prog_test_run_opts(bpf_program__fd(heartbeat->clock->progs.clock), &options);

	if (error < 0)
		return error;
	__atomic_store_n(&heartbeat->control->deadline, heartbeat->clock->bss->jiffies_now + heartbeat->span,
			 __ATOMIC_RELEASE);
	return 0;
}

static void timer_fired(void *arg)
{
	static struct log_limit limit;
	int error = beat(arg);

	if (error < 0)
		log_limited(&limit, LOG_LEVEL_ERROR,
			    "cannot read the kernel's clock: %s; the program will punt everything",
			    strerror(-error));
}

int heartbeat_new(struct loop *loop, struct image_control *control, unsigned int stale_after,
		  struct heartbeat **ret, struct why *why)
{
	struct heartbeat *heartbeat = calloc(1, sizeof(*heartbeat));
	int error;

	if (!heartbeat)
		return why_set(why, ENOMEM, "out of memory");
	heartbeat->control = control;
	heartbeat->span = jiffies_in(stale_after);
	heartbeat->clock = clock__open_and_load();
	if (!heartbeat->clock) {
		error = why_set(why, errno, "the kernel does not load BPF programs: %s", strerror(errno));
		goto free_heartbeat;
	}
	error = beat(heartbeat);
	if (error < 0) {
		(void)why_set(why, -error, "cannot run the clock program: %s", strerror(-error));
		goto destroy_clock;
	}
	error = loop_timer_new(loop, timer_fired, heartbeat, &heartbeat->timer);
	if (error < 0) {
		(void)why_set(why, -error, "cannot make a timer: %s", strerror(-error));
		goto destroy_clock;
	}
	loop_timer_set(heartbeat->timer, PERIOD, PERIOD);
	*ret = heartbeat;
	return 0;
destroy_clock:
	clock__destroy(heartbeat->clock);
free_heartbeat:
	free(heartbeat);
	return error;
}

void heartbeat_free(struct heartbeat *heartbeat)
{
	if (!heartbeat)
		return;
	loop_timer_free(heartbeat->timer);
	clock__destroy(heartbeat->clock);
	free(heartbeat);
}
