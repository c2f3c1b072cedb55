// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/address_routes.h"

#include <errno.h>
#include <string.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/mirror/links.h"
#include "host/replay/site.h"

#define METRIC_IPV6 256 /* of the networks that addresses are on */

static unsigned int width_of(const struct site_address *address)
{
	return address->family == AF_INET ? 32 : 128;
}

/* Sets the bits behind the length. */
static void fill(__u8 *address, unsigned int length, unsigned int width, bool ones)
{
	for (unsigned int bit = length; bit < width; bit++) {
		__u8 mask = 0x80 >> bit % 8;

		address[bit / 8] = ones ? address[bit / 8] | mask : address[bit / 8] & ~mask;
	}
}

static int add(struct site *site, const struct site_address *address, struct route_message *route, __u8 type,
	       __u8 length)
{
	int r;

	route->type = type;
	route->length = length;
	r = site_route(site, route);
	return r == -ENOMEM ? r : 0;
}

static void begin(struct site *site, const struct site_address *address, struct route_message *route)
{
	memset(route, 0, sizeof(*route));
	route->nlflags = NLM_F_CREATE | NLM_F_APPEND;
	route->family = address->family;
	route->protocol = RTPROT_KERNEL;
	route->path_count = 1;
	route->path[0] = (struct route_path){ .ifindex = address->ifindex, .weight = 1 };
	memcpy(route->destination, address->address, 16);
	if (address->family == AF_INET)
		memcpy(route->preferred, address->address, 16);
}

/* In table local; those of a VRF in its own. */
static int add_local(struct site *site, const struct site_address *address, struct route_message *route)
{
	unsigned int width = width_of(address);
	int r;

	if (route->table == RT_TABLE_MAIN)
		route->table = RT_TABLE_LOCAL;
	route->scope = address->family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	r = add(site, address, route, RTN_LOCAL, (__u8)width);
	if (r || address->length >= width - 1)
		return r;
	route->scope = address->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	if (address->family == AF_INET) {
		fill(route->destination, address->length, width, true);
		return add(site, address, route, RTN_BROADCAST, (__u8)width);
	}
	fill(route->destination, address->length, width, false);
	return add(site, address, route, RTN_ANYCAST, (__u8)width);
}

int address_routes_add(struct site *site, const struct site_address *address, struct route_message *scratch)
{
	const struct link *link = site_link_of(site, address->ifindex);
	struct address_message message = { .family = address->family,
					   .length = address->length,
					   .ifindex = address->ifindex };
	int r;

	memcpy(message.address, address->address, 16);
	r = site_address(site, &message);
	if (r || !link || !(link->flags & IFF_UP))
		return r;
	begin(site, address, scratch);
	scratch->table = site_table(site, link);
	r = add_local(site, address, scratch);
	if (r || address->length == width_of(address))
		return r;
	scratch->table = site_table(site, link);
	scratch->metric = address->family == AF_INET ? 0 : METRIC_IPV6;
	memcpy(scratch->destination, address->address, 16);
	fill(scratch->destination, address->length, width_of(address), false);
	return add(site, address, scratch, RTN_UNICAST, address->length);
}
