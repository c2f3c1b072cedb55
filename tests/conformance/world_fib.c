// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/world_fib.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

static __u32 below(struct world_fib *tables, __u32 bound)
{
	return random_below(&tables->random, bound);
}

// A full table is an answer, not a failure: the packets concerned go to the kernel.
static int check(struct world_fib *tables, int error)
{
	if (error != -ENOSPC)
		return error;
	tables->full = true;
	return 0;
}

static enum reason reason_of(__u8 type)
{
	switch (type) {
	case RTN_UNICAST:
		return REASON_FORWARDED;
	case RTN_LOCAL:
		return REASON_LOCAL;
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		return REASON_BROADCAST;
	case RTN_BLACKHOLE:
		return REASON_BLACKHOLE;
	case RTN_UNREACHABLE:
		return REASON_UNREACHABLE;
	case RTN_PROHIBIT:
		return REASON_PROHIBIT;
	case RTN_THROW:
		return REASON_THROW;
	default:
		assert(!"no such type of route");
		return REASON_UNSUPPORTED_ROUTE;
	}
}

static struct fib_prefix prefix_of(const struct world_prefix *prefix)
{
	struct fib_prefix result = { .family = prefix->family, .length = prefix->length };

	memcpy(result.address, prefix->address, 16);
	return result;
}

static int get_leaf(struct world_fib *tables, const struct world_route *route, bool own, __u32 *ret_leaf)
{
	const struct world *world = tables->world;
	struct fib_path paths[WORLD_PATHS];
	struct fib_leaf_spec spec = { .reason = reason_of(route->type),
				      .family = route->prefix.family,
				      .mtu = route->mtu,
				      .path_count = route->type == RTN_UNICAST ? route->path_count : 0,
				      .path = paths };

	memset(paths, 0, sizeof(paths));
	for (__u32 i = 0; i < spec.path_count; i++) {
		const struct world_path *path = &world->path[route->first_path + i];

		paths[i].ifindex = path->ifindex;
		paths[i].family = path->family;
		paths[i].weight = path->weight;
		memcpy(paths[i].gateway, path->gateway, 16);
	}
	return own ? fib_leaf_new(tables->fib, &spec, ret_leaf) : fib_leaf_get(tables->fib, &spec, ret_leaf);
}

// Some by a leaf of their own, as next-hop objects have. The fib holds the leaf as long as routes lead to it.
static int set_route(struct world_fib *tables, const struct world_route *content, __u32 table,
		     const struct world_prefix *prefix)
{
	struct fib_prefix at = prefix_of(prefix);
	__u32 leaf;
	bool own = below(tables, 4) == 0 && (content->type == RTN_UNICAST || content->type == RTN_BLACKHOLE);
	int error = check(tables, get_leaf(tables, content, own, &leaf));

	if (error)
		return error;
	error = check(tables, fib_route_set(tables->fib, table, &at, leaf, table == RT_TABLE_LOCAL));
	fib_leaf_put(tables->fib, leaf);
	return error;
}

int world_fib_route(struct world_fib *tables, const struct world_route *route)
{
	return set_route(tables, route, route->table, &route->prefix);
}

void world_fib_route_gone(struct world_fib *tables, __u32 table, const struct world_prefix *prefix)
{
	struct fib_prefix at = prefix_of(prefix);

	fib_route_delete(tables->fib, table, &at);
}

int world_fib_neighbour(struct world_fib *tables, const struct world_neighbour *neighbour)
{
	return check(tables,
		     fib_neighbour_set(tables->fib, neighbour->ifindex, neighbour->family, neighbour->address,
				       neighbour->resolved ? neighbour->mac : NULL));
}

// Loose means strict where the interface has no IPv4 address: Linux then wants the route to lead back by it.
static __u8 rp_filter(const struct world_interface *interface)
{
	for (__u32 i = 0; i < interface->address_count; i++)
		if (interface->address[i].family == AF_INET)
			return interface->rp_filter;
	return interface->rp_filter ? 1 : 0;
}

int world_fib_interface(struct world_fib *tables, const struct world_interface *interface)
{
	struct fib_interface is = { .ifindex = interface->ifindex,
				    .parent = interface->parent,
				    .tpid = interface->tpid,
				    .vid = interface->vid,
				    .up = true,
				    .ethernet = true,
				    .plain_tag = true,
				    .forward4 = interface->forward4,
				    .forward6 = interface->forward6,
				    .redirects = interface->redirects,
				    .rp_filter = rp_filter(interface),
				    .table = interface->table,
				    .mtu4 = interface->mtu,
				    .mtu6 = interface->mtu,
				    .punt = interface->punt };

	memcpy(is.mac, interface->mac, 6);
	for (const struct world_interface *device = interface; device;
	     device = world_interface(tables->world, device->parent))
		is.up &= device->up;
	return check(tables, fib_interface_set(tables->fib, &is));
}

