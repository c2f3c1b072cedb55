// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "bench/generate.h"
#include "bench/subject.h"
#include "bench/topology.h"
#include "bench/workloads.h"
#include "bench/workload/table.h"

// What the routers know and what they are sent: routes over LANE_GATEWAYS gateways, and
// TRAFFIC_DESTINATIONS destinations drawn over them.

#define SCENARIO_FAMILIES 2

struct scenario {
	struct table *routes;              // of both families, owned
	const volatile sig_atomic_t *stop; // set by a signal: loading ends with -EINTR
	const struct workload *workload;   // that the routes were added for, NULL: none
	// What is loaded: sorted, of one family each; and the routes of them that no packet goes by.
	struct table *loaded[SCENARIO_FAMILIES], *quiet[SCENARIO_FAMILIES];
	unsigned int loaded_count;
};

// Where a scenario takes place.
struct scenario_bed {
	const struct topology *topology;
	struct generate *generate;
	struct subject_bed *subjects;
	bool own_table; // some subject has an own table to fill
};

// Starts without any route.
int scenario_open(struct scenario *scenario, const volatile sig_atomic_t *stop);

// Frees the routes.
void scenario_close(struct scenario *scenario);

// Adds what the option --routes means: "1": one route of each family, from the prefixes that are set aside
// for benchmarks; "full": tables of the size and shape of the public Internet's; a number: the same shape
// with so many IPv4 routes; else a file. Tells errors on stderr.
int scenario_add(struct scenario *scenario, const char *what);

// Adds the routes of a workload, whose other wishes count from then on. Tells errors on stderr.
int scenario_add_workload(struct scenario *scenario, const struct workload *workload);

// The part of the packets that a right router forwards.
double scenario_share(const struct scenario *scenario);

// Does it have routes of a family?
bool scenario_has(const struct scenario *scenario, __u8 family);

// Brings the routes of a family into the router's kernel and the baselines, and the destinations into the
// generator; ret_routes says how many routes there are. Tells errors on stderr.
int scenario_load(struct scenario *scenario, const struct scenario_bed *bed, __u8 family, size_t *ret_routes);

// Makes all routes that are loaded lead out of another port of the router. Tells errors on stderr.
int scenario_lead(const struct scenario *scenario, const struct lane_port *egress);
