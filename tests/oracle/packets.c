// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/oracle/packets.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "tests/oracle/spoil.h"

#define ORDINARY_PERCENT 60

// Indices into world.route.
struct choice {
	__u32 count;
	__u32 *route;
};

struct packets {
	const struct world *world;
	struct random random;
	__u64 number;
	struct choice reach[WORLD_TABLES][2]; // the unicast routes of each table and family
	struct choice back[WORLD_INTERFACES]; // IPv4 routes that leave by each interface
	struct choice any;                    // all routes
};

static __u32 below(struct random *random, __u32 bound)
{
	return random_below(random, bound);
}

static int choice_add(struct choice *choice, __u32 route)
{
	// room doubles at each power of two
	if ((choice->count & (choice->count - 1)) == 0) {
		__u32 *larger =
			realloc(choice->route, (choice->count ? choice->count * 2 : 1) * sizeof(*larger));

		if (!larger)
			return -1;
		choice->route = larger;
	}
	choice->route[choice->count++] = route;
	return 0;
}

static const struct world_route *choice_draw(struct packets *packets, const struct choice *choice)
{
	return choice->count ? &packets->world->route[choice->route[below(&packets->random, choice->count)]]
			     : NULL;
}

static __u32 table_number(const struct world *world, __u32 id)
{
	for (__u32 i = 0; i < world->table_count; i++)
		if (world->table[i].id == id)
			return i;
	return 0;
}

static int index_route(struct packets *packets, __u32 index)
{
	const struct world *world = packets->world;
	const struct world_route *route = &world->route[index];
	bool v6 = route->prefix.family == AF_INET6;
	int error = choice_add(&packets->any, index);

	if (route->type != RTN_UNICAST)
		return error;
	error |= choice_add(&packets->reach[table_number(world, route->table)][v6], index);
	for (__u32 i = 0; i < route->path_count && !v6; i++)
		error |= choice_add(
			&packets->back[world->path[route->first_path + i].ifindex - WORLD_FIRST_IFINDEX],
			index);
	return error;
}

/* --- an ordinary packet --- */

static const struct world_interface *draw_interface(struct packets *packets)
{
	const struct world *world = packets->world;
	const struct world_interface *in = NULL;

	// most come in where packets are forwarded
	for (int tries = 0; tries < 8; tries++) {
		in = &world->interface[below(&packets->random, world->interface_count)];
		if (in->up && world_port(world, in)->up && in->forward4 && in->forward6 && !in->punt)
			break;
	}
	return in;
}

// Where the connected subnets and on-link hosts are drawn, few addresses have a neighbour: take one of those.
static void draw_on_link(struct packets *packets, const struct world_route *route, __u8 address[16])
{
	address[route->prefix.family == AF_INET ? 3 : 15] = 1 + below(&packets->random, 7);
}

// Whether packets by this route go on, at least by its first path.
static bool leads_on(const struct world *world, const struct world_route *route,
		     const struct world_interface *in)
{
	const struct world_interface *out;

	if (!route->path_count)
		return true;
	out = world_interface(world, world->path[route->first_path].ifindex);
	return out && out != in && out->up && world_port(world, out)->up;
}

// A route that leads on, if one is found soon; one in ten any of the family, so that blackholes and the like
// have their share.
static const struct world_route *draw_route(struct packets *packets, const struct world_interface *in,
					    __u8 family)
{
	const struct world *world = packets->world;
	const struct choice *reach = &packets->reach[table_number(world, in->table)][family == AF_INET6];
	const struct choice *choice = reach->count && below(&packets->random, 10) ? reach : &packets->any;
	const struct world_route *route;
	int tries = 0;

	do
		route = choice_draw(packets, choice);
	while (route->prefix.family != family || (!leads_on(world, route, in) && tries++ < 4));
	return route;
}

static void draw_destination(struct packets *packets, const struct world_route *route, struct draft *draft)
{
	packets_address(&packets->random, &route->prefix, draft->destination);
	if (route->automatic && below(&packets->random, 4))
		draw_on_link(packets, route, draft->destination);
}

static void draw_source(struct packets *packets, const struct world_interface *in, struct draft *draft)
{
	bool v6 = draft->family == AF_INET6;
	const struct choice *choice = &packets->reach[table_number(packets->world, in->table)][v6];
	const struct world_route *route;

	if (!v6 && in->rp_filter == 1 && below(&packets->random, 16))
		choice = &packets->back[in->ifindex - WORLD_FIRST_IFINDEX];
	route = choice_draw(packets, choice);
	if (route)
		packets_address(&packets->random, &route->prefix, draft->source);
	else
		random_bytes(&packets->random, draft->source, v6 ? 16 : 4);
	if (route && route->automatic)
		draw_on_link(packets, route, draft->source);
}