/* --- bringing a world in --- */

static int add_interfaces(struct world_fib *tables)
{
	const struct world *world = tables->world;
	int error = 0;

	for (__u32 i = 0; i < world->interface_count && !error; i++) {
		const struct world_interface *interface = &world->interface[i];

		tables->port[i] = WORLD_FIB_NO_PORT;
		error = world_fib_interface(tables, interface);
		if (error || interface->parent || interface->foreign)
			continue;
		error = fib_port_add(tables->fib, interface->ifindex, &tables->port[i]);
		if (error)
			continue;
		fib_port_egress(tables->fib, tables->port[i], interface->able, interface->able);
		fib_port_tags(tables->fib, tables->port[i], interface->hides);
		if (tables->port[i] >= tables->ports)
			tables->ports = tables->port[i] + 1;
	}
	return error;
}

static int add_neighbours(struct world_fib *tables, __u32 from, __u32 to)
{
	int error = 0;

	for (__u32 i = from; i < to && !error; i++)
		error = world_fib_neighbour(tables, &tables->world->neighbour[i]);
	return error;
}

// Sets a route, sometimes on a detour: first other content, or with a more specific one that goes again.
static int add_route(struct world_fib *tables, const struct world_route *route)
{
	const struct world *world = tables->world;
	const struct world_route *other = &world->route[below(tables, world->route_count)];
	struct world_prefix inner = route->prefix;
	int error = 0;

	if (below(tables, 8) == 0 && other->prefix.family == route->prefix.family)
		error = set_route(tables, other, route->table, &route->prefix);
	if (!error)
		error = world_fib_route(tables, route);
	if (error || below(tables, 8) || other->prefix.family != route->prefix.family)
		return error;
	inner.length += 1 + below(tables, 8);
	if (inner.length > (inner.family == AF_INET ? 32 : 128) || route->table == RT_TABLE_LOCAL)
		return 0;
	if (world_route(world, route->table, &inner))
		return 0;
	error = set_route(tables, other, route->table, &inner);
	if (below(tables, 2))
		fib_settle(tables->fib);
	world_fib_route_gone(tables, route->table, &inner);
	return error;
}

static int add_routes(struct world_fib *tables)
{
	const struct world *world = tables->world;
	__u32 *order = calloc(world->route_count, sizeof(*order));
	int error = 0;

	if (!order)
		return -ENOMEM;
	for (__u32 i = 0; i < world->route_count; i++)
		order[i] = i;
	for (__u32 i = world->route_count; i > 1; i--) {
		__u32 with = below(tables, i), kept = order[i - 1];

		order[i - 1] = order[with];
		order[with] = kept;
	}
	for (__u32 i = 0; i < world->route_count && !error; i++) {
		error = add_route(tables, &world->route[order[i]]);
		if (below(tables, 64) == 0)
			fib_settle(tables->fib);
	}
	free(order);
	return error;
}

static int fill(struct world_fib *tables)
{
	const struct world *world = tables->world;
	__u32 early = world->neighbour_count / 2;
	int error = add_interfaces(tables);

	if (!error)
		error = add_neighbours(tables, 0, early);
	if (!error)
		error = add_routes(tables);
	if (!error)
		error = add_neighbours(tables, early, world->neighbour_count);
	if (error)
		return error;
	fib_hold(tables->fib, false);
	tables->store->tables->control.deadline = ~0ull;
	world_fib_settle(tables);
	return 0;
}

int world_fib_new(const struct world *world, __u64 seed, const struct fib_limits *limits, bool maps,
		  struct world_fib **ret)
{
	struct world_fib *tables = calloc(1, sizeof(*tables));
	int error;

	if (!tables)
		return -ENOMEM;
	tables->world = world;
	random_seed(&tables->random, seed);
	error = maps ? image_store_maps(limits, &tables->store) : image_store_memory(limits, &tables->store);
	if (!error)
		error = fib_new(limits, tables->store, &tables->fib);
	if (!error)
		error = fill(tables);
	if (error) {
		world_fib_free(tables);
		return error;
	}
	*ret = tables;
	return 0;
}

void world_fib_free(struct world_fib *tables)
{
	if (!tables)
		return;
	if (tables->fib)
		fib_free(tables->fib);
	image_store_free(tables->store);
	free(tables);
}

void world_fib_settle(struct world_fib *tables)
{
	while (fib_settle(tables->fib))
		;
}
