// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel's routing tables, and what of them shows in the image.
 *
 * A table is open while an interface of ours uses it (RT_TABLE_MAIN always; see vrf.h): then its routes are
 * in the image, under the number .vrf. The routes of any other table are kept in trees of the host and cost
 * the image nothing.
 *
 * What an open table shows for a prefix:
 *
 *   layer SHADOW   a fixed range that is never forwarded; else RT_TABLE_LOCAL's route, which the kernel
 *                  looks at first for every VRF; else the table's own shadow route
 *   layer ROUTE    the host route of a neighbour; else the table's own route
 *
 * The table's own routes that do not show stand in .tree until they do.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <linux/types.h>

#include "host/fib/hash.h"
#include "host/fib/image_update.h"
#include "host/fib/own_filter.h"
#include "host/fib/pool.h"
#include "host/fib/prefix_tree.h"
#include "xdp/image.h"

struct grace;
struct host_route;

LIST_HEAD(table_list, table);
LIST_HEAD(table_hosts, host_route);

/* Neighbours whose host routes in a table are to be reviewed, step by step: see host_route.h. */
struct table_review {
	bool wanted;
	bool again; /* more was wanted meanwhile: from the beginning, when the end is reached */
	unsigned length;
	struct prefix_key key, next; /* all under key/length; from next on */
};

struct table {
	struct hash_node node;
	__u32 id;
	__u32 interfaces; /* that use it */
	bool open;
	__u16 vrf;                   /* of an open table */
	struct prefix_tree *tree[2]; /* own routes, by enum image_family: all, or those that do not show */
	struct prefix_tree *host[2]; /* host routes; NULL until there is one */
	__u32 routes[2];
	__u32 shadows[2]; /* of these */
	struct table_hosts hosts;
	struct table_review review[2];
	LIST_ENTRY(table) open_link;
};

struct tables {
	struct hash hash;
	struct table_list open;
	struct table *main, *local;
	struct image_update *update;
	struct pool vrfs;
	__u16 *closing; /* VRFs whose routes are being taken out */
	__u32 closing_count;
	struct own_filter own;
	bool held;     /* open tables are being loaded */
	__u64 refused; /* times that there was no VRF */
};

/* vrfs: at most so many open tables. */
int tables_init(struct tables *tables, struct image_update *update, struct image_tables *image,
		const struct grace *grace, __u32 vrfs);
void tables_exit(struct tables *tables);

struct table *table_find(const struct tables *tables, __u32 id);
/* Finds or makes it. NULL: no memory. */
struct table *table_get(struct tables *tables, __u32 id);
/* Frees a table that nobody needs; any other stays. */
void table_drop(struct tables *tables, struct table *table);

/* prefix->vrf is not looked at here and below. -ENOSPC: done, but some addresses punt. -ENOMEM: not done. */
int table_route_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		    __u16 *ret_old);
/* Whatever its layer. Returns the leaf, 0 if there was none. */
__u16 table_route_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix);

/* A neighbour's host route in an open table. As above. */
int table_host_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf);
/* No effect if the host route is not this leaf's. */
void table_host_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix,
		       __u16 leaf);

/*
 * The leaf that an open table's own routes give for an address. 0: none, or a shadow covers it, under which
 * host routes do not show.
 */
__u16 table_best(const struct tables *tables, const struct table *table, enum image_family family,
		 const struct prefix_key *key);

/* All tables in no order. */
void tables_each(const struct tables *tables, void (*each)(void *arg, const struct table *table), void *arg);

/* --- for vrf.c --- */

/* Whether the table's own route for a prefix shows in the image, or would if there is one. */
bool table_shows(const struct tables *tables, const struct table *table, const struct image_prefix *prefix);
/* Stores an own route where it belongs, image or tree; the other layer is not looked at. As
 * table_route_set(). */
int table_own_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		  __u16 *ret_old);
/* An empty tree for each family. -ENOMEM. */
int table_trees_new(struct prefix_tree *ret[2]);
void table_trees_free(struct prefix_tree *const tree[2]);
