// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_churn.h"

#include "bench/stopwatch.h"
#include "bench/workload/prefix.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// The structures take turns of a thousand updates. Each begins in caches that the others have filled, as a
// daemon does that slept until a burst of updates came, and pays for that once in a turn; nothing else comes
// between the updates of a turn.
//
// An update is timed by the cheapest clock there is, less what reading it takes. It also counts what other
// programs do meanwhile; the CPU time of a turn tells how much that was, and it is taken off the longest
// updates of the turn. What interrupts take, and a hypervisor that does not say so, stays in the longest one.

#define FIB_CHURN_TURN  1024
#define FIB_CHURN_TRIES 200 // to find out what reading the clock takes

struct fib_churn {
	struct fib_family *family;
	struct updates *updates;
	struct update turn[FIB_CHURN_TURN];
	unsigned int turn_count;
	double *samples[FIB_STRUCTURES_MAX]; // nanoseconds
	size_t counts[FIB_STRUCTURES_MAX];   // of them
	size_t count, room;                  // of updates
	double tick;                         // nanoseconds
	double clock;                        // what reading it takes, nanoseconds
};

static int fib_churn_compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double fib_churn_clock(double tick)
{
	double tries[FIB_CHURN_TRIES];
	__u64 began;

	for (unsigned int i = 0; i < FIB_CHURN_TRIES; i++) {
		began = stopwatch_ticks();
		tries[i] = (stopwatch_ticks() - began) * tick;
	}
	qsort(tries, FIB_CHURN_TRIES, sizeof(*tries), fib_churn_compare);
	return tries[FIB_CHURN_TRIES / 2];
}

// Fills the turn; 1, or 0 when there are no more.
static int fib_churn_next(struct fib_churn *churn)
{
	struct update *update = churn->turn;
	int more = 1;

	churn->turn_count = 0;
	while (churn->turn_count < FIB_CHURN_TURN && (more = updates_next(churn->updates, update)) > 0) {
		if (update->route.family != churn->family->family || !update->route.len)
			continue;
		if (!update->withdraw && update->route.nexthop > FIB_NEXTHOP_MAX - FIB_NEXTHOP_MIN + 1) {
			warnx("bench fib: too many next hops in the updates");
			return -ERANGE;
		}
		update->route.nexthop += FIB_NEXTHOP_MIN - 1;
		update = &churn->turn[++churn->turn_count];
	}
	return more < 0 ? more : churn->turn_count > 0;
}

static int fib_churn_make_room(struct fib_churn *churn)
{
	size_t room = churn->room ? churn->room * 2 : 65536;

	if (churn->count + FIB_CHURN_TURN <= churn->room)
		return 0;
	for (unsigned int i = 0; i < churn->family->built_count; i++) {
		double *samples = reallocarray(churn->samples[i], room, sizeof(*samples));

		if (!samples)
			return -ENOMEM;
		churn->samples[i] = samples;
	}
	churn->room = room;
	return 0;
}

// Takes what other programs took off the longest ones; they came in so many times.
static void fib_churn_correct(double *samples, unsigned int count, double cpu, __u64 times)
{
	unsigned int longest;
	double lost = -cpu, cut;

	for (unsigned int i = 0; i < count; i++)
		lost += samples[i];
	for (; times && lost > 0; times--) {
		longest = 0;
		for (unsigned int i = 0; i < count; i++)
			longest = samples[i] > samples[longest] ? i : longest;
		cut = samples[longest] < lost ? samples[longest] : lost;
		samples[longest] -= cut;
		lost -= cut;
	}
}

static int fib_churn_fail(struct fib_structure *structure, const struct update *update, int err)
{
	char prefix[PREFIX_TEXT_SIZE];

	prefix_format(&update->route, prefix);
	warnx("bench fib: %s: cannot %s %s: %s", structure->kind->name,
	      update->withdraw ? "withdraw" : "announce", prefix, strerror(-err));
	structure->lost = true;
	return structure->kind->dpdk && err == -ENOSPC ? 0 : err;
}

static int fib_churn_one(struct fib_churn *churn, struct fib_structure *structure,
			 const struct update *update, double *ret_ns)
{
	__u64 began = stopwatch_ticks();
	double ns;
	int err;

	if (update->withdraw)
		err = structure->kind->withdraw(structure, &update->route);
	else
		err = structure->kind->announce(structure, &update->route);
	ns = (stopwatch_ticks() - began) * churn->tick - churn->clock;
	*ret_ns = ns > 0 ? ns : 0;
	return err < 0 ? fib_churn_fail(structure, update, err) : 0;
}

// A turn of structure number index.
static int fib_churn_apply(struct fib_churn *churn, unsigned int index)
{
	struct fib_structure *structure = churn->family->built[index].structure;
	double *samples = churn->samples[index] + churn->counts[index];
	__u64 interruptions = stopwatch_interruptions(), cpu = stopwatch_cpu();
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < churn->turn_count && !structure->lost; i++)
		err = fib_churn_one(churn, structure, &churn->turn[i], &samples[i]);
	cpu = stopwatch_cpu() - cpu;
	interruptions = stopwatch_interruptions() - interruptions;
	fib_churn_correct(samples, i, cpu, interruptions);
	churn->counts[index] += i;
	return err;
}

static int fib_churn_all(struct fib_churn *churn)
{
	int err = 0, more;

	while ((more = fib_churn_next(churn)) > 0) {
		if (*churn->family->plan->stop)
			return -EINTR;
		err = fib_churn_make_room(churn);
		for (unsigned int i = 0; err >= 0 && i < churn->family->built_count; i++)
			err = fib_churn_apply(churn, i);
		if (err < 0)
			return err;
		churn->count += churn->turn_count;
	}
	return more;
}

static struct fib_cost fib_churn_sum_up(double *samples, size_t count)
{
	struct fib_cost cost = { .count = count };

	if (!count)
		return cost;
	for (size_t i = 0; i < count; i++)
		cost.mean += samples[i] / count;
	qsort(samples, count, sizeof(*samples), fib_churn_compare);
	cost.p99 = samples[(size_t)(0.99 * (count - 1))];
	cost.max = samples[count - 1];
	return cost;
}

int fib_churn(struct fib_family *family, struct updates *updates,
	      struct fib_cost ret_costs[FIB_STRUCTURES_MAX])
{
	struct fib_churn *churn = calloc(1, sizeof(*churn));
	int err;

	if (!churn)
		return -ENOMEM;
	churn->family = family;
	churn->updates = updates;
	churn->tick = stopwatch_tick();
	churn->clock = fib_churn_clock(churn->tick);
	err = fib_churn_all(churn);
	for (unsigned int i = 0; i < family->built_count; i++) {
		if (err >= 0)
			ret_costs[i] = fib_churn_sum_up(churn->samples[i], churn->counts[i]);
		free(churn->samples[i]);
	}
	free(churn);
	return err;
}
