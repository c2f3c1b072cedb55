// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/lookout.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define POSTS          2  /* the kernel takes the CPU of one at a time */
#define PATIENCE_LIMIT 32 /* ms between looks at news that stays unread */

struct post {
	struct lookout *lookout;
	pthread_t thread;
	int cpu;
};

struct lookout {
	int fd, stop; /* stop: an eventfd that is never read */
	pid_t reader;
	clockid_t clock; /* the reader's CPU time */
	struct post post[POSTS];
	unsigned int posts;
	_Atomic uint64_t moves;
};

/* False: it has been read, or it is time to stop. */
static bool still_unread(const struct lookout *lookout, int patience)
{
	struct pollfd wait = { .fd = lookout->stop, .events = POLLIN };
	struct pollfd news = { .fd = lookout->fd, .events = POLLIN };

	return poll(&wait, 1, patience) == 0 && poll(&news, 1, 0) == 1;
}

static uint64_t reader_ran(const struct lookout *lookout)
{
	struct timespec ran = { 0 };

	(void)clock_gettime(lookout->clock, &ran);
	return (uint64_t)ran.tv_sec * 1000000000 + (uint64_t)ran.tv_nsec;
}

/* A thread that waits for a CPU is moved at once, one that sleeps when it wakes. */
static bool move_here(const struct post *post)
{
	const struct lookout *lookout = post->lookout;
	cpu_set_t allowed, here;

	if (sched_getaffinity(lookout->reader, sizeof(allowed), &allowed) < 0 ||
	    !CPU_ISSET(post->cpu, &allowed))
		return false;
	CPU_ZERO(&here);
	CPU_SET(post->cpu, &here);
	if (sched_setaffinity(lookout->reader, sizeof(here), &here) < 0)
		return false;
	(void)sched_setaffinity(lookout->reader, sizeof(allowed), &allowed);
	return true;
}

/* A reader that runs is busy with something else, and needs no help. */
static void stand_by(struct post *post)
{
	struct lookout *lookout = post->lookout;
	uint64_t ran = reader_ran(lookout), now;
	int patience = LOOKOUT_PATIENCE;
	bool moved = false;

	while (still_unread(lookout, patience)) {
		now = reader_ran(lookout);
		if (now == ran && move_here(post)) {
			lookout->moves += !moved;
			moved = true;
		}
		ran = now;
		if (patience < PATIENCE_LIMIT)
			patience *= 2;
	}
}

static void *look_out(void *arg)
{
	struct post *post = arg;
	struct pollfd wait[] = { { .fd = post->lookout->fd, .events = POLLIN },
				 { .fd = post->lookout->stop, .events = POLLIN } };

	while (!wait[1].revents)
		if (poll(wait, 2, -1) > 0 && wait[0].revents)
			stand_by(post);
	return NULL;
}

/* Signals are others'. */
static int start_post(struct lookout *lookout, int cpu)
{
	struct post *post = &lookout->post[lookout->posts];
	pthread_attr_t attributes;
	sigset_t all, before;
	cpu_set_t set;
	int error;

	*post = (struct post){ .lookout = lookout, .cpu = cpu };
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attributes);
	(void)pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&post->thread, &attributes, look_out, post);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	lookout->posts += !error;
	return -error;
}

/* On the last CPUs: the first have most of the interrupts. */
static int start_posts(struct lookout *lookout)
{
	cpu_set_t allowed;
	int error = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 || CPU_COUNT(&allowed) < 2)
		return 0;
	for (int cpu = CPU_SETSIZE; cpu-- > 0 && error == 0 && lookout->posts < POSTS;)
		if (CPU_ISSET(cpu, &allowed))
			error = start_post(lookout, cpu);
	return error;
}

int lookout_new(int fd, struct lookout **ret)
{
	struct lookout *lookout = calloc(1, sizeof(*lookout));
	int error;

	if (!lookout)
		return -ENOMEM;
	lookout->fd = fd;
	lookout->reader = gettid();
	lookout->stop = eventfd(0, EFD_CLOEXEC);
	error = lookout->stop < 0 ? -errno : -pthread_getcpuclockid(pthread_self(), &lookout->clock);
	if (error == 0)
		error = start_posts(lookout);
	if (error < 0) {
		lookout_free(lookout);
		return error;
	}
	*ret = lookout;
	return 0;
}

void lookout_free(struct lookout *lookout)
{
	if (!lookout)
		return;
	if (lookout->stop >= 0)
		(void)eventfd_write(lookout->stop, 1);
	for (unsigned int i = 0; i < lookout->posts; i++)
		(void)pthread_join(lookout->post[i].thread, NULL);
	if (lookout->stop >= 0)
		close(lookout->stop);
	free(lookout);
}

uint64_t lookout_moves(const struct lookout *lookout)
{
	return lookout->moves;
}
