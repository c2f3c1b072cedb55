// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Draws worlds. Address plan: interface number n of a VRF is 10.n.0.1 and fd00:0:n::1, so that VRFs overlap;
// hosts 2 to 6 of each subnet, and fe80::2 to fe80::6, are its neighbours. Routes lie elsewhere, nested.
#include "tests/oracle/world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "bench/workload/random.h"

#define FIRST_HOST 2
#define HOSTS      5
#define VRF_TABLE  1001

struct draw {
	struct world *world;
	const struct world_options *options;
	struct random random;
	__u32 numbered[WORLD_TABLES]; // interfaces so far in main and each VRF
};

static __u32 below(struct draw *draw, __u32 bound)
{
	return random_below(&draw->random, bound);
}

static bool chance(struct draw *draw, __u32 percent)
{
	return below(draw, 100) < percent;
}

static void clear_host_bits(struct world_prefix *prefix)
{
	__u32 width = prefix->family == AF_INET ? 32 : 128;

	for (__u32 bit = prefix->length; bit < width; bit++)
		prefix->address[bit / 8] &= ~(0x80 >> (bit % 8));
}

/* --- interfaces --- */

static void draw_switches(struct draw *draw, struct world_interface *interface)
{
	static const enum reason punts[] = { REASON_NETFILTER, REASON_XFRM, REASON_POLICY_RULE };

	interface->rp_filter = chance(draw, 50) ? 0 : 1 + below(draw, 2);
	interface->redirects = chance(draw, 30);
	interface->forward4 = chance(draw, 96);
	if (draw->options->live)
		return;
	interface->forward6 = chance(draw, 96);
	if (interface->ifindex < WORLD_FIRST_IFINDEX + 2)
		return; // two sound ones, so that packets get anywhere
	interface->up = chance(draw, 95);
	interface->able = chance(draw, 95);
	interface->foreign = chance(draw, 5);
	if (chance(draw, 4))
		interface->punt = punts[below(draw, 3)];
}

static void draw_addresses(struct draw *draw, struct world_interface *interface)
{
	static const __u8 lengths[] = { 24, 24, 24, 25, 28, 29 };
	__u32 vrf = interface->table == RT_TABLE_MAIN ? 0 : interface->table - VRF_TABLE + 1;
	__u32 number = draw->numbered[vrf]++;
	struct world_prefix v4 = { .family = AF_INET,
				   .length = lengths[below(draw, 6)],
				   .address = { 10, number, 0, 1 } };
	struct world_prefix v6 = { .family = AF_INET6,
				   .length = 64,
				   .address = { 0xfd, 0, 0, 0, 0, number, [15] = 1 } };

	// one in eight carries IPv4 by IPv6 neighbours only
	if (number == 0 || !chance(draw, 12))
		world_add_address(draw->world, interface, &v4);
	world_add_address(draw->world, interface, &v6);
}

static void draw_neighbours(struct draw *draw, const struct world_interface *interface)
{
	struct world_neighbour neighbour = { .ifindex = interface->ifindex };

	for (__u8 host = FIRST_HOST; host < FIRST_HOST + HOSTS; host++) {
		__u8 number = interface->ifindex - WORLD_FIRST_IFINDEX;

		for (__u32 i = 0; i <= interface->address_count; i++) {
			__u8 family = i < interface->address_count ? interface->address[i].family : AF_INET6;

			neighbour.family = family;
			memset(neighbour.address, 0, 16);
			if (i < interface->address_count)
				memcpy(neighbour.address, interface->address[i].address, 16);
			else
				memcpy(neighbour.address, (__u8[]){ 0xfe, 0x80 }, 2);
			neighbour.address[family == AF_INET ? 3 : 15] = host;
			memcpy(neighbour.mac, (__u8[]){ 2, 0x4e, number, i, family, host }, 6);
			neighbour.resolved = draw->options->live || chance(draw, 97);
			world_add_neighbour(draw->world, &neighbour);
		}
	}
}

