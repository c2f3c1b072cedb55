// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/statistics.h"

#include <criterion/criterion.h>
#include <math.h>

Test(statistics, median_of_odd_even_and_single_counts)
{
	const double odd[] = { 9, 1, 5 }, even[] = { 8, 1, 2, 4 }, single[] = { 7 };

	cr_assert_eq(statistics_of(odd, 3).median, 5);
	cr_assert_eq(statistics_of(even, 4).median, 3);
	cr_assert_eq(statistics_of(single, 1).median, 7);
	cr_assert_eq(statistics_of(single, 1).low, 7);
	cr_assert_eq(statistics_of(single, 1).high, 7);
}

Test(statistics, input_stays_as_it_was)
{
	const double values[] = { 3, 1, 2 };

	statistics_of(values, 3);
	cr_assert(values[0] == 3 && values[1] == 1 && values[2] == 2);
}

Test(statistics, same_values_give_the_same_interval)
{
	const double values[] = { 3, 1, 2, 9, 4, 4.5 };
	struct statistics one = statistics_of(values, 6), other = statistics_of(values, 6);

	cr_assert(one.low == other.low && one.high == other.high);
}

static double binomial_at_least(unsigned int n, double p, unsigned int k)
{
	double sum = 0;

	for (; k <= n; k++)
		sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) +
			   (n > k ? (n - k) * log1p(-p) : 0));
	return sum;
}

// For an odd count the distribution of the resampled median is known: it is at most the k-th smallest value
// when at least (n + 1) / 2 of n draws are among the k smallest.
Test(statistics, interval_is_the_exact_bootstrap_interval)
{
	for (unsigned int n = 5; n <= 41; n += 2) {
		double values[64], below_low = 0, below_high = 0;
		struct statistics statistics;

		for (unsigned int i = 0; i < n; i++)
			values[i] = (i * 7 + 3) % n; // a permutation unless n is a multiple of 7
		if (n % 7 == 0)
			continue;
		statistics = statistics_of(values, n);
		cr_assert_eq(statistics.median, (n - 1) / 2);
		// value v is the (v + 1)-th smallest; 2000 draws leave an error of some tenths of a percent
		below_low = statistics.low > 0 ? binomial_at_least(n, statistics.low / n, (n + 1) / 2) : 0;
		below_high = statistics.high > 0 ? binomial_at_least(n, statistics.high / n, (n + 1) / 2) : 0;
		cr_assert_leq(below_low, 0.025 + 0.012, "n %u: low %g", n, statistics.low);
		cr_assert_geq(binomial_at_least(n, (statistics.low + 1) / n, (n + 1) / 2), 0.025 - 0.012);
		cr_assert_leq(below_high, 0.975 + 0.012, "n %u: high %g", n, statistics.high);
		cr_assert(statistics.high == n - 1 ||
			  binomial_at_least(n, (statistics.high + 1) / n, (n + 1) / 2) >= 0.975 - 0.012);
	}
}
