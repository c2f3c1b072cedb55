// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/destination.h"
#include "tests/oracle/lpm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define SEED   20260702
#define ROUTES 20000
#define DRAWN  50000

static struct destination drawn[DRAWN];

// Routes that nest: few distinct bits in front, any length.
static struct table *random_table(struct random *random, __u8 family)
{
	struct table *table = table_new();
	unsigned int i, byte, width = table_width(family);

	for (i = 0; i < ROUTES; i++) {
		struct table_route route = { .family = family, .nexthop = i + 1 };

		route.len = random_below(random, width + 1);
		random_bytes(random, route.addr, width / 8);
		route.addr[0] = family == AF_INET6 ? 0x20 | (route.addr[0] & 1) : 0xb0 | (route.addr[0] & 3);
		for (byte = 1; byte < width / 8; byte++)
			route.addr[byte] &= 0x83;
		for (byte = 0; byte < 16; byte++)
			route.addr[byte] &= byte < route.len / 8u   ? 0xff
					    : byte > route.len / 8u ? 0
								    : (0xff00 >> route.len % 8) & 0xff;
		cr_assert_geq(table_append(table, &route), 0);
	}
	cr_assert_geq(table_sort(table), 0);
	return table;
}

static void check_against_oracle(__u8 family)
{
	struct lpm *lpm = lpm_new(table_width(family));
	struct random random;
	struct table *table;
	__u32 nexthop;

	random_seed(&random, SEED + family);
	table = random_table(&random, family);
	for (size_t i = 0; i < table->count; i++)
		lpm_insert(lpm, table->routes[i].addr, table->routes[i].len, table->routes[i].nexthop);
	cr_assert_eq(destination_draw(table, &random, drawn, DRAWN), 0);
	for (unsigned int i = 0; i < DRAWN; i++) {
		cr_assert(lpm_lookup(lpm, drawn[i].address, &nexthop, NULL));
		cr_assert_eq(drawn[i].nexthop, nexthop, "seed %d, destination %u", SEED + family, i);
		cr_assert(family == AF_INET6 || (drawn[i].address[0] > 0 && drawn[i].address[0] < 224));
	}
	table_free(table);
	lpm_free(lpm);
}

Test(destination, next_hops_equal_those_of_the_oracle_4)
{
	check_against_oracle(AF_INET);
}

Test(destination, next_hops_equal_those_of_the_oracle_6)
{
	check_against_oracle(AF_INET6);
}

Test(destination, same_seed_same_destinations)
{
	static struct destination again[DRAWN];
	struct random random;
	struct table *table;

	random_seed(&random, SEED);
	table = random_table(&random, AF_INET);
	random_seed(&random, 1);
	destination_draw(table, &random, drawn, DRAWN);
	random_seed(&random, 1);
	destination_draw(table, &random, again, DRAWN);
	cr_assert_eq(memcmp(drawn, again, sizeof(again)), 0);
	table_free(table);
}

Test(destination, a_table_that_cannot_be_forwarded_to_is_refused)
{
	struct table_route loopback = { .addr = { 127 }, .len = 8, .family = AF_INET, .nexthop = 1 };
	struct table *table = table_new();
	struct random random;

	random_seed(&random, SEED);
	cr_assert_eq(destination_draw(table, &random, drawn, 1), -ENOENT);
	table_append(table, &loopback);
	cr_assert_eq(destination_draw(table, &random, drawn, 1), -ENOENT);
	table_free(table);
}
