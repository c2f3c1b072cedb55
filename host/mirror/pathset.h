// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a route does with its packets: type, next hops (or the next-hop object), MTU, and everything else that
 * tells two routes of a prefix apart. A full table has a million routes and a few thousand of these, so
 * routes hold a number and the set is kept once, with a leaf of its own in the fib.
 *
 * The leaf follows links and next-hop objects, whatever the number of routes behind it. Two states need the
 * routes themselves to be looked at again:
 *
 *   usable    lookups take the route. Not so if all next hops are dead; then the leaf punts (which is never
 *             wrong) until the routes behind it have given way to the next best.
 *   doomed    the kernel has removed all routes with this set without a word. The leaf punts, no new route
 *             gets this set (the kernel may well be told the same route again), and the routes are to be
 *             removed.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/mirror/links.h"
#include "host/mirror/objects.h"
#include "host/mirror/route_message.h"

struct pathsets;

/* Sets, beyond which routes get the leaf TABLE_FULL; the image has no more next hops than that anyway. */
#define PATHSETS_MAX (1u << 20)

/* What was put into words by the kernel, in a form that is compared as bytes. */
struct pathset {
	__u8 family, type, scope; /* type: RTN_* */
	bool encap, expires, too_many;
	__u8 source_length;
	__u32 mtu, other_metrics, nexthop;
	__u8 source[16], preferred[16];
	__u32 path_count;
	struct route_path path[]; /* flags: RTNH_F_DEAD */
};

/* links and objects are borrowed; NULL objects may be set later by pathsets_objects(). -ENOMEM. */
int pathsets_new(struct fib *fib, const struct links *links, struct pathsets **ret);
void pathsets_objects(struct pathsets *pathsets, const struct objects *objects);
/* NULL is fine. */
void pathsets_free(struct pathsets *pathsets);

/* The set of a route; each get needs a put. -ENOMEM, -ENOSPC: none. */
int pathsets_get(struct pathsets *pathsets, const struct route_message *route, __u32 *ret);
/* The same without creating it, and without a reference. -ENOENT. */
int pathsets_find(const struct pathsets *pathsets, const struct route_message *route, __u32 *ret);
/* Whether a route is of this set, but for dead flags. */
bool pathsets_alike(const struct pathsets *pathsets, __u32 id, const struct route_message *route);
/* The set `id` less the next hops that a route names (by device and gateway); needs a put. -ENOENT: none are
 * left. */
int pathsets_without(struct pathsets *pathsets, __u32 id, const struct route_message *gone, __u32 *ret);
void pathsets_put(struct pathsets *pathsets, __u32 id);

const struct pathset *pathsets_content(const struct pathsets *pathsets, __u32 id);
__u32 pathsets_leaf(const struct pathsets *pathsets, __u32 id);
bool pathsets_usable(const struct pathsets *pathsets, __u32 id);
bool pathsets_doomed(const struct pathsets *pathsets, __u32 id);
/* The set was usable and is not, or the reverse, or its leaf is another one, or it is doomed: its routes are
 * to be looked at again. */
bool pathsets_stale(const struct pathsets *pathsets, __u32 id);
/* All routes of the stale sets have been looked at. */
void pathsets_settled(struct pathsets *pathsets);
bool pathsets_unsettled(const struct pathsets *pathsets);
/* Moves whenever something becomes stale. */
__u64 pathsets_epoch(const struct pathsets *pathsets);

/* An IPv6 route that the kernel makes one multipath route of with others of its prefix and metric
 * (rt6_qualify_for_ecmp()). */
bool pathsets_joins(const struct pathsets *pathsets, __u32 id, __u8 protocol);

/* A link's liveness may have changed; 0: any link's. What was dead only for want of a carrier lives again. */
void pathsets_link_changed(struct pathsets *pathsets, __u32 ifindex);
void pathsets_nexthop_changed(struct pathsets *pathsets, __u32 nexthop);

/* What the kernel does without a word; each returns the number of sets doomed. */
/*
 * fib_sync_down_dev() and rt6_sync_down_dev(): next hops through the device die. IPv4 routes that have no
 * other are removed; those of IPv6 are too, but with a word. The next hop of a local route (scope host) dies
 * only if IP is disabled on the device or the device is gone: all. Then the words of IPv6 have been heard as
 * well.
 */
unsigned pathsets_link_down(struct pathsets *pathsets, __u32 ifindex, __u8 family, bool all);
/* fib_sync_up(): next hops through the device that are left live again. */
void pathsets_link_up(struct pathsets *pathsets, __u32 ifindex, __u8 family);
unsigned pathsets_doom_nexthop(struct pathsets *pathsets, __u32 nexthop);

/* The kernel may have removed IPv4 routes with this preferred source: they punt until trust() says that a
 * dump has told which are left. Returns the number of sets. */
unsigned pathsets_suspect(struct pathsets *pathsets, const __u8 *preferred);
bool pathsets_suspected(const struct pathsets *pathsets);
void pathsets_trust(struct pathsets *pathsets);

/* Tries again to get leaves for the sets that found the fib full. */
void pathsets_retry(struct pathsets *pathsets);

__u32 pathsets_count(const struct pathsets *pathsets);