static void draw_payload(struct packets *packets, struct draft *draft)
{
	static const __u8 protocols[] = { IPPROTO_UDP,  IPPROTO_UDP, IPPROTO_TCP, IPPROTO_TCP,
					  IPPROTO_ICMP, 47,          50,          132 };
	struct random *random = &packets->random;

	draft->protocol = protocols[below(random, 8)];
	if (draft->protocol == IPPROTO_ICMP && draft->family == AF_INET6)
		draft->protocol = IPPROTO_ICMPV6;
	draft->source_port = 1024 + below(random, 16);
	draft->destination_port = below(random, 2) ? 53 : below(random, 65536);
	draft->payload = below(random, 8) ? 8 + below(random, 60) : below(random, 1200);
	draft->mark = packets->number;
	draft->tos = below(random, 4) ? 0 : below(random, 256);
	draft->ttl = below(random, 2) ? 64 : 2 + below(random, 254);
	draft->id = below(random, 65536);
	draft->label = below(random, 2) ? 0 : below(random, 1 << 20);
	draft->fragment = below(random, 2) ? 0x4000 : 0;
}

// Short frames are padded on a real wire.
static void draw_padding(struct packets *packets, struct draft *draft)
{
	__u32 length = 14 + 4 * draft->tag_count + draft_ip_length(draft);

	if (length < 60 && below(&packets->random, 2)) {
		draft->trailer = 60 - length;
		draft->trailer_byte = below(&packets->random, 2) ? 0 : 0xa5;
	}
}

static void draw_link(struct packets *packets, const struct world_interface *in, struct draft *draft)
{
	const struct world_interface *device = in;

	memcpy(draft->destination_mac, in->mac, 6);
	memcpy(draft->source_mac, (__u8[]){ 2, 0x53, 0, 0, 0, in->ifindex }, 6);
	for (; device->parent; device = world_interface(packets->world, device->parent)) {
		__u16 priority = below(&packets->random, 4) ? 0 : below(&packets->random, 16) << 12;

		memmove(draft->tag + 1, draft->tag, draft->tag_count * sizeof(*draft->tag));
		draft->tag[0] = (struct draft_tag){ device->tpid, device->vid | priority };
		draft->tag_count++;
	}
}

void packets_address(struct random *random, const struct world_prefix *prefix, __u8 ret_address[16])
{
	__u32 width = prefix->family == AF_INET ? 32 : 128;
	__u32 edge = below(random, 12);
	__u8 host[16];

	if (edge < 2)
		memset(host, edge ? 0xff : 0, 16);
	else
		random_bytes(random, host, 16);
	if (edge == 2)
		memset(host, 0, 15);
	memset(ret_address, 0, 16);
	memcpy(ret_address, prefix->address, width / 8);
	for (__u32 bit = prefix->length; bit < width; bit++) {
		__u8 mask = 0x80 >> (bit % 8);

		ret_address[bit / 8] = (ret_address[bit / 8] & ~mask) | (host[bit / 8] & mask);
	}
}

struct packets *packets_new(const struct world *world, __u64 seed)
{
	struct packets *packets = calloc(1, sizeof(*packets));

	if (!packets)
		return NULL;
	packets->world = world;
	random_seed(&packets->random, seed);
	for (__u32 i = 0; i < world->route_count; i++)
		if (index_route(packets, i) < 0) {
			packets_free(packets);
			return NULL;
		}
	return packets;
}

void packets_free(struct packets *packets)
{
	if (!packets)
		return;
	for (int i = 0; i < WORLD_TABLES; i++)
		for (int family = 0; family < 2; family++)
			free(packets->reach[i][family].route);
	for (int i = 0; i < WORLD_INTERFACES; i++)
		free(packets->back[i].route);
	free(packets->any.route);
	free(packets);
}

void packets_next(struct packets *packets, struct packet_drawn *ret_packet)
{
	const struct world_interface *in = draw_interface(packets);
	bool v6 = below(&packets->random, 2);
	const struct world_route *route;
	struct draft draft;
	struct spoil spoil = { &packets->random, packets->world, in, NULL, &draft };

	draft_start(&draft, v6 ? AF_INET6 : AF_INET);
	route = draw_route(packets, in, draft.family);
	spoil.route = route;
	ret_packet->number = packets->number;
	ret_packet->kind = "ordinary";
	draw_link(packets, in, &draft);
	draw_payload(packets, &draft);
	draw_destination(packets, route, &draft);
	draw_source(packets, in, &draft);
	draw_padding(packets, &draft);
	if (below(&packets->random, 100) >= ORDINARY_PERCENT) {
		ret_packet->kind = spoil_draft(&spoil);
		if (below(&packets->random, 8) == 0)
			spoil_draft(&spoil);
	}
	ret_packet->port = world_port(packets->world, in);
	ret_packet->length = draft_write(&draft, ret_packet->frame);
	if (below(&packets->random, 60) == 0) {
		ret_packet->kind = "noise";
		spoil_frame(&packets->random, ret_packet->frame, ret_packet->length);
	}
	packets->number++;
}
