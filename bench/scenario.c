// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/scenario.h"

#include "bench/destination.h"
#include "bench/inject.h"
#include "bench/load.h"
#include "bench/netns.h"
#include "bench/rtnetlink.h"
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table_generate.h"
#include "bench/workload/table_read.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIO_SEED        1
#define SCENARIO_FAN_GATEWAY 64 // the first gateway of a fan; those below are of the lane

// Set aside for benchmarks by RFC 2544 and RFC 5180.
static const char *const scenario_one_route[] = { "198.18.0.0/15", "2001:2::/48" };

static unsigned int scenario_family_number(__u8 family)
{
	return family == AF_INET6 ? 6 : 4;
}

// The first of the next-hop objects of a fan; the group comes after them.
static __u32 scenario_fan_object(__u8 family)
{
	return family == AF_INET6 ? 2000 : 1000;
}

static int scenario_tell_refusals(const struct table *table, const struct inject_refusals *refusals)
{
	char prefix[PREFIX_TEXT_SIZE];

	if (!refusals->count)
		return 0;
	prefix_format(&table->routes[refusals->sequence - 1], prefix);
	warnx("bench: the kernel refused %llu routes, the first one %s: %s", refusals->count, prefix,
	      strerror(-refusals->error));
	return refusals->error;
}

// The next hops of a workload that has a fan of them: all with the MAC of gateway 0, so that the sink need
// not know which one a packet takes.
static int scenario_fan(const struct scenario *scenario, struct inject *inject, __u8 family,
			const struct lane_port *egress)
{
	struct inject_hop hop = { .ifindex = egress->ifindex };
	struct inject_refusals refusals;
	unsigned int members = scenario->workload->fan;
	struct rtnetlink *rtnetlink = NULL;
	__u8 mac[6];
	int err = rtnetlink_open(&rtnetlink);

	lane_gateway_mac(0, mac);
	for (unsigned int i = 0; err >= 0 && i < members; i++) {
		lane_gateway_address(SCENARIO_FAN_GATEWAY + i, family, hop.gateway);
		hop.object = scenario_fan_object(family) + i;
		err = rtnetlink_neighbour(rtnetlink, egress->ifindex, family, hop.gateway, mac);
		if (err >= 0)
			err = inject_object(inject, INJECT_REPLACE, family, &hop);
	}
	if (err >= 0)
		err = inject_flush(inject, &refusals);
	if (err >= 0 && refusals.count)
		err = refusals.error;
	if (err >= 0)
		err = rtnetlink_group(rtnetlink, scenario_fan_object(family) + members,
				      scenario_fan_object(family), members);
	rtnetlink_close(rtnetlink);
	return err;
}

static void scenario_hops(const struct scenario *scenario, __u8 family, const struct lane_port *egress,
			  struct inject_hop hops[LANE_GATEWAYS])
{
	bool fan = scenario->workload && scenario->workload->fan;

	for (unsigned int gateway = 0; gateway < LANE_GATEWAYS; gateway++) {
		hops[gateway] = (struct inject_hop){ .ifindex = egress->ifindex };
		if (fan)
			hops[gateway].object = scenario_fan_object(family) + scenario->workload->fan;
		lane_gateway_address(gateway, family, hops[gateway].gateway);
	}
}

static int scenario_inject_table(const struct scenario *scenario, const struct lane_port *egress,
				 enum inject_verb verb, const struct table *table, struct inject *inject)
{
	struct inject_hop hops[LANE_GATEWAYS];
	struct inject_refusals refusals;
	__u8 family = table->routes[0].family;
	int err = 0;

	if (scenario->workload && scenario->workload->fan)
		err = scenario_fan(scenario, inject, family, egress);
	scenario_hops(scenario, family, egress, hops);
	for (size_t i = 0; err >= 0 && i < table->count; i++) {
		err = inject_route(inject, verb, &table->routes[i],
				   &hops[lane_gateway(table->routes[i].nexthop)]);
		if (*scenario->stop)
			return -EINTR;
	}
	if (err >= 0)
		err = inject_flush(inject, &refusals);
	if (err < 0) {
		warnx("bench: cannot write routes into the kernel: %s", strerror(-err));
		return err;
	}
	return scenario_tell_refusals(table, &refusals);
}

