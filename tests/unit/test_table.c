// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct table_route route_of(const char *prefix, __u32 nexthop)
{
	struct table_route route;

	cr_assert_eq(prefix_parse(prefix, &route), 0, "%s", prefix);
	route.nexthop = nexthop;
	return route;
}

static void append(struct table *table, const char *prefix, __u32 nexthop)
{
	struct table_route route = route_of(prefix, nexthop);

	cr_assert_eq(table_append(table, &route), 0);
}

Test(random, is_xoshiro256starstar)
{
	// The published algorithm's output for the state 1, 2, 3, 4.
	static const __u64 want[] = { 11520, 0, 1509978240, 1215971899390074240 };
	struct random r = { { 1, 2, 3, 4 } };

	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(random_next(&r), want[i]);
}

Test(random, below_stays_below_and_reaches_all)
{
	unsigned int seen[10] = { 0 };
	struct random r;

	random_seed(&r, 0);
	for (unsigned int i = 0; i < 10000; i++)
		seen[random_below(&r, 10)]++; // out of bounds would be caught by the sanitizer
	for (unsigned int i = 0; i < 10; i++)
		cr_assert(seen[i] > 850 && seen[i] < 1150, "%u: %u", i, seen[i]);
}

Test(prefix, parses_and_formats)
{
	static const char *const texts[] = { "0.0.0.0/0",     "10.0.0.0/8",      "192.0.2.1/32", "::/0",
					     "2001:db8::/32", "2001:db8::1/128", "128.0.0.0/1" };
	char text[PREFIX_TEXT_SIZE];

	for (unsigned int i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct table_route route = route_of(texts[i], 1);

		prefix_format(&route, text);
		cr_assert_str_eq(text, texts[i]);
	}
	cr_assert_eq(route_of("10.1.2.3", 1).len, 32);
	cr_assert_eq(route_of("2001:db8::1", 1).len, 128);
}

Test(prefix, refuses_with_a_cause)
{
	static const struct {
		const char *text;
		int error;
	} bad[] = {
		{ "", -EINVAL },
		{ "/8", -EINVAL },
		{ "10.0.0.0/", -EINVAL },
		{ "10.0.0.0/x", -EINVAL },
		{ "10.0.0.0/-1", -EINVAL },
		{ "10.0.0.0/8/8", -EINVAL },
		{ "10.0.0/8", -EINVAL },
		{ "300.0.0.0/8", -EINVAL },
		{ "10.0.0.0/33", -ERANGE },
		{ "10.0.0.0/4294967297", -ERANGE },
		{ "2001:db8::/129", -ERANGE },
		{ "10.0.0.1/8", -EDOM },
		{ "192.0.2.128/24", -EDOM },
		{ "2001:db8::1/64", -EDOM },
		{ "1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9/8", -EINVAL },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct table_route route = { .len = 77 };

		cr_assert_eq(prefix_parse(bad[i].text, &route), bad[i].error, "%s", bad[i].text);
		cr_assert_eq(route.len, 77, "%s", bad[i].text);
	}
}

Test(prefix, covers)
{
	struct table_route route = route_of("10.4.0.0/14", 1);

	cr_assert(prefix_covers(&route, (__u8[]){ 10, 7, 255, 255 }));
	cr_assert(!prefix_covers(&route, (__u8[]){ 10, 8, 0, 0 }));
	cr_assert(!prefix_covers(&route, (__u8[]){ 11, 4, 0, 0 }));
	route = route_of("0.0.0.0/0", 1);
	cr_assert(prefix_covers(&route, (__u8[]){ 255, 1, 1, 1 }));
	route = route_of("10.0.0.1", 1);
	cr_assert(prefix_covers(&route, (__u8[]){ 10, 0, 0, 1 }));
	cr_assert(!prefix_covers(&route, (__u8[]){ 10, 0, 0, 0 }));
}

Test(table, sorts_and_keeps_the_last)
{
	static const char *const order[] = { "0.0.0.0/0",   "10.0.0.0/8", "10.0.0.0/16",
					     "10.0.1.0/24", "::/0",       "2001:db8::/32" };
	struct table *table = table_new();

	append(table, "2001:db8::/32", 1);
	append(table, "10.0.1.0/24", 2);
	append(table, "10.0.0.0/16", 3);
	append(table, "::/0", 4);
	append(table, "10.0.1.0/24", 5);
	append(table, "10.0.0.0/8", 6);
	append(table, "0.0.0.0/0", 7);
	append(table, "10.0.1.0/24", 8);
	cr_assert(!table_is_sorted(table));
	cr_assert_eq(table_sort(table), 0);
	cr_assert(table_is_sorted(table));
	cr_assert_eq(table->count, 6);
	for (unsigned int i = 0; i < 6; i++) {
		struct table_route want = route_of(order[i], 0);

		cr_assert_eq(table_route_compare(&table->routes[i], &want), 0, "%s", order[i]);
	}
	cr_assert_eq(table->routes[3].nexthop, 8);
	table_free(table);
	table_free(NULL);
}

Test(table, sorts_many_and_hashes_equal)
{
	struct table *a = table_new(), *b = table_new();
	struct random r;

	random_seed(&r, 1);
	for (unsigned int i = 0; i < 5000; i++) {
		struct table_route route = { .len = random_below(&r, 33), .family = AF_INET, .nexthop = i };

		random_bytes(&r, route.addr, 4);
		prefix_clear_host_bits(route.addr, route.len, 32);
		cr_assert_eq(table_append(a, &route), 0);
	}
	cr_assert_eq(table_sort(a), 0);
	cr_assert(table_is_sorted(a));
	for (size_t i = a->count; i-- > 0;)
		cr_assert_eq(table_append(b, &a->routes[i]), 0);
	cr_assert_neq(table_hash(a), table_hash(b));
	cr_assert_eq(table_sort(b), 0);
	cr_assert_eq(table_hash(a), table_hash(b));
	table_free(a);
	table_free(b);
}

Test(table, selects_a_family)
{
	struct table *table = table_new(), *selected = NULL;

	append(table, "10.0.0.0/8", 1);
	append(table, "2001:db8::/32", 2);
	cr_assert_eq(table_select(table, AF_INET6, &selected), 0);
	cr_assert_eq(selected->count, 1);
	cr_assert_eq(selected->routes[0].nexthop, 2);
	table_free(selected);
	table_free(table);
}

Test(table, refuses_when_full)
{
	struct table_route route = route_of("10.0.0.0/8", 1);
	struct table table = { .count = TABLE_ROUTES_MAX };

	cr_assert_eq(table_append(&table, &route), -E2BIG);
	cr_assert_eq(table.count, TABLE_ROUTES_MAX);
}
