// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Leaves: what routes lead to, by next-hop id. A leaf below REASON_MAX is a reason and always there. The
 * others are counted: routes, callers, host routes, and groups (for their members' adjacencies) hold
 * references.
 *
 * A shared leaf is found by its content, which never changes: an adjacency (one path) or a group of them. An
 * owned leaf belongs to one caller, who may change the content from anything to anything under all its
 * routes: it is filled with a reason, an adjacency of its own, or a group of its own over shared adjacencies.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/fib/group.h"
#include "host/fib/hash.h"

struct adjacencies;
struct adjacency;
struct buckets;
struct neighbour;
struct nexthops;

enum leaf_content {
	LEAF_REASON, /* owned ones only */
	LEAF_ADJACENCY,
	LEAF_GROUP,
};

struct leaf {
	__u32 id;
	__u32 references;
	enum leaf_content content;
	bool owned;
	enum reason reason;
	struct adjacency *adjacency;
	struct group *group;
	struct fib_leaf_spec *wanted; /* owned, punts TABLE_FULL: what it shall be when there is room */
	__u32 *table;                 /* owned or on link: the tables that have had a route to it */
	__u32 table_count;
};

struct leaves {
	struct leaf *at[IMAGE_NEXTHOPS]; /* NULL: not in use */
	struct hash groups;              /* the shared ones */
	struct group_list dirty;         /* groups to be refreshed */
	struct adjacencies *adjacencies;
	struct buckets *buckets;
	struct nexthops *nexthops;
	__u32 *bucket_image;
	__u32 count, group_count;
	__u32 starved;                            /* owned leaves with .wanted */
	__u32 healed_at_slots, healed_at_buckets; /* free slots and used buckets when healing failed last */
	__u64 refused;                            /* times that a table had no room */
	bool owes;                                /* somebody was given TABLE_FULL instead of a leaf */
	unsigned refused_order;                   /* largest block of buckets that was not there */
};

int leaves_init(struct leaves *leaves, struct adjacencies *adjacencies, struct buckets *buckets,
		struct nexthops *nexthops, struct image_tables *image);
/* Frees all leaves whatever references there are; the image stays as it is. */
void leaves_exit(struct leaves *leaves);

/* As in fib.h. */
int leaf_get(struct leaves *leaves, const struct fib_leaf_spec *spec, __u32 *ret_id);
int leaf_new(struct leaves *leaves, const struct fib_leaf_spec *spec, __u32 *ret_id);
int leaf_change(struct leaves *leaves, __u32 id, const struct fib_leaf_spec *spec);

/* NULL: a reason, or no such leaf. */
struct leaf *leaf_find(const struct leaves *leaves, __u32 id);
void leaf_hold(struct leaves *leaves, __u32 id);
void leaf_put(struct leaves *leaves, __u32 id);

/* The adjacency of a leaf with one path on link; NULL: it is something else. */
struct adjacency *leaf_on_link(const struct leaves *leaves, __u32 id);
/* The leaf for a neighbour's host route under a route on link. As leaf_get(). */
int leaf_get_host(struct leaves *leaves, const struct adjacency *on_link, const struct neighbour *neighbour,
		  __u32 *ret_id);
/* Notes that a table has a route to the leaf, where that will be asked for. -ENOMEM. */
int leaf_note_table(struct leaves *leaves, __u32 id, __u32 table);

/* How many leaves have the neighbour as gateway for other reasons than its host routes. */
__u32 leaves_by_gateway(const struct leaves *leaves, const struct neighbour *neighbour);

/* Egress or gateway of an adjacency changed: its slot at once, the groups it is in by leaves_regroup(). */
void leaf_refresh(struct leaves *leaves, struct adjacency *adjacency);
/* To be called when all adjacencies concerned are refreshed, so that each group is only once. */
void leaves_regroup(struct leaves *leaves);

/* Fills one owned leaf that found no room before. The caller looks after its neighbours' host routes; 0:
 * none. */
__u32 leaves_heal(struct leaves *leaves);
/* True once when there is room for what was refused. */
bool leaves_room(struct leaves *leaves);