static __u32 draw_vrf_table(struct draw *draw)
{
	__u32 vrf = below(draw, draw->options->vrfs + 1);

	return vrf ? VRF_TABLE + vrf - 1 : RT_TABLE_MAIN;
}

static void draw_port(struct draw *draw)
{
	static const __u32 mtus[] = { 1500, 1500, 1500, 1280, 1400, 2000, 3000, 9000 };
	struct world_interface *port = world_add_interface(draw->world);

	port->mtu = mtus[below(draw, draw->options->live ? 7 : 8)];
	port->table = draw_vrf_table(draw);
	port->hides = !draw->options->live && chance(draw, 15);
	draw_switches(draw, port);
	draw_addresses(draw, port);
	draw_neighbours(draw, port);
}

static void draw_sub_interface(struct draw *draw)
{
	struct world *world = draw->world;
	const struct world_interface *parent = &world->interface[below(draw, world->interface_count)];
	__u16 tpid = chance(draw, 75) ? ETH_P_8021Q : ETH_P_8021AD;
	__u16 vid = chance(draw, 80) ? 1 + below(draw, 200) : 1 + below(draw, 4094);
	struct world_interface *sub;

	if (parent->parent && world_interface(world, parent->parent)->parent)
		parent = world_interface(world, parent->parent); // two tags at most
	if (world_sub_interface(world, parent->ifindex, tpid, vid))
		return;
	sub = world_add_interface(world);
	sub->parent = parent->ifindex;
	sub->tpid = tpid;
	sub->vid = vid;
	sub->mtu = parent->mtu;
	if (chance(draw, 75))
		memcpy(sub->mac, parent->mac, 6);
	sub->table = draw_vrf_table(draw);
	draw_switches(draw, sub);
	draw_addresses(draw, sub);
	draw_neighbours(draw, sub);
}

/* --- routes --- */

static __u8 draw_length(struct draw *draw, __u8 family)
{
	static const struct {
		__u8 percent, first4, count4, first6, count6;
	} kinds[] = {
		{ 30, 24, 1, 48, 1 }, { 28, 16, 8, 32, 16 }, { 20, 25, 8, 65, 64 },
		{ 15, 8, 8, 64, 1 },  { 7, 0, 8, 0, 32 },
	};
	__u32 percent = below(draw, 100), i = 0;

	while (percent >= kinds[i].percent)
		percent -= kinds[i++].percent;
	return family == AF_INET ? kinds[i].first4 + below(draw, kinds[i].count4)
				 : kinds[i].first6 + below(draw, kinds[i].count6);
}

// A prefix of its own, or one that lies within another of the same table.
static void draw_prefix(struct draw *draw, __u32 table, struct world_prefix *prefix)
{
	__u8 family = prefix->family;

	prefix->length = draw_length(draw, family);
	random_bytes(&draw->random, prefix->address, 16);
	if (family == AF_INET) {
		memset(prefix->address + 4, 0, 12);
		do
			prefix->address[0] = 20 + below(draw, 204);
		while (prefix->address[0] == 127 || prefix->address[0] == 169);
	} else {
		memcpy(prefix->address, (__u8[]){ 0x20 + below(draw, 2), below(draw, 4), 0, below(draw, 4) },
		       4);
	}
	if (chance(draw, 55) && draw->world->route_count) {
		const struct world_route *outer = &draw->world->route[below(draw, draw->world->route_count)];
		__u32 whole = outer->prefix.length / 8;

		if (outer->table == table && outer->prefix.family == family && !outer->automatic &&
		    outer->prefix.length < prefix->length)
			memcpy(prefix->address, outer->prefix.address, whole);
	}
	clear_host_bits(prefix);
}

