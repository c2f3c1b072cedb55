// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/loop.h"

static struct loop *loop;
static int calls[4];

static void setup(void)
{
	cr_assert_eq(loop_new(&loop), 0);
}

static void teardown(void)
{
	loop_free(loop);
}

TestSuite(loop, .init = setup, .fini = teardown);

static void count_and_stop(void *arg)
{
	calls[(intptr_t)arg]++;
	loop_stop(loop, 7);
}

static void count_only(void *arg)
{
	calls[(intptr_t)arg]++;
}

Test(loop, timers_fire_in_order_and_stop_carries_the_status)
{
	struct loop_timer *early, *late, *never;

	cr_assert_eq(loop_timer_new(loop, count_only, (void *)0, &early), 0);
	cr_assert_eq(loop_timer_new(loop, count_and_stop, (void *)1, &late), 0);
	cr_assert_eq(loop_timer_new(loop, count_only, (void *)2, &never), 0);
	loop_timer_set(late, 30, 0);
	loop_timer_set(early, 0, 0);
	loop_timer_set(never, 1, 0);
	loop_timer_cancel(never);
	cr_assert_eq(loop_run(loop), 7);
	cr_expect_eq(calls[0], 1);
	cr_expect_eq(calls[1], 1);
	cr_expect_eq(calls[2], 0);
}

static void stop_at_third(void *arg)
{
	if (++calls[0] == 3)
		loop_stop(loop, 0);
}

Test(loop, interval_repeats)
{
	struct loop_timer *timer;

	cr_assert_eq(loop_timer_new(loop, stop_at_third, NULL, &timer), 0);
	loop_timer_set(timer, 0, 1);
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(calls[0], 3);
}

static int pipes[2][2];

/* Both pipes are ready in the same round; whoever runs first removes the other. */
static void remove_other(void *arg, uint32_t events)
{
	intptr_t me = (intptr_t)arg;

	calls[me]++;
	loop_fd_remove(loop, pipes[!me][0]);
	close(pipes[!me][0]);
	loop_stop(loop, 0);
}

Test(loop, a_removed_fd_that_was_ready_is_not_called)
{
	for (intptr_t i = 0; i < 2; i++) {
		cr_assert_eq(pipe(pipes[i]), 0);
		cr_assert_eq(write(pipes[i][1], "x", 1), 1);
		cr_assert_eq(loop_fd_add(loop, pipes[i][0], EPOLLIN, remove_other, (void *)i), 0);
	}
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(calls[0] + calls[1], 1);
}

Test(loop, an_fd_cannot_be_added_twice)
{
	cr_assert_eq(pipe(pipes[0]), 0);
	cr_expect_eq(loop_fd_add(loop, pipes[0][0], EPOLLIN, remove_other, NULL), 0);
	cr_expect_eq(loop_fd_add(loop, pipes[0][0], EPOLLIN, remove_other, NULL), -EEXIST);
	loop_fd_remove(loop, pipes[0][0]);
	cr_expect_eq(loop_fd_add(loop, pipes[0][0], EPOLLIN, remove_other, NULL), 0);
	loop_fd_remove(loop, 12345); /* unknown: nothing happens */
}

static void got_signal(void *arg, int number)
{
	calls[0] = number;
	loop_stop(loop, 0);
}

Test(loop, signals_arrive_in_the_loop)
{
	cr_assert_eq(loop_signal_add(loop, SIGUSR1, got_signal, NULL), 0);
	cr_assert_eq(loop_signal_add(loop, SIGUSR2, got_signal, NULL), 0);
	cr_expect_eq(loop_signal_add(loop, 0, got_signal, NULL), -EINVAL);
	cr_assert_eq(kill(getpid(), SIGUSR2), 0);
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(calls[0], SIGUSR2);
}

static int idle_work(void *arg)
{
	if (++calls[1] == 5)
		loop_stop(loop, 0);
	return 0; /* more to do */
}

Test(loop, idle_work_runs_until_done)
{
	loop_idle_set(loop, idle_work, NULL);
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(calls[1], 5);
}

static void stay_ready(void *arg, uint32_t events)
{
	calls[0]++;
}

Test(loop, idle_work_is_not_starved_by_busy_fds)
{
	cr_assert_eq(pipe(pipes[0]), 0);
	cr_assert_eq(write(pipes[0][1], "x", 1), 1);
	cr_assert_eq(loop_fd_add(loop, pipes[0][0], EPOLLIN, stay_ready, NULL), 0);
	loop_idle_set(loop, idle_work, NULL);
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(calls[1], 5);
	cr_expect_gt(calls[0], 5);
}

static int pipe_of_pause[2];
static struct loop_timer *later, *end;

/* Timers are set here, or a process that had to wait for a CPU finds both of them over at once. */
static void read_one(void *arg, uint32_t events)
{
	char byte;

	cr_expect_eq(read(pipe_of_pause[0], &byte, 1), 1);
	if (++calls[0] == 3) {
		loop_fd_pause(loop, pipe_of_pause[0], true);
		calls[1] = 1;
		loop_timer_set(later, 30, 0);
	}
	if (calls[0] == 5)
		loop_timer_set(end, 30, 0);
	cr_expect_eq(calls[1] && calls[0] > 3 && !calls[2], 0, "called while it was paused");
}

static void resume(void *arg)
{
	cr_expect_eq(calls[0], 3);
	calls[2] = 1;
	loop_fd_pause(loop, pipe_of_pause[0], false);
}

Test(loop, a_paused_fd_is_left_alone_and_goes_on_where_it_was)
{
	cr_assert_eq(pipe(pipe_of_pause), 0);
	cr_assert_eq(write(pipe_of_pause[1], "12345", 5), 5);
	cr_assert_eq(loop_fd_add(loop, pipe_of_pause[0], EPOLLIN, read_one, NULL), 0);
	cr_assert_eq(loop_timer_new(loop, resume, NULL, &later), 0);
	cr_assert_eq(loop_timer_new(loop, count_and_stop, (void *)3, &end), 0);
	cr_assert_eq(loop_run(loop), 7);
	cr_expect_eq(calls[0], 5);
	loop_fd_remove(loop, pipe_of_pause[0]);
}
