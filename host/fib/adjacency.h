// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Adjacencies: what one path of a route comes to, (egress, gateway, MTU) -> link addresses, port and tags in
 * a next-hop slot. Shared ones are found by their key; the others are the content of a leaf of its own.
 *
 * Each hangs on its egress interface and its gateway neighbour, so that what happens to these reaches the
 * adjacencies concerned and no others, whatever the number of routes. A path without gateway (on link) punts
 * for want of one: packets that can be forwarded match the host route of their neighbour.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <linux/types.h>

#include "host/fib/hash.h"
#include "xdp/verdict.h"

struct group_member;
struct interface;
struct interfaces;
struct neighbour;
struct neighbours;
struct nexthops;

LIST_HEAD(adjacency_members, group_member);

struct adjacency_key {
	__u32 ifindex;
	__u32 mtu;            /* of the route, 0 = none */
	__u16 family;         /* of the packets */
	__u16 gateway_family; /* 0 = on link */
	__u8 gateway[16];
};

struct adjacency {
	struct hash_node node;
	struct adjacency_key key;
	__u32 leaf;         /* its slot */
	__u32 hosts;        /* host routes that lead here */
	bool shared;        /* found by key */
	__u16 slot;         /* of the egress interface in the image */
	enum reason reason; /* why it punts; FORWARDED: it does not */
	struct interface *egress;
	struct neighbour *gateway;        /* NULL: on link */
	struct adjacency_members members; /* of groups */
	LIST_ENTRY(adjacency) egress_link, gateway_link;
};

struct adjacencies {
	struct hash hash;
	struct interfaces *interfaces;
	struct neighbours *neighbours;
	struct nexthops *nexthops;
};

int adjacencies_init(struct adjacencies *adjacencies, struct interfaces *interfaces,
		     struct neighbours *neighbours, struct nexthops *nexthops);
void adjacencies_exit(struct adjacencies *adjacencies);

/* Of the shared ones. */
struct adjacency *adjacency_find(const struct adjacencies *adjacencies, const struct adjacency_key *key);
/* Fills the slot `leaf`. -ENOMEM. */
int adjacency_new(struct adjacencies *adjacencies, const struct adjacency_key *key, __u32 leaf, bool shared,
		  struct adjacency **ret);
/* The slot stays as it is. */
void adjacency_free(struct adjacencies *adjacencies, struct adjacency *adjacency);

/*
 * Brings the slot up to date with egress and gateway. True: groups must look again, for the egress went down
 * or came up, or got another slot.
 */
bool adjacency_refresh(struct adjacencies *adjacencies, struct adjacency *adjacency);

/* Nothing can leave there, not even by the kernel's hand: groups do without it. */
bool adjacency_dead(const struct adjacency *adjacency);