static void draw_path(struct draw *draw, __u8 family, __u32 table, struct world_path *path)
{
	const struct world_interface *out = NULL;
	__u8 host = FIRST_HOST + below(draw, HOSTS);
	bool numbered = false;

	do
		out = &draw->world->interface[below(draw, draw->world->interface_count)];
	while (out->table != table && !(chance(draw, 3) && !draw->options->live));
	for (__u32 i = 0; i < out->address_count; i++)
		numbered |= out->address[i].family == family;
	memset(path, 0, sizeof(*path));
	path->ifindex = out->ifindex;
	path->weight = chance(draw, 60) ? 1 : 1 + below(draw, 10);
	if (family == AF_INET && numbered && !chance(draw, 8)) {
		path->family = AF_INET;
		memcpy(path->gateway, out->address[0].address, 4);
		path->gateway[3] = host;
	} else {
		path->family = AF_INET6;
		if (chance(draw, 50))
			memcpy(path->gateway, out->address[out->address_count - 1].address, 16);
		else
			memcpy(path->gateway, (__u8[16]){ 0xfe, 0x80 }, 16);
		path->gateway[15] = host;
	}
}

static __u8 draw_type(struct draw *draw)
{
	static const __u8 types[] = { RTN_BLACKHOLE, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT,
				      RTN_THROW };

	return chance(draw, 88) ? RTN_UNICAST : types[below(draw, 5)];
}

// Paths of one route differ: the kernel refuses doubles.
static __u32 draw_paths(struct draw *draw, struct world_route *route, struct world_path paths[WORLD_PATHS])
{
	__u32 wanted = draw->options->single ? 1
		       : chance(draw, 80)    ? 1
		       : chance(draw, 95)    ? 2 + below(draw, 6)
					     : 16 + below(draw, 32);
	__u32 count = 0;

	for (__u32 tries = 0; tries < 2 * wanted; tries++) {
		struct world_path *path = &paths[count];
		bool new = true;

		draw_path(draw, route->prefix.family, route->table, path);
		for (__u32 i = 0; i < count; i++)
			new &= paths[i].ifindex != path->ifindex || paths[i].family != path->family ||
			       memcmp(paths[i].gateway, path->gateway, 16) != 0;
		count += new;
		if (count == wanted)
			break;
	}
	return count;
}

static void draw_content(struct draw *draw, __u32 table, const struct world_prefix *prefix)
{
	static const __u32 mtus[] = { 1280, 1300, 1400, 1500 };
	struct world_path paths[WORLD_PATHS];
	struct world_route route = { .table = table, .prefix = *prefix };

	route.type = draw_type(draw);
	if (route.type == RTN_UNICAST) {
		route.path_count = draw_paths(draw, &route, paths);
		if (chance(draw, 6))
			route.mtu = mtus[below(draw, 4)];
	}
	world_add_route(draw->world, &route, paths);
}

static void draw_route(struct draw *draw, __u8 family, __u32 table)
{
	struct world_prefix prefix = { .family = family };

	draw_prefix(draw, table, &prefix);
	draw_content(draw, table, &prefix);
}

// A host route on link: the destination is its own neighbour.
static void draw_host(struct draw *draw, const struct world_interface *interface, __u8 family)
{
	struct world_path path = { .ifindex = interface->ifindex, .weight = 1 };
	struct world_route route = {
		.table = interface->table, .prefix.family = family, .type = RTN_UNICAST, .path_count = 1
	};
	struct world_neighbour neighbour = { .ifindex = interface->ifindex,
					     .family = family,
					     .mac = { 2, 0x48, interface->ifindex, below(draw, 256), family,
						      below(draw, 256) },
					     .resolved = true };

	draw_prefix(draw, interface->table, &route.prefix);
	route.prefix.length = family == AF_INET ? 32 : 128;
	random_bytes(&draw->random, route.prefix.address + (family == AF_INET ? 3 : 8),
		     family == AF_INET ? 1 : 8);
	memcpy(neighbour.address, route.prefix.address, 16);
	world_add_route(draw->world, &route, &path);
	world_add_neighbour(draw->world, &neighbour);
}

// The local table of every Linux: loopback.
static void draw_loopback(struct draw *draw)
{
	static const struct world_prefix loopback[] = {
		{ .family = AF_INET, .length = 8, .address = { 127 } },
		{ .family = AF_INET6, .length = 128, .address = { [15] = 1 } },
	};

	for (int i = 0; i < 2; i++) {
		struct world_route route = {
			.prefix = loopback[i], .table = RT_TABLE_LOCAL, .type = RTN_LOCAL, .automatic = 1
		};

		world_add_route(draw->world, &route, NULL);
	}
}

