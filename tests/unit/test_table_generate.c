// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table_generate.h"
#include "bench/workload/table_shape.h"
#include "bench/workload/table_statistics.h"
#include "bench/workload/zipf.h"
#include "tests/oracle/lpm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static struct table *generate(__u64 seed, size_t ipv4, size_t ipv6)
{
	struct table_generate_options options = { seed, ipv4, ipv6, 500 };
	struct table *table;

	cr_assert_eq(table_generate(&options, &table), 0);
	return table;
}

static void assert_within(const char *what, double value, double low, double high)
{
	cr_assert(value >= low && value <= high, "%s is %f, not within %f to %f", what, value, low, high);
}

Test(zipf, shares_fall_like_1_over_rank)
{
	enum { COUNT = 50, DRAWS = 1000000 };
	struct zipf *zipf = zipf_new(COUNT);
	unsigned int seen[COUNT] = { 0 };
	struct random r;
	double sum = 0;

	random_seed(&r, 5);
	for (unsigned int i = 0; i < DRAWS; i++)
		seen[zipf_rank(zipf, random_next(&r))]++;
	for (unsigned int i = 0; i < COUNT; i++)
		sum += 1.0 / (i + 1);
	for (unsigned int i = 0; i < COUNT; i++) {
		double want = DRAWS / (sum * (i + 1));

		assert_within("draws of a rank", seen[i], want - 5 * sqrt(want), want + 5 * sqrt(want));
	}
	zipf_free(zipf);
	zipf = zipf_new(1);
	cr_assert_eq(zipf_rank(zipf, ~0ull), 0);
	zipf_free(zipf);
}

// Routes within 10.0.0.0/16, so that every address can be asked.
static struct table *small_table(struct random *r, struct lpm *lpm)
{
	struct table *table = table_new();

	for (unsigned int i = 0; i < 300; i++) {
		struct table_route route = { .addr = { 10 },
					     .len = 16 + random_below(r, 17),
					     .family = AF_INET,
					     .nexthop = 1 + random_below(r, 4) };

		random_bytes(r, route.addr + 2, 2);
		prefix_clear_host_bits(route.addr, route.len, 32);
		cr_assert_eq(table_append(table, &route), 0);
		cr_assert_eq(lpm_insert(lpm, route.addr, route.len, route.nexthop), 0);
	}
	cr_assert_eq(table_sort(table), 0);
	cr_assert_eq(table->count, lpm_count(lpm));
	return table;
}

struct counted {
	size_t intervals, gaps, mixed;
};

// Asks each address; before 10.0.0.0 and behind 10.0.255.255 there is no route.
static struct counted count_by_lookup(const struct lpm *lpm)
{
	struct counted counted = { .intervals = 1, .gaps = 1 };
	__u32 last = 0;
	bool mixed = false;

	for (unsigned int i = 0; i <= 65536; i++) {
		__u8 addr[4] = { 10, i >> 16, i >> 8, i };
		__u32 value = 0;

		lpm_lookup(lpm, addr, &value, NULL);
		if (i % 8192 == 0)
			mixed = false;
		if (value != last) {
			counted.intervals++;
			counted.gaps += !value;
			counted.mixed += i % 8192 && !mixed;
			mixed = mixed || i % 8192;
		}
		last = value;
	}
	return counted;
}

Test(table_statistics, equal_a_count_by_lookup)
{
	struct random r;

	random_seed(&r, 11);
	for (unsigned int round = 0; round < 20; round++) {
		struct lpm *lpm = lpm_new(32);
		struct table *table = small_table(&r, lpm);
		struct counted counted = count_by_lookup(lpm);
		struct table_statistics s;

		cr_assert_eq(table_statistics(table, AF_INET, &s), 0);
		cr_assert_eq(s.routes, table->count);
		cr_assert_eq(s.nexthops, 4);
		cr_assert_eq(s.intervals, counted.intervals, "round %u: %zu, not %zu", round, s.intervals,
			     counted.intervals);
		cr_assert_eq(s.gaps, counted.gaps, "round %u", round);
		cr_assert_eq(s.mixed_groups, counted.mixed, "round %u", round);
		table_free(table);
		lpm_free(lpm);
	}
}

Test(table_statistics, depth_cover_and_ends_of_the_address_space)
{
	static const char *const prefixes[] = { "0.0.0.0/0", "0.0.0.0/1", "255.255.255.0/24",
						"255.255.255.255/32" };
	static const __u32 nexthops[] = { 1, 1, 2, 1 };
	struct table *table = table_new();
	struct table_statistics s;

	for (unsigned int i = 0; i < 4; i++) {
		struct table_route route;

		cr_assert_eq(prefix_parse(prefixes[i], &route), 0);
		route.nexthop = nexthops[i];
		cr_assert_eq(table_append(table, &route), 0);
	}
	cr_assert_eq(table_statistics(table, AF_INET, &s), 0);
	cr_assert_eq(s.depths[0], 1);
	cr_assert_eq(s.depths[1], 2);
	cr_assert_eq(s.depths[2], 1);
	cr_assert_eq(s.same_as_cover, 1);
	cr_assert_eq(s.intervals, 3);
	cr_assert_eq(s.gaps, 0);
	cr_assert_eq(s.split_blocks, 1);
	cr_assert_eq(s.leaf_runs, 1);
	cr_assert_eq(s.lengths[24], 1);
	cr_assert_eq(table_statistics(table, AF_INET6, &s), 0);
	cr_assert_eq(s.routes, 0);
	cr_assert_eq(s.intervals, 1);
	cr_assert_eq(s.gaps, 1);
	table_free(table);
}

