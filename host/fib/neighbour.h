// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Neighbours: link addresses by (interface, address), and what depends on each of them: the adjacencies that
 * have it as gateway, and its host routes. A neighbour is kept while it is usable or an adjacency names it.
 *
 * The usable ones of each family also stand in an array sorted by address, so that a change of a route finds
 * the neighbours under its prefix by binary search.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <linux/types.h>

#include "host/fib/hash.h"
#include "host/fib/image_update.h"
#include "host/fib/prefix_tree.h"

struct adjacency;
struct host_route;
struct interface;
struct interfaces;

LIST_HEAD(neighbour_adjacencies, adjacency);
LIST_HEAD(neighbour_hosts, host_route);

struct neighbour {
	struct hash_node node;
	struct interface *interface;
	struct prefix_key key;
	__u8 address[16];
	__u8 family; /* AF_INET, AF_INET6 */
	bool usable;
	bool pinned; /* in use by a call in progress: not to be freed */
	__u8 mac[6];
	struct neighbour_adjacencies adjacencies; /* with this gateway */
	struct neighbour_hosts hosts;             /* one for each VRF where it is on link */
	LIST_ENTRY(neighbour) link;               /* of the interface */
};

struct neighbour_order {
	struct neighbour **at; /* usable neighbours by address */
	__u32 count, size;
};

struct neighbours {
	struct hash hash;
	struct neighbour_order order[2]; /* by enum image_family */
};

int neighbours_init(struct neighbours *neighbours);
void neighbours_exit(struct neighbours *neighbours);

struct neighbour *neighbour_find(const struct neighbours *neighbours, const struct interface *interface,
				 __u8 family, const __u8 *address);
/* Finds it or makes one that is not usable. NULL: no memory. */
struct neighbour *neighbour_get(struct neighbours *neighbours, struct interface *interface, __u8 family,
				const __u8 *address);
/* Frees a neighbour that is not usable and that nothing depends on; any other stays. */
void neighbour_drop(struct neighbours *neighbours, struct neighbour *neighbour);

/* mac NULL: not usable. -ENOMEM: it stays as it was. */
int neighbour_set_mac(struct neighbours *neighbours, struct neighbour *neighbour, const __u8 *mac);

/* The usable neighbours under a prefix stand at order->at[*ret_first .. *ret_end - 1]. */
const struct neighbour_order *neighbours_under(const struct neighbours *neighbours, enum image_family family,
					       const struct prefix_key *key, unsigned length,
					       __u32 *ret_first, __u32 *ret_end);

/* All neighbours in no order. */
void neighbours_each(const struct neighbours *neighbours,
		     void (*each)(void *arg, const struct neighbour *neighbour), void *arg);
