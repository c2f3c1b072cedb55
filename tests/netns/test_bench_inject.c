// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// What the injector writes, read back through iproute2, in a test bed of its own.

#include "bench/inject.h"
#include "bench/netns.h"
#include "bench/topology.h"
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SEED   20260705
#define ROUTES 3000

static struct topology topology;
static struct inject *inject;
static struct table *table;
static int home;

static void open_bed(void)
{
	cr_assert_eq(topology_open(&topology), 0);
	cr_assert_eq(netns_enter(topology.subject.r0.netns, &home), 0);
	cr_assert_eq(inject_open(&inject), 0);
}

static void close_bed(void)
{
	inject_close(inject);
	table_free(table);
	netns_leave(home);
	topology_close(&topology);
}

TestSuite(bench_inject, .init = open_bed, .fini = close_bed);

static void make_table(__u8 family)
{
	struct random random;
	unsigned int i;

	table = table_new();
	random_seed(&random, SEED);
	for (i = 0; i < ROUTES; i++) {
		struct table_route route = { .family = family };

		route.len = 16 + random_below(&random, table_width(family) - 15);
		random_bytes(&random, route.addr, table_width(family) / 8);
		route.addr[0] = family == AF_INET6 ? 0x2a : 11;
		prefix_clear_host_bits(route.addr, route.len, table_width(family));
		route.nexthop = random_next(&random) & 0xffff;
		table_append(table, &route);
	}
	table_sort(table);
}

static struct inject_hop hop_of(const struct table_route *route)
{
	struct inject_hop hop = { .ifindex = topology.subject.r1.ifindex };

	lane_gateway_address(lane_gateway(route->nexthop), route->family, hop.gateway);
	return hop;
}

static void inject_all(enum inject_verb verb)
{
	struct inject_refusals refusals;

	for (size_t i = 0; i < table->count; i++) {
		struct inject_hop hop = hop_of(&table->routes[i]);

		cr_assert_eq(inject_route(inject, verb, &table->routes[i], &hop), 0);
	}
	cr_assert_eq(inject_flush(inject, &refusals), 0);
	cr_assert_eq(refusals.count, 0, "%llu refused, the first one with %d", refusals.count,
		     refusals.error);
}

// Reads the static routes as iproute2 shows them.
static json_t *read_back(__u8 family)
{
	FILE *pipe = popen(family == AF_INET6 ? "ip -6 -j route show proto static"
					      : "ip -j route show proto static",
			   "re");
	json_error_t error;
	json_t *routes;

	cr_assert(pipe);
	routes = json_loadf(pipe, 0, &error);
	pclose(pipe);
	cr_assert(json_is_array(routes), "%s", error.text);
	return routes;
}

// A host route shows without its length.
static void prefix_as_shown(const struct table_route *route, char text[PREFIX_TEXT_SIZE])
{
	prefix_format(route, text);
	if (route->len == table_width(route->family) && strchr(text, '/'))
		*strchr(text, '/') = 0;
}

static void check_kernel_has_table(__u8 family)
{
	json_t *shown = read_back(family), *by_prefix = json_object(), *route;
	char prefix[PREFIX_TEXT_SIZE], gateway[INET6_ADDRSTRLEN];
	size_t i;

	cr_assert_eq(json_array_size(shown), table->count);
	json_array_foreach(shown, i, route)
		json_object_set(by_prefix, json_string_value(json_object_get(route, "dst")), route);
	for (i = 0; i < table->count; i++) {
		struct inject_hop hop = hop_of(&table->routes[i]);

		prefix_as_shown(&table->routes[i], prefix);
		route = json_object_get(by_prefix, prefix);
		cr_assert(route, "%s is missing", prefix);
		inet_ntop(family, hop.gateway, gateway, sizeof(gateway));
		cr_assert_str_eq(json_string_value(json_object_get(route, "gateway")), gateway);
		cr_assert_str_eq(json_string_value(json_object_get(route, "dev")), "r1");
	}
	json_decref(by_prefix);
	json_decref(shown);
}

static void check_family(__u8 family)
{
	struct inject_refusals refusals;
	json_t *shown;

	make_table(family);
	inject_all(INJECT_ADD);
	check_kernel_has_table(family);
	for (size_t i = 0; i < table->count; i++)
		table->routes[i].nexthop += 1 + i % 5;
	inject_all(INJECT_REPLACE);
	check_kernel_has_table(family);
	inject_all(INJECT_DELETE);
	shown = read_back(family);
	cr_assert_eq(json_array_size(shown), 0);
	json_decref(shown);

	// Each refusal is counted; the first one is told.
	for (size_t i = 0; i < table->count; i++)
		cr_assert_eq(inject_route(inject, INJECT_DELETE, &table->routes[i], NULL), 0);
	cr_assert_eq(inject_flush(inject, &refusals), 0);
	cr_assert_eq(refusals.count, table->count);
	cr_assert_eq(refusals.error, -ESRCH);
	cr_assert_eq(refusals.sequence, 1);
}

Test(bench_inject, ipv4_add_replace_delete)
{
	check_family(AF_INET);
}

Test(bench_inject, ipv6_add_replace_delete)
{
	check_family(AF_INET6);
}

Test(bench_inject, the_first_refusal_is_told)
{
	struct inject_refusals refusals;
	struct inject_hop hop;

	make_table(AF_INET);
	hop = hop_of(&table->routes[1234]);
	cr_assert_eq(inject_route(inject, INJECT_ADD, &table->routes[1234], &hop), 0);
	cr_assert_eq(inject_flush(inject, &refusals), 0);
	cr_assert_eq(refusals.count, 0);
	for (size_t i = 0; i < table->count; i++) {
		hop = hop_of(&table->routes[i]);
		cr_assert_eq(inject_route(inject, INJECT_ADD, &table->routes[i], &hop), 0);
	}
	cr_assert_eq(inject_flush(inject, &refusals), 0);
	cr_assert_eq(refusals.count, 1);
	cr_assert_eq(refusals.error, -EEXIST);
	cr_assert_eq(refusals.sequence, 1235);
	check_kernel_has_table(AF_INET);
}

Test(bench_inject, next_hop_objects)
{
	struct inject_hop object = { .object = 42, .ifindex = topology.subject.r1.ifindex };
	struct inject_refusals refusals;
	json_t *shown, *route;
	size_t i;

	make_table(AF_INET);
	lane_gateway_address(3, AF_INET, object.gateway);
	cr_assert_eq(inject_object(inject, INJECT_ADD, AF_INET, &object), 0);
	for (i = 0; i < 10; i++)
		cr_assert_eq(inject_route(inject, INJECT_ADD, &table->routes[i], &object), 0);
	cr_assert_eq(inject_flush(inject, &refusals), 0);
	cr_assert_eq(refusals.count, 0);
	shown = read_back(AF_INET);
	cr_assert_eq(json_array_size(shown), 10);
	json_array_foreach(shown, i, route)
		cr_assert_eq(json_integer_value(json_object_get(route, "nhid")), 42);
	json_decref(shown);
	cr_assert_eq(inject_object(inject, INJECT_DELETE, AF_INET, &object), 0);
	cr_assert_eq(inject_flush(inject, &refusals), 0);
	cr_assert_eq(refusals.count, 0);
	shown = read_back(AF_INET);
	cr_assert_eq(json_array_size(shown), 0);
	json_decref(shown);
}
