// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/oracle/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#include "tests/oracle/lpm.h"

static unsigned int width(__u8 family)
{
	return family == AF_INET ? 32 : 128;
}

static void *grow(void *array, __u32 count, __u32 *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = realloc(array, *room * size);
	assert(array);
	return array;
}

static struct world_table *table(struct world *world, __u32 id)
{
	struct world_table *new;

	for (__u32 i = 0; i < world->table_count; i++)
		if (world->table[i].id == id)
			return &world->table[i];
	assert(world->table_count < WORLD_TABLES);
	new = &world->table[world->table_count++];
	*new = (struct world_table){ .id = id, .lpm = { lpm_new(32), lpm_new(128) } };
	assert(new->lpm[0] && new->lpm[1]);
	return new;
}

// The table's prefixes of a family; NULL: there is no such table.
static struct lpm *routes_of(const struct world *world, __u32 id, __u8 family)
{
	for (__u32 i = 0; i < world->table_count; i++)
		if (world->table[i].id == id)
			return world->table[i].lpm[family == AF_INET6];
	return NULL;
}

// A route that comes with an address: one path on link, or none for local and broadcast ones.
static void add_automatic(struct world *world, const struct world_interface *interface,
			  const struct world_prefix *prefix, __u8 type)
{
	struct world_path path = { .ifindex = interface->ifindex, .weight = 1 };
	bool own_table = type == RTN_UNICAST || interface->table != RT_TABLE_MAIN;
	struct world_route route = { .prefix = *prefix,
				     .table = own_table ? interface->table : RT_TABLE_LOCAL,
				     .type = type,
				     .automatic = 1,
				     .path_count = 1 };

	world_add_route(world, &route, &path);
}

// Sets the bits behind the length to all ones or all zeroes.
static void fill_host_bits(struct world_prefix *prefix, bool ones)
{
	for (unsigned int bit = prefix->length; bit < width(prefix->family); bit++) {
		__u8 mask = 0x80 >> (bit % 8);

		prefix->address[bit / 8] =
			ones ? prefix->address[bit / 8] | mask : prefix->address[bit / 8] & ~mask;
	}
}

struct world *world_new(void)
{
	return calloc(1, sizeof(struct world));
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (__u32 i = 0; i < world->table_count; i++)
		for (int family = 0; family < 2; family++)
			lpm_free(world->table[i].lpm[family]);
	for (__u32 i = 0; i < world->interface_count; i++)
		for (int family = 0; family < 2; family++)
			lpm_free(world->neighbours[i][family]);
	free(world->route);
	free(world->path);
	free(world->neighbour);
	free(world);
}

struct world_interface *world_add_interface(struct world *world)
{
	__u32 number = world->interface_count++;
	struct world_interface *interface = &world->interface[number];

	assert(number < WORLD_INTERFACES);
	*interface = (struct world_interface){ .ifindex = WORLD_FIRST_IFINDEX + number,
					       .mac = { 0x02, 0x70, 0, 0, 0, number },
					       .table = RT_TABLE_MAIN,
					       .mtu = 1500,
					       .up = true,
					       .able = true,
					       .forward4 = true,
					       .forward6 = true };
	snprintf(interface->name, sizeof(interface->name), "w%u", number);
	world->neighbours[number][0] = lpm_new(32);
	world->neighbours[number][1] = lpm_new(128);
	assert(world->neighbours[number][0] && world->neighbours[number][1]);
	return interface;
}

void world_add_address(struct world *world, struct world_interface *interface,
		       const struct world_prefix *address)
{
	struct world_prefix prefix = *address;

	assert(interface->address_count < WORLD_ADDRESSES);
	interface->address[interface->address_count++] = *address;
	prefix.length = width(address->family);
	add_automatic(world, interface, &prefix, RTN_LOCAL);
	if (address->length == width(address->family))
		return;
	prefix.length = address->length;
	fill_host_bits(&prefix, false);
	add_automatic(world, interface, &prefix, RTN_UNICAST);
	// the subnet's broadcast address, or the subnet-router anycast address (RFC 4291, 2.6.1)
	fill_host_bits(&prefix, address->family == AF_INET);
	prefix.length = width(address->family);
	if (address->length < (address->family == AF_INET ? 31 : 127))
		add_automatic(world, interface, &prefix,
			      address->family == AF_INET ? RTN_BROADCAST : RTN_ANYCAST);
}

