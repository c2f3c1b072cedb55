// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH     32
#define IDLE_LAST 20 /* ms: longest time without an idle call */

/* A watched fd. Removed ones wait on the graveyard until the round is over: epoll may have reported them. */
struct source {
	LIST_ENTRY(source) link;
	loop_fd_fn *fn; /* NULL: removed */
	void *arg;
	int fd;
	uint32_t events;
	bool paused;
};

LIST_HEAD(source_list, source);

struct loop_timer {
	LIST_ENTRY(loop_timer) link;
	struct loop *loop;
	loop_timer_fn *fn;
	void *arg;
	int fd;
};

struct loop {
	int epoll;
	int signals; /* signalfd, -1: none yet */
	sigset_t signal_set;
	struct source_list sources, graveyard;
	LIST_HEAD(, loop_timer) timers;
	loop_idle_fn *idle;
	void *idle_arg;
	struct {
		loop_signal_fn *fn;
		void *arg;
	} signal[NSIG];
	int status;
	bool stop;
};

static void bury(struct loop *loop)
{
	struct source *source;

	while ((source = LIST_FIRST(&loop->graveyard))) {
		LIST_REMOVE(source, link);
		free(source);
	}
}

static void timer_ready(void *arg, uint32_t events)
{
	struct loop_timer *timer = arg;
	uint64_t expired;

	/* Rearmed or cancelled since epoll saw it: EAGAIN. */
	if (read(timer->fd, &expired, sizeof(expired)) == sizeof(expired))
		timer->fn(timer->arg);
}

static void signal_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	while (read(loop->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo < NSIG && loop->signal[info.ssi_signo].fn)
			loop->signal[info.ssi_signo].fn(loop->signal[info.ssi_signo].arg,
							(int)info.ssi_signo);
}

static void timer_arm(struct loop_timer *timer, uint64_t first_ns, uint32_t interval)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = first_ns / 1000000000, .tv_nsec = first_ns % 1000000000 },
		.it_interval = { .tv_sec = interval / 1000, .tv_nsec = (interval % 1000) * 1000000L },
	};
	int result = timerfd_settime(timer->fd, 0, &spec, NULL);

	assert(result == 0);
	(void)result;
}

static struct source *find_source(const struct loop *loop, int fd)
{
	struct source *source;

	LIST_FOREACH (source, &loop->sources, link)
		if (source->fd == fd)
			break;
	return source;
}

/* Waits for at most `timeout` ms and runs what is ready. Returns the number of ready fds. */
static int run_once(struct loop *loop, int timeout)
{
	struct epoll_event event[BATCH];
	int count = epoll_wait(loop->epoll, event, BATCH, timeout);

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count && !loop->stop; i++) {
		struct source *source = event[i].data.ptr;

		if (source->fn && !source->paused)
			source->fn(source->arg, event[i].events);
	}
	bury(loop);
	return count;
}

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int loop_new(struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		int error = -errno;

		free(loop);
		return error;
	}
	loop->signals = -1;
	sigemptyset(&loop->signal_set);
	LIST_INIT(&loop->sources);
	LIST_INIT(&loop->graveyard);
	LIST_INIT(&loop->timers);
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	struct source *source;
	struct loop_timer *timer;

	if (!loop)
		return;
	while ((timer = LIST_FIRST(&loop->timers)))
		loop_timer_free(timer);
	if (loop->signals >= 0)
		close(loop->signals);
	while ((source = LIST_FIRST(&loop->sources))) {
		LIST_REMOVE(source, link);
		free(source);
	}
	bury(loop);
	close(loop->epoll);
	free(loop);
}

int loop_fd_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *arg)
{
	struct epoll_event event = { .events = events };
	struct source *source = malloc(sizeof(*source));

	if (!source)
		return -ENOMEM;
	*source = (struct source){ .fn = fn, .arg = arg, .fd = fd, .events = events };
	event.data.ptr = source;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		int error = -errno;

		free(source);
		return error;
	}
	LIST_INSERT_HEAD(&loop->sources, source, link);
	return 0;
}

void loop_fd_remove(struct loop *loop, int fd)
{
	struct source *source = find_source(loop, fd);

	if (!source)
		return;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL); /* fails only for an fd closed too early */
	source->fn = NULL;
	LIST_REMOVE(source, link);
	LIST_INSERT_HEAD(&loop->graveyard, source, link);
}

void loop_fd_pause(struct loop *loop, int fd, bool pause)
{
	struct source *source = find_source(loop, fd);
	/* Errors are always reported; by EPOLLET at least not again and again. */
	struct epoll_event event = { .events = pause ? EPOLLET : source->events, .data.ptr = source };

	source->paused = pause;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event); /* fails only for an fd closed too early */
}

int loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg, struct loop_timer **ret)
{
	struct loop_timer *timer = malloc(sizeof(*timer));
	int error;

	if (!timer)
		return -ENOMEM;
	*timer = (struct loop_timer){ .loop = loop, .fn = fn, .arg = arg };
	timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->fd < 0) {
		error = -errno;
		goto free_timer;
	}
	error = loop_fd_add(loop, timer->fd, EPOLLIN, timer_ready, timer);
	if (error < 0)
		goto close_fd;
	LIST_INSERT_HEAD(&loop->timers, timer, link);
	*ret = timer;
	return 0;
close_fd:
	close(timer->fd);
free_timer:
	free(timer);
	return error;
}

void loop_timer_set(struct loop_timer *timer, uint32_t first, uint32_t interval)
{
	timer_arm(timer, first ? (uint64_t)first * 1000000 : 1, interval);
}

void loop_timer_cancel(struct loop_timer *timer)
{
	timer_arm(timer, 0, 0);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	loop_fd_remove(timer->loop, timer->fd);
	close(timer->fd);
	LIST_REMOVE(timer, link);
	free(timer);
}

int loop_signal_add(struct loop *loop, int signal, loop_signal_fn *fn, void *arg)
{
	int fd;

	if (signal < 1 || signal >= NSIG)
		return -EINVAL;
	sigaddset(&loop->signal_set, signal);
	if (sigprocmask(SIG_BLOCK, &loop->signal_set, NULL) < 0)
		return -errno;
	fd = signalfd(loop->signals, &loop->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	loop->signal[signal].fn = fn;
	loop->signal[signal].arg = arg;
	if (loop->signals >= 0)
		return 0;
	loop->signals = fd;
	return loop_fd_add(loop, fd, EPOLLIN, signal_ready, loop);
}

void loop_idle_set(struct loop *loop, loop_idle_fn *fn, void *arg)
{
	loop->idle = fn;
	loop->idle_arg = arg;
}

int loop_run(struct loop *loop)
{
	uint64_t idle_at = 0;

	while (!loop->stop) {
		int timeout = -1, count;

		if (loop->idle) {
			count = run_once(loop, 0);
			if (count < 0)
				return count;
			if (loop->stop)
				break;
			if (count > 0 && loop_now() < idle_at + IDLE_LAST)
				continue;
			timeout = loop->idle(loop->idle_arg);
			idle_at = loop_now();
		}
		count = loop->stop ? 0 : run_once(loop, timeout);
		if (count < 0)
			return count;
	}
	loop->stop = false;
	return loop->status;
}

void loop_stop(struct loop *loop, int status)
{
	loop->status = status;
	loop->stop = true;
}
