// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dir24.h"

#include "bench/lookup_layout.h"
#include "host/fib/prefix_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dir24 {
	struct lookup_dir *arrays;
	__u8 *first_length; // of the prefix that each entry comes from, 0 for none
	__u8 *group_length;
	__u32 groups; // in use, never given back
	struct prefix_tree *routes;
};

// A route, or what shall take its place.
struct dir24_paint {
	__u32 nexthop;
	__u8 length;
	__u8 least, most; // paints over entries from prefixes of these lengths
};

static void dir24_paint(const struct dir24_paint *paint, __u32 *entry, __u8 *length, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		if (length[i] >= paint->least && length[i] <= paint->most) {
			entry[i] = paint->nexthop;
			length[i] = paint->length;
		}
}

static __u32 dir24_address(const struct table_route *route)
{
	return (__u32)route->addr[0] << 24 | route->addr[1] << 16 | route->addr[2] << 8 | route->addr[3];
}

static void dir24_paint_short(struct dir24 *dir24, const struct table_route *route,
			      const struct dir24_paint *paint)
{
	__u32 slot = dir24_address(route) >> 8, past = slot + (1u << (24 - route->len)), group;

	for (; slot < past; slot++) {
		if (!(dir24->arrays->first[slot] & LOOKUP_DIR_GROUP)) {
			dir24_paint(paint, &dir24->arrays->first[slot], &dir24->first_length[slot], 1);
			continue;
		}
		group = (dir24->arrays->first[slot] & ~LOOKUP_DIR_GROUP) * 256;
		dir24_paint(paint, &dir24->arrays->group[group], &dir24->group_length[group], 256);
	}
}

// Turns the entry of a slot into a group.
static int dir24_split(struct dir24 *dir24, __u32 slot)
{
	__u32 group = dir24->groups * 256;

	if (dir24->arrays->first[slot] & LOOKUP_DIR_GROUP)
		return 0;
	if (dir24->groups == LOOKUP_DIR_GROUPS)
		return -ENOSPC;
	for (unsigned int i = 0; i < 256; i++)
		dir24->arrays->group[group + i] = dir24->arrays->first[slot];
	memset(&dir24->group_length[group], dir24->first_length[slot], 256);
	__atomic_store_n(&dir24->arrays->first[slot], LOOKUP_DIR_GROUP | dir24->groups++, __ATOMIC_RELEASE);
	return 0;
}

static int dir24_paint_long(struct dir24 *dir24, const struct table_route *route,
			    const struct dir24_paint *paint)
{
	__u32 address = dir24_address(route), group;
	int err = dir24_split(dir24, address >> 8);

	if (err < 0)
		return err;
	group = (dir24->arrays->first[address >> 8] & ~LOOKUP_DIR_GROUP) * 256 + (address & 255);
	dir24_paint(paint, &dir24->arrays->group[group], &dir24->group_length[group],
		    1u << (32 - route->len));
	return 0;
}

static int dir24_paint_route(struct dir24 *dir24, const struct table_route *route,
			     const struct dir24_paint *paint)
{
	if (route->len > 24)
		return dir24_paint_long(dir24, route, paint);
	dir24_paint_short(dir24, route, paint);
	return 0;
}

int dir24_new(struct lookup_dir *arrays, struct dir24 **ret_dir24)
{
	struct dir24 *dir24 = calloc(1, sizeof(*dir24));

	if (!dir24)
		return -ENOMEM;
	dir24->arrays = arrays;
	dir24->first_length = calloc(1u << 24, 1);
	dir24->group_length = calloc(LOOKUP_DIR_GROUPS, 256);
	if (!dir24->first_length || !dir24->group_length || prefix_tree_new(32, &dir24->routes) < 0) {
		dir24_free(dir24);
		return -ENOMEM;
	}
	*ret_dir24 = dir24;
	return 0;
}

void dir24_free(struct dir24 *dir24)
{
	if (!dir24)
		return;
	free(dir24->first_length);
	free(dir24->group_length);
	if (dir24->routes)
		prefix_tree_free(dir24->routes);
	free(dir24);
}

int dir24_set(struct dir24 *dir24, const struct table_route *route)
{
	struct prefix_key key = prefix_key(route->addr, 32, route->len);
	struct dir24_paint paint = { route->nexthop, route->len, 0, route->len };
	__u16 old;
	int err;

	err = prefix_tree_set(dir24->routes, &key, route->len, PREFIX_ROUTE, route->nexthop, &old);
	return err < 0 ? err : dir24_paint_route(dir24, route, &paint);
}

int dir24_delete(struct dir24 *dir24, const struct table_route *route)
{
	struct prefix_key key = prefix_key(route->addr, 32, route->len), around;
	struct dir24_paint paint = { 0, route->len, route->len, route->len };

	if (!prefix_tree_delete(dir24->routes, &key, route->len, PREFIX_ROUTE))
		return -ENOENT;
	while (!paint.nexthop && paint.length > 0) {
		around = prefix_key_cut(key, --paint.length);
		paint.nexthop = prefix_tree_get(dir24->routes, &around, paint.length, PREFIX_ROUTE);
	}
	return dir24_paint_route(dir24, route, &paint);
}

size_t dir24_lookup_bytes(const struct dir24 *dir24)
{
	return sizeof(dir24->arrays->first) + dir24->groups * 256 * sizeof(__u32);
}

size_t dir24_bytes(const struct dir24 *dir24)
{
	return dir24_lookup_bytes(dir24) + (1u << 24) + dir24->groups * 256 +
	       prefix_tree_bytes(dir24->routes);
}