// If these change, so do all results that were compared so far: on purpose only.
Test(table_generate, same_seed_same_table)
{
	struct table *a = generate(1, 20000, 5000), *b = generate(1, 20000, 5000),
		     *c = generate(2, 20000, 5000);

	cr_assert_eq(table_hash(a), table_hash(b));
	cr_assert_neq(table_hash(a), table_hash(c));
	cr_assert_eq(table_hash(a), 0xf64240a66ad20f0b, "%#llx", table_hash(a));
	cr_assert_eq(table_hash(c), 0xcb704ebf9ceadd67, "%#llx", table_hash(c));
	table_free(a);
	table_free(b);
	table_free(c);
}

static void assert_valid(const struct table *table, size_t ipv4, size_t ipv6, __u32 nexthops)
{
	cr_assert(table_is_sorted(table));
	cr_assert_eq(table->count, ipv4 + ipv6);
	for (size_t i = 0; i < table->count; i++) {
		struct table_route route = table->routes[i];

		prefix_clear_host_bits(route.addr, route.len, table_width(route.family));
		cr_assert_arr_eq(route.addr, table->routes[i].addr, 16);
		cr_assert_eq(route.family, i < ipv4 ? AF_INET : AF_INET6);
		cr_assert(route.nexthop >= 1 && route.nexthop <= nexthops);
		cr_assert(route.len >= (i < ipv4 ? 8 : 16) && route.len <= table_width(route.family));
	}
}

Test(table_generate, any_size_is_exact)
{
	static const size_t sizes[] = { 0, 1, 2, 100, 399, 400, 1001, 54321 };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct table *table = generate(i, sizes[i], sizes[i] / 2);

		assert_valid(table, sizes[i], sizes[i] / 2, 500);
		table_free(table);
	}
}

Test(table_generate, refuses_what_does_not_fit)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	struct table *table = NULL;

	options.nexthops = 0;
	cr_assert_eq(table_generate(&options, &table), -ERANGE);
	options.nexthops = TABLE_NEXTHOP_MAX + 1;
	cr_assert_eq(table_generate(&options, &table), -ERANGE);
	options.nexthops = 1;
	options.ipv4 = TABLE_ROUTES_MAX;
	cr_assert_eq(table_generate(&options, &table), -ERANGE);
	cr_assert_null(table);
}

static double share(size_t part, size_t all)
{
	return (double)part / all;
}

// The bounds are those of public tables with room for the seed.
Test(table_generate, full_table_has_the_public_shape)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	struct table_statistics s;
	struct table *table;

	cr_assert_eq(table_generate(&options, &table), 0);
	assert_valid(table, options.ipv4, options.ipv6, options.nexthops);

	cr_assert_eq(table_statistics(table, AF_INET, &s), 0);
	cr_assert_eq(s.nexthops, 500);
	assert_within("IPv4 /24", share(s.lengths[24], s.routes), 0.58, 0.66);
	assert_within("IPv4 /22 + /23", share(s.lengths[22] + s.lengths[23], s.routes), 0.19, 0.25);
	assert_within("IPv4 /16", share(s.lengths[16], s.routes), 0.010, 0.017);
	assert_within("IPv4 not covered", share(s.depths[0], s.routes), 0.42, 0.54);
	assert_within("IPv4 covered once", share(s.depths[1], s.routes), 0.31, 0.40);
	assert_within("IPv4 intervals", share(s.intervals, s.routes), 0.385, 0.425);
	assert_within("IPv4 mixed /19s", share(s.mixed_groups, 1 << 19), 0.11, 0.13);
	assert_within("IPv4 split /24s", s.split_blocks, 2700, 3300);

	cr_assert_eq(table_statistics(table, AF_INET6, &s), 0);
	assert_within("IPv6 /48", share(s.lengths[48], s.routes), 0.45, 0.56);
	assert_within("IPv6 /32", share(s.lengths[32], s.routes), 0.09, 0.15);
	assert_within("IPv6 not covered", share(s.depths[0], s.routes), 0.38, 0.47);
	assert_within("IPv6 intervals", share(s.intervals, s.routes), 0.51, 0.57);
	assert_within("IPv6 split /48s", s.split_blocks, 650, 750);
	table_free(table);
}

// A table drawn from a shape has that shape: measured again, the frequent pairs are as frequent.
Test(table_shape, is_found_again_in_what_is_drawn_from_it)
{
	struct table *table = generate(3, 900000, 0);
	struct table_shape shape;

	cr_assert_eq(table_shape_measure(table, AF_INET, &shape), 0);
	for (unsigned int level = 6; level < 16; level++)
		for (unsigned int pair = 0; pair < SHAPE_PAIRS; pair++) {
			double want = table_shape_ipv4.pairs[level][0][pair],
			       got = shape.pairs[level][0][pair];

			if (want > 1000)
				assert_within("pairs", got / want, 0.85, 1.15);
		}
	table_free(table);
}
