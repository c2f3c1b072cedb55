// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel's next-hop objects and groups, by id. Routes name them (RTA_NH_ID); what such a route does
 * follows the object, so a change of an object is reported to whoever holds routes.
 *
 * The kernel says little about removals: an object whose device goes down or loses its carrier vanishes
 * without a message, and so do the groups it was the last member of, the memberships, and the IPv4 routes
 * (nexthop.c: nexthop_flush_dev()). objects_link_lost() does here what the kernel does there.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/route_message.h"

struct objects;

enum objects_state {
	OBJECTS_UNKNOWN, /* no such object (yet) */
	OBJECTS_PATHS,
	OBJECTS_REJECTS, /* blackhole */
	OBJECTS_ENCAPS,
	OBJECTS_OTHER, /* what no route can forward by: bridge FDB entries, groups too large to keep */
};

/* Told after the change. gone: the object is no more, and the kernel has removed its routes. */
typedef void objects_changed_fn(void *arg, __u32 id, bool gone);

int objects_new(objects_changed_fn *changed, void *arg, struct objects **ret);
/* NULL is fine. */
void objects_free(struct objects *objects);

/* Follows a message, from a notification or a dump. -ENOMEM. */
int objects_apply(struct objects *objects, const struct nexthop_message *message);
/* The device went down (or away), or lost its carrier: its objects are gone. Returns how many. */
unsigned objects_link_lost(struct objects *objects, __u32 ifindex);

/* Mark and sweep: between the two, apply() marks; end() removes what was not marked and returns how many. */
void objects_sync_begin(struct objects *objects);
unsigned objects_sync_end(struct objects *objects);

/* What packets of a route by this object do; at most ROUTE_PATHS paths, groups resolved into members. */
enum objects_state objects_resolve(const struct objects *objects, __u32 id, struct route_path *path,
				   __u32 *ret_count);
/* Objects that are known, groups among them. */
__u32 objects_count(const struct objects *objects, __u32 *ret_groups);
