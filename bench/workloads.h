// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/lane.h"

// Situations that users recognise, as data: what the router knows, what it is sent, what else goes on.

#define WORKLOAD_PREFIXES 8

struct workload {
	const char *name, *text;
	const char *routes;                      // as of --routes; NULL: these:
	const char *prefixes[WORKLOAD_PREFIXES]; // of both families
	unsigned int fan; // all routes lead to one group of so many next hops; 0: to a gateway each
	const char *size; // as of --size
	double updates;   // changes of routes a second meanwhile
	struct lane_vlans vlans;
	unsigned int attack; // of 16 packets, so many are attacks, see load_attack()
};

// All of them; ret_count says how many.
const struct workload *workload_list(unsigned int *ret_count);

// The workload of that name; NULL: there is none.
const struct workload *workload_find(const char *name);