static void draw_routes(struct draw *draw, __u32 table)
{
	__u32 members = 0;

	for (__u32 i = 0; i < draw->world->interface_count; i++)
		members += draw->world->interface[i].table == table;
	if (!members)
		return;
	for (__u32 i = 0; i < draw->options->routes; i++) {
		draw_route(draw, AF_INET, table);
		draw_route(draw, AF_INET6, table);
	}
}

/* --- changes --- */

static struct world_change change_route(struct draw *draw)
{
	struct world *world = draw->world;
	__u32 index = below(draw, world->route_count);
	const struct world_route *route = &world->route[index];
	struct world_prefix prefix = route->prefix;
	__u32 table = route->table;

	while (route->automatic) {
		index = below(draw, world->route_count);
		route = &world->route[index];
		prefix = route->prefix;
		table = route->table;
	}
	if (world_route(world, table, &prefix) && chance(draw, 40)) {
		world_delete_route(world, table, &prefix);
		return (struct world_change){ WORLD_ROUTE_GONE, index };
	}
	if (chance(draw, 40))
		draw_prefix(draw, table, &prefix);
	if (world_route(world, table, &prefix) && world_route(world, table, &prefix)->automatic)
		return change_route(draw);
	draw_content(draw, table, &prefix);
	return (struct world_change){ WORLD_ROUTE, world_route(world, table, &prefix) - world->route };
}

static struct world_change change_neighbour(struct draw *draw)
{
	__u32 index = below(draw, draw->world->neighbour_count);
	struct world_neighbour *neighbour = &draw->world->neighbour[index];

	neighbour->mac[4] ^= 0x80;
	if (!draw->options->live)
		neighbour->resolved = chance(draw, 90);
	return (struct world_change){ WORLD_NEIGHBOUR, index };
}

static struct world_change change_interface(struct draw *draw)
{
	__u32 index = below(draw, draw->world->interface_count);
	struct world_interface *interface = &draw->world->interface[index];

	switch (below(draw, draw->options->live ? 3 : 5)) {
	case 0:
		interface->rp_filter = below(draw, 3);
		break;
	case 1:
		interface->redirects = !interface->redirects;
		break;
	case 2:
		interface->forward4 = !interface->forward4;
		break;
	case 3:
		interface->up = !interface->up;
		break;
	default:
		interface->mtu = 1280 + below(draw, 300);
	}
	return (struct world_change){ WORLD_INTERFACE, index };
}

struct world_change world_change(struct world *world, const struct world_options *options,
				 struct random *random)
{
	struct draw draw = { .world = world, .options = options, .random = *random };
	__u32 percent = below(&draw, 100);
	struct world_change change;

	if (percent < 85)
		change = change_route(&draw);
	else if (percent < 95)
		change = change_neighbour(&draw);
	else
		change = change_interface(&draw);
	*random = draw.random;
	return change;
}

struct world *world_random(__u64 seed, const struct world_options *options)
{
	struct draw draw = { .world = world_new(), .options = options };

	if (!draw.world)
		return NULL;
	random_seed(&draw.random, seed);
	draw.world->vrfs = options->vrfs > 0;
	draw_loopback(&draw);
	for (__u32 i = 0; i < options->ports; i++)
		draw_port(&draw);
	for (__u32 i = 0; i < options->sub_interfaces; i++)
		draw_sub_interface(&draw);
	draw_routes(&draw, RT_TABLE_MAIN);
	for (__u32 i = 0; i < options->vrfs; i++)
		draw_routes(&draw, VRF_TABLE + i);
	for (__u32 i = 0; i < draw.world->interface_count; i++) {
		draw_host(&draw, &draw.world->interface[i], AF_INET);
		draw_host(&draw, &draw.world->interface[i], AF_INET6);
	}
	return draw.world;
}
