// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "host/errand.h"
#include "host/loop.h"

#define MANY 200

static struct loop *loop;
static struct errands *errands;
static pthread_t home;
static int gate[2]; // a pipe; an errand that reads from it waits until somebody writes

static void setup(void)
{
	home = pthread_self();
	cr_assert_eq(pipe(gate), 0);
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(errands_new(loop, &errands), 0);
}

static void teardown(void)
{
	errands_free(errands);
	loop_free(loop);
	close(gate[0]);
	close(gate[1]);
}

TestSuite(errand, .init = setup, .fini = teardown);

static struct step {
	struct errand errand;
	int number;
	int worked, told; // the order in which, from 1; 0: not yet
} step[MANY];
static atomic_int working;
static int telling;

static void work(void *arg)
{
	struct step *each = arg;

	each->worked = pthread_equal(pthread_self(), home) ? -1 : ++working;
}

static void tell(void *arg)
{
	struct step *each = arg;

	cr_expect(!each->errand.under_way);
	each->told = pthread_equal(pthread_self(), home) ? ++telling : -1;
	if (telling == MANY)
		loop_stop(loop, 0);
}

static struct errand *make(int number, errand_fn *fn)
{
	step[number] = (struct step){ .errand = { .work = fn, .done = tell, .arg = &step[number] } };
	return &step[number].errand;
}

Test(errand, all_are_done_in_order_by_another_thread_and_told_in_the_loop)
{
	for (int i = 0; i < MANY; i++)
		errand_send(errands, make(i, work));
	cr_assert_eq(loop_run(loop), 0);
	for (int i = 0; i < MANY; i++) {
		cr_expect_eq(step[i].worked, i + 1);
		cr_expect_eq(step[i].told, i + 1);
	}
}

static void wait_at_gate(void *arg)
{
	struct step *each = arg;
	char byte;

	each->worked = read(gate[0], &byte, 1) == 1 ? ++working : -1;
}

static void open_gate(void *arg)
{
	cr_expect_eq(write(gate[1], "", 1), 1);
}

static void stop_loop(void *arg)
{
	loop_stop(loop, 3);
}

// Only the loop can end what the errand waits for.
Test(errand, the_loop_goes_on_while_one_blocks)
{
	struct loop_timer *timer;
	struct errand *blocked = make(0, wait_at_gate);

	cr_assert_eq(loop_timer_new(loop, open_gate, NULL, &timer), 0);
	blocked->done = stop_loop;
	errand_send(errands, blocked);
	errand_send(errands, blocked); // is under way already
	loop_timer_set(timer, 5, 0);
	cr_assert_eq(loop_run(loop), 3);
	cr_expect_eq(step[0].worked, 1);
	cr_expect(!blocked->under_way);
}

static void send_again(void *arg)
{
	struct step *each = arg;

	if (++each->told == 3)
		loop_stop(loop, 0);
	else
		errand_send(errands, &each->errand);
}

Test(errand, one_may_be_sent_again_when_it_is_done)
{
	make(0, work)->done = send_again;
	errand_send(errands, &step[0].errand);
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(step[0].worked, 3);
}

// What is under way ends, what has not begun is not done, and nobody is told.
Test(errand, the_end_waits_for_one_only)
{
	errand_send(errands, make(0, wait_at_gate));
	errand_send(errands, make(1, work));
	open_gate(NULL);
	errands_free(errands);
	errands = NULL;
	cr_expect(step[0].worked <= 1);
	cr_expect(step[1].worked == 0 || step[0].worked == 1);
	cr_expect_eq(step[0].told + step[1].told, 0);
	cr_expect_eq(working, step[0].worked + (step[1].worked > 0));
}
