// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host/lookout.h"

#define LONG 30000 /* ms: what does not happen until then never will */

static struct lookout *lookout;
static int news;
static cpu_set_t allowed;

static void pause_ms(int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	(void)nanosleep(&time, NULL);
}

static void read_news(void)
{
	eventfd_t count;

	cr_assert_eq(eventfd_read(news, &count), 0);
}

/* Asleep almost all the time, like a thread that waits for its CPU; and comes to its news in the end. A
 * lookout that looks too seldom, on a busy machine, may take two news for one. */
static void sleep_until_moved(void)
{
	uint64_t before = lookout_moves(lookout);

	for (int ms = 0; lookout_moves(lookout) == before && ms < LONG; ms += 200) {
		cr_assert_eq(eventfd_write(news, 1), 0);
		pause_ms(100);
		read_news();
		pause_ms(100);
	}
	cr_assert_gt(lookout_moves(lookout), before, "nobody moves a reader that does not come");
}

static int threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	int count = 0;

	cr_assert_not_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2;
}

/* A thread that ends is in the list for a moment longer than it can be waited for. */
static int threads_at_last(int wanted)
{
	for (int ms = 0; threads() != wanted && ms < LONG; ms++)
		pause_ms(1);
	return threads();
}

static void expect_own_cpus(const char *when)
{
	cpu_set_t now;

	/* A lookout has the mask changed between two calls. */
	for (int ms = 0; ms < LONG; ms++) {
		cr_assert_eq(sched_getaffinity(0, sizeof(now), &now), 0);
		if (CPU_EQUAL(&now, &allowed))
			return;
		pause_ms(1);
	}
	cr_assert(false, "%s the reader is still bound to other CPUs than before", when);
}

static void setup(void)
{
	cr_assert_eq(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	news = eventfd(0, EFD_NONBLOCK);
	cr_assert_geq(news, 0);
}

static void teardown(void)
{
	close(news);
}

TestSuite(lookout, .init = setup, .fini = teardown);

static void need_cpus(void)
{
	if (CPU_COUNT(&allowed) < 2)
		cr_skip_test("there is one CPU only: nowhere to move to");
}

Test(lookout, a_reader_that_does_not_come_to_its_news_is_moved_and_keeps_its_cpus)
{
	need_cpus();
	cr_assert_eq(lookout_new(news, &lookout), 0);
	pause_ms(50);
	cr_expect_eq(lookout_moves(lookout), 0, "nothing to read, nobody to move");
	for (int round = 0; round < 3; round++) {
		sleep_until_moved();
		expect_own_cpus("after it has read");
	}
	lookout_free(lookout);
}

Test(lookout, nobody_is_moved_once_the_news_is_read)
{
	uint64_t moves;

	need_cpus();
	cr_assert_eq(lookout_new(news, &lookout), 0);
	sleep_until_moved();
	pause_ms(1000); /* who looks just now may still do so */
	moves = lookout_moves(lookout);
	pause_ms(200);
	cr_expect_eq(lookout_moves(lookout), moves);
	lookout_free(lookout);
}

/* Where it moves to: a CPU of those that the reader had, even if these are fewer by now. */
Test(lookout, a_reader_stays_on_the_cpus_that_it_is_bound_to)
{
	cpu_set_t one, now;
	int cpu = 0;

	need_cpus();
	cr_assert_eq(lookout_new(news, &lookout), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_assert_eq(eventfd_write(news, 1), 0);
	for (int i = 0; i < 200; i++) {
		pause_ms(1);
		cr_assert_eq(sched_getaffinity(0, sizeof(now), &now), 0);
		cr_assert(CPU_EQUAL(&now, &one));
		cr_assert_eq(sched_getcpu(), cpu);
	}
	lookout_free(lookout);
}

Test(lookout, its_threads_go_with_it)
{
	int before = threads();

	need_cpus();
	cr_assert_eq(lookout_new(news, &lookout), 0);
	cr_expect_eq(threads(), before + 2);
	cr_assert_eq(eventfd_write(news, 1), 0); /* also those that look after something */
	lookout_free(lookout);
	cr_expect_eq(threads_at_last(before), before);
	expect_own_cpus("after the end");
}

Test(lookout, one_cpu_needs_no_threads)
{
	int before = threads(), cpu = 0;
	cpu_set_t one;

	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_assert_eq(lookout_new(news, &lookout), 0);
	cr_expect_eq(threads(), before);
	cr_assert_eq(eventfd_write(news, 1), 0);
	pause_ms(20);
	cr_expect_eq(lookout_moves(lookout), 0);
	lookout_free(lookout);
}
