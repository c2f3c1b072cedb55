// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_statistics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// One sweep over the sorted routes with the stack of those that cover the present one. Where a route starts
// or ends, a boundary is made; a boundary at the place of the one before replaces it, one that changes
// nothing is dropped. The last boundary is kept back until the next one shows that it stays.

struct sweep {
	struct table_statistics *statistics;
	unsigned int width, leaf;
	struct table_route open[129]; // the routes that cover the present address, shortest first
	unsigned int depth;
	__u8 at[16];           // the last boundary, not counted yet
	__u32 nexthop, before; // right and left of it
	__u8 group[16];        // the last group that was counted as mixed
	bool any_group;
};

static __u32 sweep_nexthop(const struct sweep *sweep)
{
	return sweep->depth ? sweep->open[sweep->depth - 1].nexthop : 0;
}

static bool sweep_same_bits(const __u8 *a, const __u8 *b, unsigned int bits)
{
	unsigned int byte = bits / 8;

	return !memcmp(a, b, byte) && !(bits % 8 && (a[byte] ^ b[byte]) & (0xff00 >> bits % 8 & 0xff));
}

static bool sweep_is_group_start(const struct sweep *sweep)
{
	unsigned int bits = sweep->leaf - 5, byte = bits / 8;

	if (sweep->at[byte++] & 0xff >> bits % 8)
		return false;
	for (; byte < sweep->width / 8; byte++)
		if (sweep->at[byte])
			return false;
	return true;
}

static void sweep_count(struct sweep *sweep)
{
	struct table_statistics *s = sweep->statistics;

	if (sweep->nexthop == sweep->before && s->intervals)
		return;
	s->intervals++;
	s->gaps += !sweep->nexthop;
	if (!sweep_is_group_start(sweep) &&
	    (!sweep->any_group || !sweep_same_bits(sweep->group, sweep->at, sweep->leaf - 5))) {
		memcpy(sweep->group, sweep->at, sizeof(sweep->group));
		sweep->any_group = true;
		s->mixed_groups++;
	}
	sweep->before = sweep->nexthop;
}

static void sweep_boundary(struct sweep *sweep, const __u8 *at)
{
	if (memcmp(sweep->at, at, sizeof(sweep->at))) {
		sweep_count(sweep);
		memcpy(sweep->at, at, sizeof(sweep->at));
	}
	sweep->nexthop = sweep_nexthop(sweep);
}

// Sets end to the address behind the prefix; false when the address space ends there.
static bool sweep_end(const struct table_route *route, __u8 end[16])
{
	unsigned int bit = route->len;

	memcpy(end, route->addr, 16);
	while (bit-- > 0) {
		end[bit / 8] ^= 0x80 >> bit % 8;
		if (end[bit / 8] & 0x80 >> bit % 8)
			return true;
	}
	return false;
}

// Closes the routes that end before or at addr; all that end when addr is NULL.
static void sweep_close(struct sweep *sweep, const __u8 *addr)
{
	__u8 end[16];

	while (sweep->depth) {
		bool ends = sweep_end(&sweep->open[sweep->depth - 1], end);

		if (addr && (!ends || memcmp(end, addr, 16) > 0))
			return;
		sweep->depth--;
		if (ends)
			sweep_boundary(sweep, end);
	}
}

static void sweep_open(struct sweep *sweep, const struct table_route *route)
{
	struct table_statistics *s = sweep->statistics;

	s->routes++;
	s->lengths[route->len]++;
	s->depths[sweep->depth < TABLE_DEPTH_MAX ? sweep->depth : TABLE_DEPTH_MAX - 1]++;
	s->same_as_cover += sweep->depth && sweep_nexthop(sweep) == route->nexthop;
	sweep->open[sweep->depth++] = *route;
	sweep_boundary(sweep, route->addr);
}

// Does b follow the leaf route a directly, with the same next hop?
static bool sweep_is_same_run(const struct table_route *a, const struct table_route *b)
{
	__u8 end[16];

	return a && a->nexthop == b->nexthop && sweep_end(a, end) && !memcmp(end, b->addr, 16);
}

static int statistics_nexthops(struct table_statistics *statistics, const struct table *table, __u8 family)
{
	__u8 *seen = calloc(TABLE_NEXTHOP_MAX / 8 + 1, 1);

	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < table->count; i++) {
		__u32 id = table->routes[i].nexthop & TABLE_NEXTHOP_MAX;

		if (table->routes[i].family != family || seen[id / 8] & 1 << id % 8)
			continue;
		seen[id / 8] |= 1 << id % 8;
		statistics->nexthops++;
	}
	free(seen);
	return 0;
}

int table_statistics(const struct table *table, __u8 family, struct table_statistics *ret_statistics)
{
	struct table_statistics statistics = { 0 };
	struct sweep sweep = { .statistics = &statistics,
			       .width = table_width(family),
			       .leaf = family == AF_INET6 ? 48 : 24 };
	const struct table_route *leaf = NULL, *split = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		if (route->family != family)
			continue;
		sweep_close(&sweep, route->addr);
		sweep_open(&sweep, route);
		if (route->len == sweep.leaf) {
			statistics.leaf_runs += !sweep_is_same_run(leaf, route);
			leaf = route;
		} else if (route->len > sweep.leaf) {
			statistics.split_blocks +=
				!split || !sweep_same_bits(split->addr, route->addr, sweep.leaf);
			split = route;
		}
	}
	sweep_close(&sweep, NULL);
	sweep_count(&sweep);
	*ret_statistics = statistics;
	return statistics_nexthops(ret_statistics, table, family);
}
