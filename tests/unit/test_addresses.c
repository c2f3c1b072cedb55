// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/addresses.h"
#include "bench/workload/prefix.h"
#include "bench/workload/table_generate.h"
#include "tests/oracle/lpm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define DRAWS 20000

static const enum addresses_kind kinds[] = { ADDRESSES_SPACE, ADDRESSES_PREFIXES, ADDRESSES_ZIPF,
					     ADDRESSES_REPEATED, ADDRESSES_SEQUENTIAL };

static struct table *table_of(const char *const *prefixes)
{
	struct table *table = table_new();

	for (; *prefixes; prefixes++) {
		struct table_route route;

		cr_assert_eq(prefix_parse(*prefixes, &route), 0);
		route.nexthop = 1;
		cr_assert_eq(table_append(table, &route), 0);
	}
	cr_assert_eq(table_sort(table), 0);
	return table;
}

static void draw(const struct table *table, enum addresses_kind kind, __u8 family, __u64 seed, void *to)
{
	struct addresses_options options = { kind, family, 100, seed };
	struct addresses *addresses;

	cr_assert_eq(addresses_new(table, &options, &addresses), 0);
	addresses_fill(addresses, to, DRAWS / 2);
	addresses_fill(addresses, (__u8 *)to + DRAWS / 2 * table_width(family) / 8, DRAWS - DRAWS / 2);
	addresses_free(addresses);
}

static struct table *small_full_table(void)
{
	struct table_generate_options options = { 7, 20000, 5000, 10 };
	struct table *table;

	cr_assert_eq(table_generate(&options, &table), 0);
	return table;
}

static struct lpm *oracle_of(const struct table *table, __u8 family)
{
	struct lpm *lpm = lpm_new(table_width(family));

	for (size_t i = 0; i < table->count; i++)
		if (table->routes[i].family == family)
			cr_assert_eq(lpm_insert(lpm, table->routes[i].addr, table->routes[i].len, 1), 0);
	return lpm;
}

static void all_kinds(__u8 family)
{
	static __u8 a[DRAWS * 16], b[DRAWS * 16];
	unsigned int bytes = table_width(family) / 8;
	struct table *table = small_full_table();
	struct lpm *lpm = oracle_of(table, family);

	for (unsigned int k = family == AF_INET ? 0 : 1; k < sizeof(kinds) / sizeof(*kinds); k++) {
		draw(table, kinds[k], family, 1, a);
		draw(table, kinds[k], family, 1, b);
		cr_assert_arr_eq(a, b, DRAWS * bytes, "kind %u: the seed does not repeat", kinds[k]);
		draw(table, kinds[k], family, 2, b);
		cr_assert_arr_neq(a, b, DRAWS * bytes, "kind %u: the seed changes nothing", kinds[k]);
		for (unsigned int i = 0; i < DRAWS; i++)
			cr_assert(lpm_lookup(lpm, a + i * bytes, NULL, NULL),
				  "kind %u address %u is not covered", kinds[k], i);
	}
	lpm_free(lpm);
	table_free(table);
}

Test(addresses, are_covered_and_repeatable_ipv4)
{
	all_kinds(AF_INET);
}

Test(addresses, are_covered_and_repeatable_ipv6)
{
	all_kinds(AF_INET6);
}

static void assert_near(double got, double want)
{
	cr_assert(fabs(got - want) < 5 * sqrt(want) + 1, "%f is not near %f", got, want);
}

// 12/8 has half of the covered addresses, 10/9 with what it covers a quarter, the two 11/10s an eighth each.
// eighth.
static const char *const nested[] = { "10.0.0.0/9",   "10.1.0.0/16", "10.1.2.0/24", "11.0.0.0/10",
				      "11.64.0.0/10", "12.0.0.0/8",  NULL };

Test(addresses, space_is_uniform_over_addresses)
{
	static __u8 addr[DRAWS][4];
	struct table *table = table_of(nested);
	unsigned int first[256] = { 0 }, high = 0;

	draw(table, ADDRESSES_SPACE, AF_INET, 3, addr);
	for (unsigned int i = 0; i < DRAWS; i++) {
		first[addr[i][0]]++;
		high += addr[i][0] == 12 && addr[i][1] >= 128;
	}
	assert_near(first[10], DRAWS / 4.0);
	assert_near(first[11], DRAWS / 4.0);
	assert_near(first[12], DRAWS / 2.0);
	assert_near(high, DRAWS / 4.0);
	table_free(table);
}

