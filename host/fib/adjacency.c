// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/adjacency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/interface.h"
#include "host/fib/neighbour.h"
#include "host/fib/nexthop.h"

static struct adjacency *container(struct hash_node *node)
{
	return (struct adjacency *)((char *)node - offsetof(struct adjacency, node));
}

/* The smallest of interface and route MTU and the port's room, as far as 16 bits go: no IPv4 packet is
 * longer. */
static __u16 packet_limit(const struct adjacency *adjacency, const struct egress *egress)
{
	const struct fib_interface *is = &adjacency->egress->is;
	__u32 limit = adjacency->key.family == AF_INET ? is->mtu4 : is->mtu6;

	if (adjacency->key.mtu && adjacency->key.mtu < limit)
		limit = adjacency->key.mtu;
	if (egress->room < limit)
		limit = egress->room;
	return limit < 0xffff ? limit : 0xffff;
}

/* The frame's first twelve bytes: destination from the neighbour, source from the egress interface. */
static void write_addresses(const struct adjacency *adjacency, struct image_nexthop *ret)
{
	__u8 front[12];

	memcpy(front, adjacency->gateway->mac, 6);
	memcpy(front + 6, adjacency->egress->is.mac, 6);
	memcpy(&ret->mac0, front, 8);
	memcpy(&ret->mac1, front + 8, 4);
}

static enum reason reason_of(const struct adjacency *adjacency, const struct egress *egress)
{
	if (egress->reason)
		return egress->reason;
	return adjacency->gateway && adjacency->gateway->usable ? REASON_FORWARDED : REASON_NEIGHBOUR;
}

static void compose(const struct adjacency *adjacency, const struct egress *egress, struct image_nexthop *ret)
{
	*ret = (struct image_nexthop){
		.interface = adjacency->slot,
		.kind = NEXTHOP_PUNT,
		.reason = adjacency->reason,
		.flags = NEXTHOP_UNICAST,
	};
	if (adjacency->reason)
		return;
	ret->kind = NEXTHOP_FORWARD;
	ret->flags |= egress->frames ? NEXTHOP_FRAMES : 0;
	ret->mtu = packet_limit(adjacency, egress);
	ret->port = egress->port;
	ret->tags = egress->tags;
	ret->tag[0] = egress->tag[0];
	ret->tag[1] = egress->tag[1];
	write_addresses(adjacency, ret);
}

static void attach(struct adjacency *adjacency, struct interface *egress, struct neighbour *gateway)
{
	adjacency->egress = egress;
	adjacency->gateway = gateway;
	LIST_INSERT_HEAD(gateway ? &egress->adjacencies : &egress->on_link, adjacency, egress_link);
	if (gateway)
		LIST_INSERT_HEAD(&gateway->adjacencies, adjacency, gateway_link);
}

int adjacencies_init(struct adjacencies *adjacencies, struct interfaces *interfaces,
		     struct neighbours *neighbours, struct nexthops *nexthops)
{
	*adjacencies = (struct adjacencies){
		.interfaces = interfaces,
		.neighbours = neighbours,
		.nexthops = nexthops,
	};
	return hash_init(&adjacencies->hash);
}

void adjacencies_exit(struct adjacencies *adjacencies)
{
	hash_exit(&adjacencies->hash);
}

struct adjacency *adjacency_find(const struct adjacencies *adjacencies, const struct adjacency_key *key)
{
	struct hash_node *node = hash_first(&adjacencies->hash, hash_bytes(key, sizeof(*key)));

	for (; node; node = hash_next(node))
		if (memcmp(&container(node)->key, key, sizeof(*key)) == 0)
			return container(node);
	return NULL;
}

int adjacency_new(struct adjacencies *adjacencies, const struct adjacency_key *key, __u32 leaf, bool shared,
		  struct adjacency **ret)
{
	struct adjacency *adjacency = calloc(1, sizeof(*adjacency));
	struct neighbour *gateway = NULL;
	struct interface *egress;

	if (!adjacency)
		return -ENOMEM;
	egress = interface_get(adjacencies->interfaces, key->ifindex);
	if (!egress)
		goto free_adjacency;
	if (key->gateway_family) {
		gateway = neighbour_get(adjacencies->neighbours, egress, key->gateway_family, key->gateway);
		if (!gateway)
			goto drop_egress;
	}
	adjacency->key = *key;
	adjacency->leaf = leaf;
	adjacency->shared = shared;
	attach(adjacency, egress, gateway);
	if (shared)
		hash_insert(&adjacencies->hash, &adjacency->node, hash_bytes(key, sizeof(*key)));
	adjacency_refresh(adjacencies, adjacency);
	*ret = adjacency;
	return 0;

drop_egress:
	interface_drop(adjacencies->interfaces, egress);
free_adjacency:
	free(adjacency);
	return -ENOMEM;
}

void adjacency_free(struct adjacencies *adjacencies, struct adjacency *adjacency)
{
	if (adjacency->shared)
		hash_remove(&adjacencies->hash, &adjacency->node);
	LIST_REMOVE(adjacency, egress_link);
	if (adjacency->gateway) {
		LIST_REMOVE(adjacency, gateway_link);
		neighbour_drop(adjacencies->neighbours, adjacency->gateway);
	}
	interface_drop(adjacencies->interfaces, adjacency->egress);
	free(adjacency);
}

bool adjacency_refresh(struct adjacencies *adjacencies, struct adjacency *adjacency)
{
	bool dead = adjacency_dead(adjacency);
	__u16 slot = adjacency->slot;
	struct image_nexthop content;
	struct egress egress;

	interface_egress(adjacencies->interfaces, adjacency->egress, &egress);
	adjacency->slot = adjacency->egress->slot;
	adjacency->reason = reason_of(adjacency, &egress);
	compose(adjacency, &egress, &content);
	nexthop_set(adjacencies->nexthops, adjacency->leaf, &content);
	return dead != adjacency_dead(adjacency) || slot != adjacency->slot;
}

bool adjacency_dead(const struct adjacency *adjacency)
{
	return adjacency->reason == REASON_EGRESS_DOWN;
}
