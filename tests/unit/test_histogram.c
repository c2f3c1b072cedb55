// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench/histogram.h"
#include "bench/workload/random.h"

#define VALUES 100000

Test(histogram, buckets_hold_what_they_say)
{
	__u32 before = 0;

	for (__u64 value = 0; value <= HISTOGRAM_MOST;
	     value = value < 4096 ? value + 1 : value + value / 97) {
		__u32 bucket = histogram_bucket(value);

		cr_assert_lt(bucket, HISTOGRAM_BUCKETS);
		cr_assert_geq(bucket, before);
		cr_assert_geq(histogram_value(bucket), value);
		cr_assert_leq(histogram_value(bucket) - value, value / 32, "%llu", (unsigned long long)value);
		cr_assert(bucket == 0 || histogram_value(bucket - 1) < value);
		before = bucket;
	}
	cr_assert_eq(histogram_bucket(HISTOGRAM_MOST), HISTOGRAM_BUCKETS - 1);
	cr_assert_eq(histogram_bucket(~0ull), HISTOGRAM_BUCKETS - 1);
}

static int compare(const void *one, const void *other)
{
	__u64 a = *(const __u64 *)one, b = *(const __u64 *)other;

	return (a > b) - (a < b);
}

Test(histogram, percentiles_are_those_of_the_values)
{
	static const double parts[] = { 0, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
	static __u64 values[VALUES], counts[HISTOGRAM_BUCKETS];
	struct random random;

	random_seed(&random, 11);
	for (int i = 0; i < VALUES; i++) {
		values[i] = random_below(&random, 1u << (4 + random_below(&random, 26)));
		counts[histogram_bucket(values[i])]++;
	}
	qsort(values, VALUES, sizeof(values[0]), compare);
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		unsigned int rank = parts[i] * VALUES < 1 ? 0 : parts[i] * VALUES - 1;
		__u64 answer = histogram_percentile(counts, parts[i]);

		cr_assert_geq(answer, values[rank], "%g", parts[i]);
		cr_assert_leq(answer, values[rank] + values[rank] / 32, "%g", parts[i]);
	}
}

Test(histogram, of_nothing)
{
	static const __u64 counts[HISTOGRAM_BUCKETS];

	cr_assert_eq(histogram_percentile(counts, 0.5), 0);
}
