// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// Deeper nesting is counted in the last slot.
#define TABLE_DEPTH_MAX 16

// What a forwarding structure feels of one family of a table.
struct table_statistics {
	size_t routes;
	size_t lengths[129];            // routes per prefix length
	size_t depths[TABLE_DEPTH_MAX]; // routes per number of routes that cover them
	size_t same_as_cover;           // covered routes whose next hop is that of the route right above
	size_t intervals;    // of the whole address space, after merging neighbours with equal next hop; gaps
			     // count
	size_t gaps;         // intervals without route
	size_t leaf_runs;    // runs of adjacent /24 (IPv6: /48) routes with the same next hop
	size_t split_blocks; // /24s (IPv6: /48s) that hold longer prefixes
	size_t mixed_groups; // /19s (IPv6: /43s; 32 leaves each) that hold more than one interval
	size_t nexthops;     // different ids
};

// Counts one family of a sorted table; -ENOMEM.
int table_statistics(const struct table *table, __u8 family, struct table_statistics *ret_statistics);