Test(addresses, space_of_everything)
{
	static const char *const everything[] = { "0.0.0.0/0", "10.0.0.0/8", NULL };
	static __u8 addr[DRAWS][4];
	struct table *table = table_of(everything);
	unsigned int high = 0, odd = 0;

	draw(table, ADDRESSES_SPACE, AF_INET, 3, addr);
	for (unsigned int i = 0; i < DRAWS; i++) {
		high += addr[i][0] >> 7;
		odd += addr[i][3] & 1;
	}
	assert_near(high, DRAWS / 2.0);
	assert_near(odd, DRAWS / 2.0);
	table_free(table);
}

Test(addresses, prefixes_are_uniform_over_prefixes)
{
	static __u8 addr[DRAWS][4];
	struct table *table = table_of(nested);
	unsigned int first[256] = { 0 };

	draw(table, ADDRESSES_PREFIXES, AF_INET, 3, addr);
	for (unsigned int i = 0; i < DRAWS; i++)
		first[addr[i][0]]++;
	assert_near(first[10], DRAWS / 2.0);
	assert_near(first[11], DRAWS / 3.0);
	assert_near(first[12], DRAWS / 6.0);
	table_free(table);
}

Test(addresses, zipf_prefers_few_destinations)
{
	static __u8 addr[DRAWS][16];
	struct table *table = small_full_table();
	unsigned int most = 0;

	draw(table, ADDRESSES_ZIPF, AF_INET6, 3, addr);
	for (unsigned int i = 0; i < 100; i++) { // the first draws hold the most frequent one for sure
		unsigned int same = 0;

		for (unsigned int j = 0; j < DRAWS; j++)
			same += !memcmp(addr[i], addr[j], 16);
		most = same > most ? same : most;
	}
	assert_near(most, DRAWS / 5.187); // the 100th harmonic number
	table_free(table);
}

Test(addresses, repeated_come_16_times)
{
	static __u8 addr[DRAWS][4];
	struct table *table = small_full_table();

	draw(table, ADDRESSES_REPEATED, AF_INET, 3, addr);
	for (unsigned int i = 1; i < DRAWS; i++)
		cr_assert_eq(!memcmp(addr[i], addr[i - 1], 4), i % ADDRESSES_REPEATS != 0, "%u", i);
	table_free(table);
}

Test(addresses, sequential_follow_the_table)
{
	static const char *const apart[] = { "1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "2001:db8::/32", NULL };
	static __u8 addr[DRAWS][4];
	struct table *table = table_of(apart);

	draw(table, ADDRESSES_SEQUENTIAL, AF_INET, 3, addr);
	for (unsigned int i = 1; i < DRAWS; i++)
		cr_assert_eq(addr[i][0], addr[i - 1][0] % 3 + 1);
	table_free(table);
}

Test(addresses, refuses)
{
	static const char *const one[] = { "1.0.0.0/8", NULL };
	struct table *table = table_of(one);
	struct addresses *addresses = NULL;
	struct addresses_options options = { ADDRESSES_PREFIXES, AF_INET6, 1, 1 };

	cr_assert_eq(addresses_new(table, &options, &addresses), -ENOENT);
	options = (struct addresses_options){ ADDRESSES_ZIPF, AF_INET, 0, 1 };
	cr_assert_eq(addresses_new(table, &options, &addresses), -EINVAL);
	options.kind = 99;
	cr_assert_eq(addresses_new(table, &options, &addresses), -EINVAL);
	table_free(table);
	table = small_full_table();
	options = (struct addresses_options){ ADDRESSES_SPACE, AF_INET6, 1, 1 };
	cr_assert_eq(addresses_new(table, &options, &addresses), -EINVAL);
	cr_assert_null(addresses);
	addresses_free(NULL);
	table_free(table);
}