static int scenario_inject(const struct scenario *scenario, const struct lane_port *egress,
			   enum inject_verb verb, const struct table *table)
{
	struct inject *inject;
	int home, err;

	err = netns_enter(egress->netns, &home);
	if (err < 0)
		return err;
	err = inject_open(&inject);
	if (err >= 0) {
		err = scenario_inject_table(scenario, egress, verb, table, inject);
		inject_close(inject);
	}
	netns_leave(home);
	return err;
}

// Destinations of attacks that are where no route leads: in the last /24 of the documentation prefixes, which
// no table has.
static void scenario_estrange(const struct scenario *scenario, __u8 family,
			      struct generate_destination *destinations)
{
	static const __u8 strange4[] = { 203, 0, 113 }, strange6[] = { 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff };
	unsigned int attack = scenario->workload ? scenario->workload->attack : 0;

	for (unsigned int i = 0; i < TRAFFIC_DESTINATIONS; i++) {
		if (load_attack(attack, i) != LOAD_STRANGE)
			continue;
		if (family == AF_INET6)
			memcpy(destinations[i].address, strange6, sizeof(strange6));
		else
			memcpy(destinations[i].address, strange4, sizeof(strange4));
	}
}

static int scenario_compare(const void *one, const void *other)
{
	return memcmp(((const struct destination *)one)->address,
		      ((const struct destination *)other)->address,
		      sizeof(((const struct destination *)one)->address));
}

// The routes of the table that cover none of the destinations, which it sorts.
static int scenario_find_quiet(const struct table *table, struct destination *destinations,
			       struct table **ret_quiet)
{
	struct table *quiet = table_new();
	size_t below = 0;
	int err = quiet ? 0 : -ENOMEM;

	qsort(destinations, TRAFFIC_DESTINATIONS, sizeof(*destinations), scenario_compare);
	for (size_t i = 0; err >= 0 && i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		while (below < TRAFFIC_DESTINATIONS &&
		       memcmp(destinations[below].address, route->addr, sizeof(route->addr)) < 0)
			below++;
		if (below == TRAFFIC_DESTINATIONS || !prefix_covers(route, destinations[below].address))
			err = table_append(quiet, route);
	}
	if (err < 0) {
		table_free(quiet);
		return err;
	}
	*ret_quiet = quiet;
	return 0;
}

static int scenario_draw(struct scenario *scenario, const struct scenario_bed *bed, const struct table *table)
{
	static struct generate_destination destinations[TRAFFIC_DESTINATIONS];
	static struct destination drawn[TRAFFIC_DESTINATIONS];
	struct random random;
	unsigned int i;
	int err;

	random_seed(&random, SCENARIO_SEED);
	err = destination_draw(table, &random, drawn, TRAFFIC_DESTINATIONS);
	if (err < 0) {
		warnx("bench: cannot draw destinations: %s",
		      err == -ENOENT ? "no route leads to addresses that are forwarded" : strerror(-err));
		return err;
	}
	for (i = 0; i < TRAFFIC_DESTINATIONS; i++) {
		memcpy(destinations[i].address, drawn[i].address, sizeof(destinations[i].address));
		destinations[i].gateway =
			scenario->workload && scenario->workload->fan ? 0 : lane_gateway(drawn[i].nexthop);
	}
	scenario_estrange(scenario, table->routes[0].family, destinations);
	generate_set_destinations(bed->generate, table->routes[0].family, destinations, TRAFFIC_DESTINATIONS);
	return scenario_find_quiet(table, drawn, &scenario->quiet[scenario->loaded_count]);
}

static int scenario_load_table(struct scenario *scenario, const struct scenario_bed *bed,
			       const struct table *table)
{
	int err = scenario_inject(scenario, &bed->topology->subject.r1, INJECT_ADD, table);

	if (err < 0)
		return err;
	if (bed->own_table) {
		err = subject_load(bed->subjects, table);
		if (err < 0) {
			warnx("bench: cannot fill the LPM trie: %s", strerror(-err));
			return err;
		}
	}
	return scenario_draw(scenario, bed, table);
}