void world_add_route(struct world *world, const struct world_route *route, const struct world_path *paths)
{
	bool v6 = route->prefix.family == AF_INET6;
	struct lpm *lpm = table(world, route->table)->lpm[v6];
	struct world_route *new;
	__u32 index;

	if (!lpm_find(lpm, route->prefix.address, route->prefix.length, &index)) {
		world->route =
			grow(world->route, world->route_count, &world->route_room, sizeof(*world->route));
		index = world->route_count++;
		if (lpm_insert(lpm, route->prefix.address, route->prefix.length, index) < 0)
			abort();
	}
	new = &world->route[index];
	*new = *route;
	new->first_path = world->path_count;
	for (__u32 i = 0; i < route->path_count; i++) {
		world->path = grow(world->path, world->path_count, &world->path_room, sizeof(*world->path));
		world->path[world->path_count++] = paths[i];
	}
}

const struct world_route *world_route(const struct world *world, __u32 id, const struct world_prefix *prefix)
{
	struct lpm *lpm = routes_of(world, id, prefix->family);
	__u32 index;

	return lpm && lpm_find(lpm, prefix->address, prefix->length, &index) ? &world->route[index] : NULL;
}

bool world_delete_route(struct world *world, __u32 id, const struct world_prefix *prefix)
{
	struct lpm *lpm = routes_of(world, id, prefix->family);
	__u32 index;

	if (!lpm || !lpm_find(lpm, prefix->address, prefix->length, &index))
		return false;
	world->route[index].type = RTN_UNSPEC;
	return lpm_delete(lpm, prefix->address, prefix->length);
}

void world_add_neighbour(struct world *world, const struct world_neighbour *neighbour)
{
	struct lpm *lpm =
		world->neighbours[neighbour->ifindex - WORLD_FIRST_IFINDEX][neighbour->family == AF_INET6];
	__u32 index;

	if (!lpm_find(lpm, neighbour->address, width(neighbour->family), &index)) {
		world->neighbour = grow(world->neighbour, world->neighbour_count, &world->neighbour_room,
					sizeof(*world->neighbour));
		index = world->neighbour_count++;
		if (lpm_insert(lpm, neighbour->address, width(neighbour->family), index) < 0)
			abort();
	}
	world->neighbour[index] = *neighbour;
}

const struct world_interface *world_interface(const struct world *world, __u32 ifindex)
{
	__u32 number = ifindex - WORLD_FIRST_IFINDEX;

	return number < world->interface_count ? &world->interface[number] : NULL;
}

const struct world_interface *world_sub_interface(const struct world *world, __u32 parent, __u16 tpid,
						  __u16 vid)
{
	for (__u32 i = 0; i < world->interface_count; i++) {
		const struct world_interface *interface = &world->interface[i];

		if (interface->parent == parent && interface->tpid == tpid && interface->vid == vid)
			return interface;
	}
	return NULL;
}

const struct world_interface *world_port(const struct world *world, const struct world_interface *interface)
{
	while (interface->parent)
		interface = world_interface(world, interface->parent);
	return interface;
}

const struct world_route *world_lookup(const struct world *world, __u32 id, __u8 family, const __u8 *address)
{
	struct lpm *lpm = routes_of(world, id, family);
	__u32 index;

	return lpm && lpm_lookup(lpm, address, &index, NULL) ? &world->route[index] : NULL;
}

const struct world_neighbour *world_neighbour(const struct world *world, __u32 ifindex, __u8 family,
					      const __u8 *address)
{
	__u32 number = ifindex - WORLD_FIRST_IFINDEX, index;

	if (number >= world->interface_count)
		return NULL;
	return lpm_find(world->neighbours[number][family == AF_INET6], address, width(family), &index)
		       ? &world->neighbour[index]
		       : NULL;
}

bool world_is_own(const struct world *world, __u8 family, const __u8 *address)
{
	for (__u32 i = 0; i < world->interface_count; i++)
		for (__u32 j = 0; j < world->interface[i].address_count; j++) {
			const struct world_prefix *own = &world->interface[i].address[j];

			if (own->family == family && memcmp(own->address, address, width(family) / 8) == 0)
				return true;
		}
	return false;
}
