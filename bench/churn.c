// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/churn.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define CHURN_SLOT_MS  5.0 // changes are offered in lumps of so long
#define CHURN_PROBE_MS 0.2
#define CHURN_LAGS_MAX 100000

struct churn {
	struct mirror_bed *bed;
	struct mirror_updates updates;
	size_t done;
	double begin, moved; // ms; when the mark was moved
	bool moving;         // the mark is not yet seen there
	double *lags;
	unsigned int lag_count;
};

static int churn_compare(const void *a, const void *b)
{
	const double *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

// The smallest lag that `share` of all do not exceed.
static double churn_quantile(const struct churn *churn, double share)
{
	unsigned int rank = ceil(share * churn->lag_count);

	return churn->lags[rank ? rank - 1 : 0];
}

static int churn_offer(struct churn *churn, double rate)
{
	size_t due = (mirror_bed_now_ms() - churn->begin + CHURN_SLOT_MS) / 1e3 * rate;
	int err;

	if (due > churn->updates.count)
		due = churn->updates.count;
	err = mirror_bed_inject(churn->bed, &churn->updates, churn->done, due);
	churn->done = due;
	if (err >= 0)
		err = mirror_bed_flush(churn->bed);
	if (err < 0 || churn->moving || churn->lag_count == CHURN_LAGS_MAX)
		return err;
	churn->moved = mirror_bed_now_ms();
	churn->moving = true;
	return mirror_bed_mark(churn->bed);
}

// The mark is seen. Changes of slots since then, which had no mark of their own, have waited as well, each
// slot's so much less long: a long wait is that of many changes, not of one.
static void churn_add_lags(struct churn *churn)
{
	double lag = mirror_bed_now_ms() - churn->moved;

	for (; lag > 0 && churn->lag_count < CHURN_LAGS_MAX; lag -= CHURN_SLOT_MS)
		churn->lags[churn->lag_count++] = lag;
	churn->moving = false;
}

static int churn_look(struct churn *churn)
{
	int seen = mirror_bed_mark_is_seen(churn->bed);

	if (seen > 0)
		churn_add_lags(churn);
	return seen < 0 ? seen : 0;
}

static int churn_slot(struct churn *churn, double rate)
{
	double end = mirror_bed_now_ms() + CHURN_SLOT_MS;
	int err = churn_offer(churn, rate);

	while (err >= 0 && mirror_bed_now_ms() < end) {
		if (churn->moving)
			err = churn_look(churn);
		mirror_bed_sleep_ms(CHURN_PROBE_MS);
	}
	return err;
}

static void churn_add_figures(struct churn *churn, double own_max_us)
{
	struct figures *figures = &churn->bed->figures;

	qsort(churn->lags, churn->lag_count, sizeof(churn->lags[0]), churn_compare);
	figures_add(figures, FIGURE_LAG_P50_MS, churn_quantile(churn, 0.5));
	figures_add(figures, FIGURE_LAG_P99_MS, churn_quantile(churn, 0.99));
	figures_add(figures, FIGURE_LAG_MAX_MS, churn_quantile(churn, 1));
	if (own_max_us >= 0)
		figures_add(figures, FIGURE_LAG_OWN_MS, own_max_us / 1e3);
}

static int churn_run(struct churn *churn, double rate)
{
	double end;
	int err = 0;

	churn->begin = mirror_bed_now_ms();
	while (err >= 0 && churn->done < churn->updates.count)
		err = churn_slot(churn, rate);
	end = mirror_bed_now_ms();
	if (err >= 0 && churn->moving) {
		err = mirror_bed_wait_mark(churn->bed);
		churn_add_lags(churn);
	}
	if (err >= 0)
		figures_add(&churn->bed->figures, FIGURE_CHURN_RATE,
			    churn->updates.count / (end - churn->begin) * 1e3);
	return err;
}

// Offers all updates at once; adds how fast the kernel took them and what that cost.
static int churn_pour(struct mirror_bed *bed, const struct mirror_updates *updates, enum figure rate,
		      enum figure cpu_us)
{
	double begin = mirror_bed_now_ms(), cpu = mirror_bed_own_cpu_ms();
	int err = mirror_bed_inject(bed, updates, 0, updates->count);

	if (err >= 0)
		err = mirror_bed_flush(bed);
	if (err < 0)
		return err;
	figures_add(&bed->figures, rate, updates->count / (mirror_bed_now_ms() - begin) * 1e3);
	figures_add(&bed->figures, cpu_us, (mirror_bed_own_cpu_ms() - cpu) / updates->count * 1e3);
	return 0;
}

static int churn_pour_and_wait(struct mirror_bed *bed, const struct mirror_updates *updates)
{
	double overruns = mirror_bed_number(bed, "overruns"), begin, end;
	struct mirror_usage before, after;
	int err;

	err = mirror_bed_usage(bed, &before);
	begin = mirror_bed_now_ms();
	if (err >= 0)
		err = churn_pour(bed, updates, FIGURE_INJECT_RATE, FIGURE_INJECT_CPU_US);
	if (err >= 0)
		err = mirror_bed_mark(bed);
	if (err >= 0)
		err = mirror_bed_wait_mark(bed);
	end = mirror_bed_now_ms();
	if (err >= 0)
		err = mirror_bed_usage(bed, &after);
	if (err < 0)
		return err;
	figures_add(&bed->figures, FIGURE_APPLIED_RATE, updates->count / (end - begin) * 1e3);
	figures_add(&bed->figures, FIGURE_APPLIED_CPU_US,
		    (after.cpu_ms - before.cpu_ms) / updates->count * 1e3);
	figures_add(&bed->figures, FIGURE_APPLIED_OVERRUNS, mirror_bed_number(bed, "overruns") - overruns);
	return 0;
}

int churn_lag(struct mirror_bed *bed, double rate, double seconds)
{
	struct churn churn = { .bed = bed };
	int nice, err;

	err = mirror_bed_flaps(bed, rate * seconds, &churn.updates);
	if (err < 0)
		return err;
	churn.lags = calloc(CHURN_LAGS_MAX, sizeof(churn.lags[0]));
	nice = mirror_bed_hurry();
	err = churn.lags ? churn_run(&churn, rate) : -ENOMEM;
	mirror_bed_relax(nice);
	if (err >= 0)
		churn_add_figures(&churn, mirror_bed_number(bed, "lag_max_us"));
	free(churn.lags);
	free(churn.updates.updates);
	return err;
}

int churn_kernel(struct mirror_bed *bed, size_t count)
{
	struct mirror_updates updates;
	int err;

	err = mirror_bed_flaps(bed, count, &updates);
	if (err < 0)
		return err;
	err = churn_pour(bed, &updates, FIGURE_KERNEL_RATE, FIGURE_KERNEL_CPU_US);
	free(updates.updates);
	return err;
}

int churn_burst(struct mirror_bed *bed, size_t count)
{
	struct mirror_updates updates;
	int err;

	err = mirror_bed_flaps(bed, count, &updates);
	if (err < 0)
		return err;
	err = churn_pour_and_wait(bed, &updates);
	free(updates.updates);
	return err;
}
