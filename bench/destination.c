// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The expected next hop of an address is found without any of the structures under test. In a sorted table
// the longest prefix that covers an address is the last route at or before the address, or one of the
// prefixes around that route. So: a binary search, then a walk outwards along `around`, the index of the
// nearest covering route of each route.

#include "bench/destination.h"

#include "bench/workload/prefix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DESTINATION_NONE  0xffffffffu
// How many draws in vain, for each address wanted, before giving up.
#define DESTINATION_TRIES 64

// Sets around[i] to the index of the longest route that covers route i, DESTINATION_NONE where there is none.
static __u32 *destination_around(const struct table *table)
{
	__u32 *around = calloc(table->count + 1, sizeof(*around));
	__u32 i, outer = DESTINATION_NONE;

	if (!around)
		return NULL;
	for (i = 0; i < table->count; i++) {
		while (outer != DESTINATION_NONE &&
		       !prefix_covers(&table->routes[outer], table->routes[i].addr))
			outer = around[outer];
		around[i] = outer;
		outer = i;
	}
	return around;
}

static const struct table_route *destination_match(const struct table *table, const __u32 *around,
						   const __u8 *address)
{
	size_t low = 0, high = table->count, middle; // the last route at or before the address is below high
	__u32 i;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (memcmp(table->routes[middle].addr, address, sizeof(table->routes[middle].addr)) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = low ? low - 1 : DESTINATION_NONE; i != DESTINATION_NONE; i = around[i])
		if (prefix_covers(&table->routes[i], address))
			return &table->routes[i];
	return NULL;
}

// Is it an address outside of what Linux never forwards, and of the prefixes that the test bed itself uses?
static bool destination_is_forwarded(__u8 family, const __u8 *a)
{
	static const __u8 bed6[4] = { 0x20, 0x01, 0x0d, 0xb8 },
			  bed4[2][3] = { { 192, 0, 2 }, { 198, 51, 100 } };

	if (family == AF_INET6)
		return (a[0] & 0xe0) == 0x20 && memcmp(a, bed6, sizeof(bed6)) != 0;
	if (a[0] == 0 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254))
		return false;
	return memcmp(a, bed4[0], 3) != 0 && memcmp(a, bed4[1], 3) != 0;
}

static void destination_draw_address(const struct table *table, struct random *random, __u8 address[16])
{
	const struct table_route *route = &table->routes[random_below(random, table->count)];
	unsigned int i, width = table_width(route->family);
	__u8 host[16];

	random_bytes(random, host, sizeof(host));
	memcpy(address, route->addr, 16);
	for (i = route->len / 8; i < width / 8; i++)
		address[i] |= host[i] & (i == route->len / 8 ? 0xff >> route->len % 8 : 0xff);
}

int destination_draw(const struct table *table, struct random *random, struct destination *destinations,
		     size_t count)
{
	const struct table_route *route;
	size_t drawn = 0, tries = 0;
	__u32 *around;

	if (!table->count)
		return -ENOENT;
	around = destination_around(table);
	if (!around)
		return -ENOMEM;
	while (drawn < count && tries++ < count * DESTINATION_TRIES) {
		destination_draw_address(table, random, destinations[drawn].address);
		if (!destination_is_forwarded(table->routes[0].family, destinations[drawn].address))
			continue;
		route = destination_match(table, around, destinations[drawn].address);
		destinations[drawn++].nexthop = route->nexthop;
	}
	free(around);
	return drawn < count ? -ENOENT : 0;
}
