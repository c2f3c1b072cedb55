// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int table_grow(struct table *table)
{
	size_t room = table->room ? table->room * 2 : 1024;
	struct table_route *routes = reallocarray(table->routes, room, sizeof(*routes));

	if (!routes)
		return -ENOMEM;
	table->routes = routes;
	table->room = room;
	return 0;
}

// Merges the sorted halves [0, middle) and [middle, end) of from into to; of equals the left ones come first.
static void table_merge(const struct table_route *from, size_t middle, size_t end, struct table_route *to)
{
	size_t left = 0, right = middle;

	for (size_t i = 0; i < end; i++)
		if (right == end || (left < middle && table_route_compare(&from[left], &from[right]) <= 0))
			to[i] = from[left++];
		else
			to[i] = from[right++];
}

// A bottom-up merge sort: stable, which "the last of equal prefixes wins" needs and qsort() does not promise.
static struct table_route *table_merge_sort(struct table_route *routes, struct table_route *spare,
					    size_t count)
{
	for (size_t half = 1; half < count; half *= 2) {
		struct table_route *swap = routes;

		for (size_t i = 0; i < count; i += half * 2) {
			size_t left = count - i;

			table_merge(routes + i, left < half ? left : half, left < half * 2 ? left : half * 2,
				    spare + i);
		}
		routes = spare;
		spare = swap;
	}
	return routes;
}

static void table_keep_last(struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (kept && !table_route_compare(&table->routes[kept - 1], &table->routes[i]))
			kept--;
		table->routes[kept++] = table->routes[i];
	}
	table->count = kept;
}

static __u64 table_hash_bytes(__u64 hash, const void *bytes, size_t count)
{
	const __u8 *byte = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3; // FNV-1a
	return hash;
}

struct table *table_new(void)
{
	return calloc(1, sizeof(struct table));
}

void table_free(struct table *table)
{
	if (!table)
		return;
	free(table->routes);
	free(table);
}

int table_append(struct table *table, const struct table_route *route)
{
	int r;

	if (table->count >= TABLE_ROUTES_MAX)
		return -E2BIG;
	if (table->count == table->room) {
		r = table_grow(table);
		if (r < 0)
			return r;
	}
	table->routes[table->count++] = *route;
	return 0;
}

int table_route_compare(const struct table_route *a, const struct table_route *b)
{
	int order;

	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order ? order : a->len - b->len;
}

bool table_is_sorted(const struct table *table)
{
	for (size_t i = 1; i < table->count; i++)
		if (table_route_compare(&table->routes[i - 1], &table->routes[i]) >= 0)
			return false;
	return true;
}

int table_sort(struct table *table)
{
	struct table_route *spare, *sorted;

	if (table_is_sorted(table))
		return 0;
	spare = calloc(table->room, sizeof(*spare));
	if (!spare)
		return -ENOMEM;
	sorted = table_merge_sort(table->routes, spare, table->count);
	free(sorted == spare ? table->routes : spare);
	table->routes = sorted;
	table_keep_last(table);
	return 0;
}

int table_select(const struct table *table, __u8 family, struct table **ret_table)
{
	struct table *selected = table_new();

	if (!selected)
		return -ENOMEM;
	for (size_t i = 0; i < table->count; i++) {
		int r;

		if (table->routes[i].family != family)
			continue;
		r = table_append(selected, &table->routes[i]);
		if (r < 0) {
			table_free(selected);
			return r;
		}
	}
	*ret_table = selected;
	return 0;
}

__u64 table_hash(const struct table *table)
{
	__u64 hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		const __u8 rest[] = { route->len,           route->family == AF_INET6, route->nexthop >> 24,
				      route->nexthop >> 16, route->nexthop >> 8,       route->nexthop };

		hash = table_hash_bytes(hash, route->addr, table_width(route->family) / 8);
		hash = table_hash_bytes(hash, rest, sizeof(rest));
	}
	return hash;
}