static int scenario_add_prefixes(struct scenario *scenario, const char *const *prefixes, unsigned int most)
{
	struct table_route route;
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < most && prefixes[i]; i++) {
		prefix_parse(prefixes[i], &route);
		route.nexthop = i;
		err = table_append(scenario->routes, &route);
	}
	return err;
}

// routes 0: all of the full tables.
static int scenario_add_generated(struct scenario *scenario, size_t routes)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	struct table *full = NULL;
	size_t i;
	int err;

	if (routes) {
		options.ipv6 = routes * options.ipv6 / options.ipv4;
		options.ipv4 = routes;
	}
	err = table_generate(&options, &full);
	for (i = 0; err >= 0 && i < full->count; i++)
		err = table_append(scenario->routes, &full->routes[i]);
	if (err < 0)
		warnx("bench: cannot make a table of %zu routes: %s", options.ipv4, strerror(-err));
	table_free(full);
	return err;
}

static int scenario_add_file(struct scenario *scenario, const char *path)
{
	struct stream_error error;
	int err = table_read(path, NULL, scenario->routes, &error);

	if (err < 0)
		warnx("bench: %s", error.text);
	return err;
}

int scenario_open(struct scenario *scenario, const volatile sig_atomic_t *stop)
{
	*scenario = (struct scenario){ .stop = stop, .routes = table_new() };
	return scenario->routes ? 0 : -ENOMEM;
}

void scenario_close(struct scenario *scenario)
{
	table_free(scenario->routes);
	for (unsigned int i = 0; i < SCENARIO_FAMILIES; i++) {
		table_free(scenario->loaded[i]);
		table_free(scenario->quiet[i]);
	}
}

int scenario_add(struct scenario *scenario, const char *what)
{
	unsigned long routes;

	if (strcmp(what, "1") == 0)
		return scenario_add_prefixes(scenario, scenario_one_route, 2);
	if (strcmp(what, "full") == 0)
		return scenario_add_generated(scenario, 0);
	if (strspn(what, "0123456789") < strlen(what))
		return scenario_add_file(scenario, what);
	routes = strtoul(what, NULL, 10);
	if (!routes) {
		warnx("bench: --routes %s: want at least one route", what);
		return -EINVAL;
	}
	return scenario_add_generated(scenario, routes);
}

int scenario_add_workload(struct scenario *scenario, const struct workload *workload)
{
	scenario->workload = workload;
	if (workload->routes)
		return scenario_add(scenario, workload->routes);
	return scenario_add_prefixes(scenario, workload->prefixes, WORKLOAD_PREFIXES);
}

double scenario_share(const struct scenario *scenario)
{
	return scenario->workload ? 1 - (double)scenario->workload->attack / LOAD_PACKETS : 1;
}

int scenario_lead(const struct scenario *scenario, const struct lane_port *egress)
{
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < scenario->loaded_count; i++)
		err = scenario_inject(scenario, egress, INJECT_REPLACE, scenario->loaded[i]);
	return err;
}

bool scenario_has(const struct scenario *scenario, __u8 family)
{
	for (size_t i = 0; i < scenario->routes->count; i++)
		if (scenario->routes->routes[i].family == family)
			return true;
	return false;
}

int scenario_load(struct scenario *scenario, const struct scenario_bed *bed, __u8 family, size_t *ret_routes)
{
	struct table *table;
	int err;

	err = table_select(scenario->routes, family, &table);
	if (err < 0)
		return err;
	if (!table->count) {
		warnx("bench: no IPv%u routes given; restrict --family or add a file by --routes",
		      scenario_family_number(family));
		err = -ENOENT;
	} else {
		err = table_sort(table);
	}
	if (err >= 0)
		err = scenario_load_table(scenario, bed, table);
	if (err < 0) {
		table_free(table);
		return err;
	}
	*ret_routes = table->count;
	scenario->loaded[scenario->loaded_count++] = table;
	return 0;
}
