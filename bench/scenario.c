// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/scenario.h"

#include "bench/destination.h"
#include "bench/inject.h"
#include "bench/netns.h"
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table_generate.h"
#include "bench/workload/table_read.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIO_SEED 1

// Set aside for benchmarks by RFC 2544 and RFC 5180.
static const char *const scenario_one_route[] = { "198.18.0.0/15", "2001:2::/48" };

static unsigned int scenario_family_number(__u8 family)
{
	return family == AF_INET6 ? 6 : 4;
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

static int scenario_inject_table(const struct scenario *scenario, const struct scenario_bed *bed,
				 const struct table *table, struct inject *inject)
{
	struct inject_hop hops[LANE_GATEWAYS] = { 0 };
	struct inject_refusals refusals;
	unsigned int gateway;
	size_t i;
	int err = 0;

	for (gateway = 0; gateway < LANE_GATEWAYS; gateway++) {
		hops[gateway].ifindex = bed->topology->subject.r1.ifindex;
		lane_gateway_address(gateway, table->routes[0].family, hops[gateway].gateway);
	}
	for (i = 0; err >= 0 && i < table->count; i++) {
		err = inject_route(inject, INJECT_ADD, &table->routes[i],
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

static int scenario_inject(const struct scenario *scenario, const struct scenario_bed *bed,
			   const struct table *table)
{
	struct inject *inject;
	int home, err;

	err = netns_enter(bed->topology->subject.r0.netns, &home);
	if (err < 0)
		return err;
	err = inject_open(&inject);
	if (err >= 0) {
		err = scenario_inject_table(scenario, bed, table, inject);
		inject_close(inject);
	}
	netns_leave(home);
	return err;
}

static int scenario_draw(const struct scenario_bed *bed, const struct table *table)
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
		destinations[i].gateway = lane_gateway(drawn[i].nexthop);
	}
	generate_set_destinations(bed->generate, table->routes[0].family, destinations, TRAFFIC_DESTINATIONS);
	return 0;
}

static int scenario_load_table(const struct scenario *scenario, const struct scenario_bed *bed,
			       const struct table *table)
{
	int err = scenario_inject(scenario, bed, table);

	if (err < 0)
		return err;
	if (bed->own_table) {
		err = subject_load(bed->subjects, table);
		if (err < 0) {
			warnx("bench: cannot fill the LPM trie: %s", strerror(-err));
			return err;
		}
	}
	return scenario_draw(bed, table);
}

static int scenario_add_one_route(struct scenario *scenario)
{
	struct table_route route;
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < 2; i++) {
		prefix_parse(scenario_one_route[i], &route);
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
	scenario->stop = stop;
	scenario->routes = table_new();
	return scenario->routes ? 0 : -ENOMEM;
}

void scenario_close(struct scenario *scenario)
{
	table_free(scenario->routes);
}

int scenario_add(struct scenario *scenario, const char *what)
{
	unsigned long routes;

	if (strcmp(what, "1") == 0)
		return scenario_add_one_route(scenario);
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

int scenario_load(const struct scenario *scenario, const struct scenario_bed *bed, __u8 family,
		  size_t *ret_routes)
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
	if (err >= 0)
		*ret_routes = table->count;
	table_free(table);
	return err;
}
