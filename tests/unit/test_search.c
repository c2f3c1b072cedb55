// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>

#include "bench/search.h"
#include "bench/workload/random.h"

// A router that forwards so many packets a second, and loses one at times for no reason of its own.
struct router {
	double capacity, sender;
	double mishap; // chance of a trial to lose a packet
	struct random random;
	unsigned int trials;
	int fails_after; // 0: never
};

static int run(void *arg, double rate, double seconds, struct search_trial *ret)
{
	struct router *router = arg;
	bool mishap = random_below(&router->random, 1000000) < router->mishap * 1e6;

	if (router->fails_after && router->trials++ == (unsigned int)router->fails_after)
		return -EIO;
	ret->offered = fmin(rate, router->sender);
	ret->loss = ret->offered > router->capacity ? 1 - router->capacity / ret->offered : 0;
	if (mishap)
		ret->loss = fmax(ret->loss, 1e-6);
	return 0;
}

static struct search_result find(const struct search_goal *goal, double capacity, double mishap,
				 double sender)
{
	struct router router = { .capacity = capacity, .mishap = mishap, .sender = sender };
	struct search_result result = { 0 };

	random_seed(&router.random, 5);
	cr_assert_eq(search(goal, 1000, 2e6, run, &router, &result), 0);
	return result;
}

Test(search, brackets_the_capacity)
{
	for (double capacity = 3000; capacity < 1.9e6; capacity *= 1.7) {
		struct search_result result = find(&SEARCH_NDR, capacity, 0, INFINITY);

		cr_assert_leq(result.low, capacity, "%g", capacity);
		cr_assert_gt(result.high, capacity, "%g", capacity);
		cr_assert_leq(result.high - result.low, 0.005 * result.high, "%g", capacity);
		cr_assert_lt(result.trials, 22 * 25, "%g", capacity);
	}
}

Test(search, lets_some_loss_pass_when_told)
{
	struct search_result result = find(&SEARCH_PDR, 1e6, 0, INFINITY);

	cr_assert_gt(result.high, 1e6 / 0.995 * 0.9999);
	cr_assert_leq(result.low, 1e6 / 0.995 * 1.0001);
}

Test(search, is_not_misled_by_mishaps)
{
	struct search_result result = find(&SEARCH_NDR, 1e6, 0.2, INFINITY);

	cr_assert_gt(result.low, 0.99e6);
	cr_assert_leq(result.low, 1e6);
}

Test(search, knows_when_nothing_is_bad)
{
	struct search_result result = find(&SEARCH_NDR, 5e6, 0, INFINITY);

	cr_assert_eq(result.low, 2e6);
	cr_assert_eq(result.high, 0);
}

Test(search, knows_when_nothing_is_good)
{
	struct search_result result = find(&SEARCH_NDR, 100, 0, INFINITY);

	cr_assert_eq(result.low, 0);
	cr_assert_eq(result.high, 1000);
}

Test(search, does_not_take_what_was_not_sent_for_forwarded)
{
	struct search_result result = find(&SEARCH_NDR, 5e6, 0, 1.2e6);

	cr_assert_leq(result.low, 1.2e6 / 0.99);
	cr_assert_gt(result.low, 1.18e6);
}

Test(search, ends_when_a_trial_fails)
{
	struct router router = { .capacity = 1e6, .sender = INFINITY, .fails_after = 30 };
	struct search_result result;

	random_seed(&router.random, 5);
	cr_assert_eq(search(&SEARCH_NDR, 1000, 2e6, run, &router, &result), -EIO);
}
