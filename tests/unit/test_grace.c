// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "host/fib/grace.h"

static struct grace *new_grace(void)
{
	struct grace *grace;

	cr_assert_eq(grace_new(&grace), 0);
	return grace;
}

Test(grace, without_readers_all_passes_at_once)
{
	struct grace *grace = new_grace();
	__u64 epoch = grace_epoch(grace);

	cr_assert_lt(grace_passed(grace), epoch);
	cr_assert(!grace_poll(grace, false));
	cr_assert_lt(grace_passed(grace), epoch);
	cr_assert(grace_poll(grace, true));
	cr_assert_eq(grace_passed(grace), epoch);
	cr_assert_gt(grace_epoch(grace), epoch);
	grace_free(grace);
}

Test(grace, waits_for_each_reader_inside)
{
	struct grace *grace = new_grace();
	struct grace_reader *reader[3];
	__u64 epoch = grace_epoch(grace);

	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(grace_reader_add(grace, &reader[i]), 0);
	/* The third never comes online. */
	grace_reader_online(reader[0]);
	grace_reader_online(reader[1]);
	cr_assert(!grace_poll(grace, true));
	grace_reader_quiescent(reader[0]);
	cr_assert(!grace_poll(grace, true));
	grace_reader_offline(reader[1]);
	cr_assert(grace_poll(grace, false));
	cr_assert_eq(grace_passed(grace), epoch);
	/* Who comes in after an epoch has closed is not waited for by it, but by the next. */
	epoch = grace_epoch(grace);
	cr_assert(!grace_poll(grace, true));
	grace_reader_online(reader[2]);
	grace_reader_quiescent(reader[0]);
	cr_assert(grace_poll(grace, false));
	cr_assert_eq(grace_passed(grace), epoch);
	cr_assert(!grace_poll(grace, true));
	grace_reader_remove(grace, reader[0]);
	cr_assert(!grace_poll(grace, false));
	grace_reader_remove(grace, reader[2]);
	cr_assert(grace_poll(grace, false));
	grace_free(grace);
}

Test(grace, delay_lasts)
{
	struct grace *grace = new_grace();
	struct timespec begin, end;
	__u64 epoch = grace_epoch(grace);

	cr_assert_eq(grace_add_delay(grace, 20000000), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (grace_passed(grace) < epoch)
		grace_poll(grace, true);
	clock_gettime(CLOCK_MONOTONIC, &end);
	cr_assert_geq((end.tv_sec - begin.tv_sec) * 1000000000ll + end.tv_nsec - begin.tv_nsec, 20000000);
	grace_free(grace);
}

/* A wait that ends when it is told to. */
struct manual {
	unsigned begun, released;
	bool end;
};

static void manual_begin(void *arg)
{
	((struct manual *)arg)->begun++;
}

static bool manual_ended(void *arg)
{
	return ((struct manual *)arg)->end;
}

static void manual_release(void *arg)
{
	((struct manual *)arg)->released++;
}

static const struct grace_wait manual_waits = { manual_begin, manual_ended, manual_release };

Test(grace, slowest_wait_decides)
{
	struct grace *grace = new_grace();
	struct manual fast = { .end = true }, slow = {};
	struct grace_reader *reader;
	__u64 epoch = grace_epoch(grace);

	cr_assert_eq(grace_add(grace, &manual_waits, &fast), 0);
	cr_assert_eq(grace_add(grace, &manual_waits, &slow), 0);
	cr_assert_eq(grace_reader_add(grace, &reader), 0);
	grace_reader_online(reader);
	cr_assert(!grace_poll(grace, true));
	grace_reader_quiescent(reader);
	cr_assert(!grace_poll(grace, true));
	cr_assert_eq(fast.begun, 1);
	cr_assert_eq(slow.begun, 1);
	slow.end = true;
	cr_assert(grace_poll(grace, false));
	cr_assert_eq(grace_passed(grace), epoch);
	slow.end = false;
	grace_poll(grace, true);
	cr_assert_eq(slow.begun, 2);
	/* A wait that goes away holds nothing up. */
	grace_remove(grace, &manual_waits, &slow);
	cr_assert_eq(slow.released, 1);
	grace_reader_quiescent(reader);
	cr_assert(grace_poll(grace, false));
	grace_free(grace);
	cr_assert_eq(fast.released, 1);
}

Test(grace, kernel_answers_through_the_descriptor)
{
	struct grace *grace = new_grace();
	int error = grace_add_kernel(grace);

	if (error == -EPERM)
		cr_skip_test("needs root: no permission to make BPF maps");
	cr_assert_eq(error, 0);
	for (unsigned i = 0; i < 5; i++) {
		struct pollfd event = { .fd = grace_fd(grace), .events = POLLIN };
		__u64 epoch = grace_epoch(grace);

		/* The kernel may be that fast, then there is nothing to wait for. */
		if (!grace_poll(grace, true)) {
			cr_assert_lt(grace_passed(grace), epoch);
			cr_assert_eq(poll(&event, 1, 10000), 1);
			cr_assert(grace_poll(grace, false));
		}
		cr_assert_eq(grace_passed(grace), epoch);
	}
	grace_poll(grace, true);
	grace_free(grace);
}

/* Two cells of which readers follow the pointer: what it points at must not be wiped under them. */
enum { CELLS = 64, READERS = 2, CHANGES = 3000 };

static _Atomic unsigned published, cell[CELLS];
static atomic_bool stop;
static _Atomic unsigned wrong, looked;

static void *follow(void *arg)
{
	struct grace_reader *reader = arg;

	grace_reader_online(reader);
	for (unsigned i = 0; !stop; i++) {
		unsigned at = atomic_load_explicit(&published, memory_order_acquire);

		wrong += atomic_load_explicit(&cell[at], memory_order_relaxed) == 0;
		looked++;
		grace_reader_quiescent(reader);
		if (i % 1000 == 0) {
			grace_reader_offline(reader);
			grace_reader_online(reader);
		}
	}
	grace_reader_offline(reader);
	return NULL;
}

Test(grace, threads_never_see_reused_memory)
{
	struct grace *grace = new_grace();
	struct grace_reader *reader[READERS];
	pthread_t thread[READERS];
	__u64 freed[CELLS] = {};
	unsigned at = 0;

	atomic_store(&cell[0], 1);
	for (unsigned i = 0; i < READERS; i++) {
		cr_assert_eq(grace_reader_add(grace, &reader[i]), 0);
		cr_assert_eq(pthread_create(&thread[i], NULL, follow, reader[i]), 0);
	}
	while (looked < 1000)
		sched_yield();
	for (unsigned i = 0; i < CHANGES; i++) {
		unsigned next = (at + 1) % CELLS;

		while (freed[next] > grace_passed(grace)) {
			grace_poll(grace, true);
			sched_yield();
		}
		atomic_store(&cell[next], 1);
		atomic_store_explicit(&published, next, memory_order_release);
		freed[at] = grace_epoch(grace);
		/* Wipe what is past its grace period. */
		for (unsigned k = 0; k < CELLS; k++)
			if (k != next && freed[k] && freed[k] <= grace_passed(grace)) {
				atomic_store(&cell[k], 0);
				freed[k] = 0;
			}
		at = next;
	}
	stop = true;
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(wrong, 0);
	grace_free(grace);
}
