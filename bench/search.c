// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/search.h"

#include <math.h>
#include <stdbool.h>

// Below this part of what was asked for, the sender could not keep up: nobody knows about the rate asked for.
#define SEARCH_OFFERED 0.99

// Trials of one rate until it is decided. ret_forwarded: what arrived of the last one, packets a second.
static int search_judge(const struct search_goal *goal, double rate, search_run *run, void *arg,
			struct search_result *result, bool *ret_good, double *ret_forwarded)
{
	double good = 0, bad = 0;

	do {
		struct search_trial trial;
		int err = run(arg, rate, goal->trial, &trial);

		if (err < 0)
			return err;
		result->trials++;
		if (trial.loss <= goal->loss && trial.offered >= SEARCH_OFFERED * rate)
			good += goal->trial;
		else
			bad += goal->trial;
		*ret_forwarded = trial.offered * (1 - trial.loss);
	} while (good <= goal->sum / 2 && bad <= goal->sum / 2);
	*ret_good = good > bad;
	return 0;
}

int search(const struct search_goal *goal, double least, double most, search_run *run, void *arg,
	   struct search_result *ret_result)
{
	struct search_result result = { 0 };
	double rate = most, forwarded;
	bool good;
	int err;

	do {
		err = search_judge(goal, rate, run, arg, &result, &good, &forwarded);
		if (err < 0)
			return err;
		if (good)
			result.low = rate;
		else
			result.high = rate;
		if (result.high == 0 || (!good && rate <= least))
			break;
		// what came through of too much is a good guess; later the middle, as rates are compared: by
		// ratio
		rate = result.low > 0 ? sqrt(result.low * result.high) : forwarded;
		if (result.low == 0 && rate > (1 - goal->width) * result.high)
			rate = (1 - goal->width) * result.high;
		if (rate < least)
			rate = least;
	} while (result.low == 0 || result.high - result.low > goal->width * result.high);
	*ret_result = result;
	return 0;
}
