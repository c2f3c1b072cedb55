// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel's routes, all of them: of each prefix the list of routes in the kernel's order, of which the fib
 * gets the one that lookups find. That is, IPv4: the first one by metric that is usable; IPv6 likewise, where
 * several of the lowest metric that are not one multipath route go by round robin and reachability in the
 * kernel, so the prefix punts. A prefix with a route for a TOS or a source prefix punts, too.
 *
 * Notifications change the list as the kernel says it did (rib_apply()). A dump replaces what is known of a
 * prefix (rib_dump_*): at its end, routes of the dumped table that it did not show are removed. Two things
 * make a dump an unreliable witness while the table changes, and for both the answer is the same: the prefix
 * punts until another dump has confirmed it.
 *
 *   Notifications that are older than the part of the dump just read are applied after it. Most lead back to
 * the same list, not all: "replace" means the first one of the list, whichever that was. rib_apply() notices
 * a notification for a route that is FRESH from the dump: a doubt. Whoever reads calls rib_dump_settled()
 *   when all notifications older than the part have been applied.
 *
 *   The kernel may pass over routes when others are deleted during the dump (ip6_fib.c: a walk that restarts
 *   skips as many nodes as it had seen; fib_trie.c: the same within one key). A route that a dump did not
 * show while there were deletions is unsure, until a dump shows it, one without deletions does not, or
 *   several in a row do not.
 *
 * Every change reaches the fib before the call returns, except those that concern many routes at once (a set
 * of next hops that is doomed or no longer usable, a table that closes, what a dump did not show): these are
 * done by rib_work() in slices, and until then the routes concerned punt, or (what a dump did not show) stay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/mirror/pathset.h"
#include "host/mirror/route_message.h"

struct rib;

#define RIB_TABLES 1100 /* main, local, one for each VRF of the image, and some */
#define RIB_DOUBTS 256  /* prefixes that punt because a dump could not be trusted; more are only counted */

/* limit: routes per family, 0 = 8 million. -ENOMEM. */
int rib_new(struct fib *fib, struct pathsets *pathsets, __u32 limit, struct rib **ret);
/* Leaves the fib as it is. NULL is fine. */
void rib_free(struct rib *rib);

/* Follows a routing table from now on; others are ignored. -ENOSPC: RIB_TABLES. Open already: no effect. */
int rib_table_open(struct rib *rib, __u32 table);
/* Forgets it; the work is done by rib_work(). */
void rib_table_close(struct rib *rib, __u32 table);
bool rib_table_is_open(const struct rib *rib, __u32 table);

/* A notification. -ENOSPC, -ENOMEM: there is no room for the route; its prefix punts. */
int rib_apply(struct rib *rib, const struct route_message *message);

/* A dump of a table, or of what uses the device `ifindex` (not 0) in it. One at a time for each family. */
void rib_dump_begin(struct rib *rib, __u32 table, __u8 family, __u32 ifindex);
int rib_dump_route(struct rib *rib, const struct route_message *message);
void rib_dump_settled(struct rib *rib, __u8 family);
/* complete: the kernel told everything. Otherwise nothing is removed. */
void rib_dump_end(struct rib *rib, __u8 family, bool complete);
/* Some table may need another dump; then, whether this one does: there are doubts or unsure routes in it. */
bool rib_doubtful(const struct rib *rib);
bool rib_dump_again(const struct rib *rib, __u32 table, __u8 family);

/* Waiting work, about `routes` routes' worth of it. True: there is more. */
bool rib_work(struct rib *rib, __u32 routes);
bool rib_busy(const struct rib *rib);

/* Tells the fib again about a prefix, that it has no route if so. */
void rib_refresh(struct rib *rib, __u32 table, const struct fib_prefix *prefix);

/* All destinations of a prefix punt for this reason, whatever the routes say: looked at before all tables. */
int rib_override(struct rib *rib, const struct fib_prefix *prefix, enum reason reason);
void rib_override_remove(struct rib *rib, const struct fib_prefix *prefix);

/* A route of the RIB, for show and audit. */
struct rib_view {
	__u32 table;
	struct fib_prefix prefix;
	__u32 metric;
	__u8 tos, protocol;
	bool unsure;
	__u32 pathset;
};
/* Some route, by a number that may be anything. -ENOENT: there are none. */
int rib_sample(const struct rib *rib, __u8 family, __u32 random, struct rib_view *ret);

struct rib_stats {
	__u64 routes[2]; /* [0] IPv4, [1] IPv6 */
	__u64 applied;   /* notifications for open tables */
	__u64 strays;    /* deletions of what was not there */
	__u64 doubts;    /* prefixes that punted for a while because a dump could not be trusted */
	__u64 lost;      /* prefixes that should have punted for that but were too many */
	__u64 swept;     /* routes removed because a dump did not show them */
	__u64 doomed;    /* routes removed because the kernel had removed them without a word */
	__u64 refused;   /* routes for which there was no room */
	__u32 tables, unsure, in_doubt;
	size_t bytes;
};
void rib_stats(const struct rib *rib, struct rib_stats *ret);
