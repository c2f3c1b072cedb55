// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/statistics.h"

#include "bench/workload/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STATISTICS_RESAMPLES  2000
#define STATISTICS_VALUES_MAX 1024
#define STATISTICS_SEED       42

static int statistics_compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

// Sorts the values and returns their median.
static double statistics_median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), statistics_compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

struct statistics statistics_of(const double *values, unsigned int count)
{
	double sample[STATISTICS_VALUES_MAX], medians[STATISTICS_RESAMPLES];
	struct statistics statistics;
	struct random random;
	unsigned int i, k;

	assert(count && count <= STATISTICS_VALUES_MAX);
	memcpy(sample, values, count * sizeof(*values));
	statistics.median = statistics_median(sample, count);
	random_seed(&random, STATISTICS_SEED);
	for (i = 0; i < STATISTICS_RESAMPLES; i++) {
		for (k = 0; k < count; k++)
			sample[k] = values[random_below(&random, count)];
		medians[i] = statistics_median(sample, count);
	}
	qsort(medians, STATISTICS_RESAMPLES, sizeof(*medians), statistics_compare);
	statistics.low = medians[STATISTICS_RESAMPLES * 25 / 1000];
	statistics.high = medians[STATISTICS_RESAMPLES * 975 / 1000 - 1];
	return statistics;
}
