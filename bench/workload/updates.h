// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// Changes to a routing table, one after the other: generated over a table, or read from a trace
// (updates_trace.h).

struct update {
	double seconds; // since the first one; never falls
	bool withdraw;
	struct table_route route; // nexthop is 0 in a withdrawal
};

struct updates {
	int (*next)(struct updates *updates, struct update *ret_update);
	void (*free)(struct updates *updates);
};

// Gets the next update; returns 1, 0 at the end, or a negative errno (a trace tells the cause in its error
// text).
static inline int updates_next(struct updates *updates, struct update *ret_update)
{
	return updates->next(updates, ret_update);
}

// Frees the updates; NULL is fine.
static inline void updates_free(struct updates *updates)
{
	if (updates)
		updates->free(updates);
}

struct updates_options {
	__u64 seed;
	size_t count; // see each kind
	double rate;  // updates per second, for their times; 0: all at once
};

// The generators work over a sorted table, which must live as long and not change. Each one ends with the
// table as it was and withdraws only what is there. They return -ENOENT for an empty table, -EINVAL for
// options that make no sense, or -ENOMEM.

// A flap storm: share (above 0, up to 1) of the routes go and come back at random, count times in all.
int updates_flaps(const struct table *table, const struct updates_options *options, double share,
		  struct updates **ret_updates);

// Lost sessions: count routes (at most all) go, next hop after next hop; then they come back in the same
// order.
int updates_session_loss(const struct table *table, const struct updates_options *options,
			 struct updates **ret_updates);

// All routes get another next hop of 1 to nexthops (at least 2), then their own again; count is not used.
int updates_nexthop_change(const struct table *table, const struct updates_options *options, __u32 nexthops,
			   struct updates **ret_updates);

// About count updates of all kinds in random order: flaps, other next hops of 1 to nexthops, new
// more-specific routes that come and go.
int updates_mixture(const struct table *table, const struct updates_options *options, __u32 nexthops,
		    struct updates **ret_updates);
