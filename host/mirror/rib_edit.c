// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Every change goes the same way: edit_open() copies the list of a prefix into an array, something changes
 * the array, edit_close() writes the list back and tells the fib if the best route is another one than
 * before. Nearly every prefix has one route, so this costs little.
 *
 * The array is sorted: routes for any source before those for one (SOURCE), by TOS, by metric, and among
 * equals in the kernel's order.
 */
#include "host/mirror/rib_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static struct stored_route *at(const struct rib *rib, __u8 f, __u32 index)
{
	return route_store_at(rib->store[f], index);
}

struct stored_route *edit_at(const struct rib *rib, __u32 position)
{
	return at(rib, rib->place.f, rib->list[position]);
}

static size_t width(__u8 f)
{
	return f ? 16 : 4;
}

struct rib_place rib_place(__u8 family, __u16 table, const __u8 *key, __u8 length)
{
	struct rib_place place = { .f = family == AF_INET6, .table = table, .length = length };

	memcpy(place.key, key, width(place.f));
	return place;
}

bool rib_same_place(const struct rib_place *a, const struct rib_place *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static struct fib_prefix prefix_of(const struct rib_place *place)
{
	struct fib_prefix prefix = { .family = place->f ? AF_INET6 : AF_INET, .length = place->length };

	memcpy(prefix.address, place->key, sizeof(prefix.address));
	return prefix;
}

int rib_reserve(void **array, __u32 count, __u32 *size, size_t element)
{
	__u32 more = *size ? 2 * *size : 64;
	void *larger;

	if (count < *size)
		return 0;
	larger = realloc(*array, more * element);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*size = more;
	return 0;
}

/* --- what the fib is told --- */

static bool in_doubt(const struct rib *rib, const struct rib_place *place)
{
	for (__u32 i = 0; i < rib->doubts; i++)
		if (rib_same_place(&rib->doubt[i].place, place))
			return true;
	return false;
}

static enum reason overridden(const struct rib *rib, const struct rib_place *place)
{
	for (__u32 i = 0; i < rib->overrides; i++)
		if (rib_same_place(&rib->override[i].place, place))
			return rib->override[i].reason;
	return REASON_FORWARDED;
}

/*
 * The leaf that the routes in the array lead to; 0: none is usable. Where several of the lowest metric could
 * be meant, the kernel goes by what it knows of their gateways: IPv6 always, IPv4 among default routes
 * (fib_select_default()).
 */
static __u32 select_leaf(const struct rib *rib)
{
	const struct stored_route *best = NULL, *route;
	bool choosy = rib->place.f || !rib->place.length, ambiguous = false;

	for (__u32 i = 0; i < rib->count; i++) {
		route = edit_at(rib, i);
		if (!pathsets_usable(rib->pathsets, route->pathset))
			continue;
		if (route->flags & STORED_SOURCE)
			return REASON_SOURCE_ROUTE;
		if (route->tos)
			return REASON_TOS_ROUTE;
		if (!best)
			best = route;
		else if (choosy && route->metric == best->metric &&
			 pathsets_leaf(rib->pathsets, route->pathset) !=
				 pathsets_leaf(rib->pathsets, best->pathset))
			ambiguous = true;
	}
	if (!best)
		return 0;
	if (best->flags & STORED_UNSURE_MASK)
		return REASON_HELD;
	return ambiguous ? REASON_UNSUPPORTED_ROUTE : pathsets_leaf(rib->pathsets, best->pathset);
}

void rib_publish(struct rib *rib, const struct rib_place *place, __u32 leaf)
{
	__u32 table = rib->table[place->table].id;
	struct fib_prefix prefix = prefix_of(place);
	bool local = table == RT_TABLE_LOCAL;

	/* All tables yield to the local one, so a route to a gateway in it would have to hide theirs. */
	if (local && leaf >= REASON_MAX)
		leaf = REASON_UNSUPPORTED_ROUTE;
	if (rib->doubts && in_doubt(rib, place))
		leaf = REASON_HELD;
	if (local && rib->overrides && overridden(rib, place))
		leaf = overridden(rib, place);
	/* -ENOSPC: the fib makes it punt, counts it and heals it. */
	if (leaf)
		(void)fib_route_set(rib->fib, table, &prefix, leaf, local);
	else
		fib_route_delete(rib->fib, table, &prefix);
}

/* --- edits --- */

static void release(struct rib *rib, __u32 index)
{
	struct stored_route *route = at(rib, rib->place.f, index);
	struct rib_table *table = &rib->table[route->table];

	pathsets_put(rib->pathsets, route->pathset);
	table->unsure[rib->place.f] -= !!(route->flags & STORED_UNSURE_MASK);
	route_store_give(rib->store[rib->place.f], index);
}

void edit_drop(struct rib *rib, __u32 position)
{
	__u32 index = rib->list[position];

	rib->twice |= !!(edit_at(rib, position)->flags & STORED_TWICE);
	if (index == rib->head) {
		route_store_head(rib->store[rib->place.f], index, 0);
		rib->head = 0;
	}
	memmove(&rib->list[position], &rib->list[position + 1],
		(--rib->count - position) * sizeof(*rib->list));
	release(rib, index);
}

static void drop_doomed(struct rib *rib)
{
	for (__u32 i = rib->count; i--;) {
		if (!pathsets_doomed(rib->pathsets, edit_at(rib, i)->pathset))
			continue;
		edit_drop(rib, i);
		rib->stats.doomed++;
		rib->force = true;
	}
}

int edit_open(struct rib *rib, const struct rib_place *place)
{
	const struct stored_route *route;
	int r;

	rib->place = *place;
	rib->count = 0;
	rib->force = rib->twice = false;
	rib->head = route_store_find(rib->store[place->f], place->table, place->key, place->length);
	for (__u32 index = rib->head; index; index = route->next) {
		r = rib_reserve((void **)&rib->list, rib->count, &rib->size, sizeof(*rib->list));
		if (r)
			return r;
		route = at(rib, place->f, index);
		rib->list[rib->count++] = index;
		/* What the fib has may be from before a change of the set: tell it in any case. */
		rib->force |= pathsets_stale(rib->pathsets, route->pathset);
	}
	rib->before = select_leaf(rib);
	if (rib->force)
		drop_doomed(rib);
	return 0;
}

void edit_close(struct rib *rib)
{
	struct route_store *store = rib->store[rib->place.f];
	__u32 first = rib->count ? rib->list[0] : 0, leaf;

	for (__u32 i = 0; i < rib->count; i++)
		edit_at(rib, i)->next = i + 1 < rib->count ? rib->list[i + 1] : 0;
	if (first != rib->head)
		route_store_head(store, rib->head, first);
	leaf = select_leaf(rib);
	if (rib->force || leaf != rib->before)
		rib_publish(rib, &rib->place, leaf);
}

/* Puts a new route at a position; takes over the reference on the set, also on failure. */
int edit_insert(struct rib *rib, __u32 position, const struct rib_route *new, __u8 flags)
{
	struct stored_route *route;
	__u32 index;
	int r;

	r = rib_reserve((void **)&rib->list, rib->count, &rib->size, sizeof(*rib->list));
	if (!r)
		r = route_store_take(rib->store[rib->place.f], rib->place.table, rib->place.key,
				     rib->place.length, &index);
	if (r) {
		pathsets_put(rib->pathsets, new->pathset);
		return r;
	}
	route = at(rib, rib->place.f, index);
	route->pathset = new->pathset;
	route->metric = new->metric;
	route->tos = new->tos;
	route->protocol = new->protocol;
	route->flags |= (__u8)(flags | (new->twice ? STORED_TWICE : 0));
	route->seen = rib->table[rib->place.table].generation[rib->place.f];
	memmove(&rib->list[position + 1], &rib->list[position],
		(rib->count++ - position) * sizeof(*rib->list));
	rib->list[position] = index;
	return 0;
}

static void mark_seen(struct rib *rib, struct stored_route *route)
{
	struct rib_table *table = &rib->table[route->table];

	route->seen = table->generation[rib->place.f];
	if (!(route->flags & STORED_UNSURE_MASK))
		return;
	route->flags &= (__u8)~STORED_UNSURE_MASK;
	table->unsure[rib->place.f]--;
	rib->force = true;
}

void edit_reduce(struct rib *rib, __u32 position, const struct rib_route *rest)
{
	struct stored_route *route = edit_at(rib, position);

	rib->twice |= !!(route->flags & STORED_TWICE);
	pathsets_put(rib->pathsets, route->pathset);
	route->pathset = rest->pathset;
	route->metric = rest->metric;
	route->tos = rest->tos;
	route->protocol = rest->protocol;
	route->flags &= (__u8)~STORED_TWICE;
	route->flags |= rest->twice ? STORED_TWICE : 0;
}

void edit_rewrite(struct rib *rib, __u32 position, const struct rib_route *new)
{
	edit_reduce(rib, position, new);
	mark_seen(rib, edit_at(rib, position));
}

/* It is there already: the new reference is not needed. */
void edit_confirm(struct rib *rib, __u32 position, const struct rib_route *same)
{
	pathsets_put(rib->pathsets, same->pathset);
	mark_seen(rib, edit_at(rib, position));
}

/* -1, 0, 1: in which order the array holds them; 0 = the kernel's key is the same. */
static int order(const struct stored_route *route, bool source, __u8 tos, __u32 metric)
{
	bool has_source = route->flags & STORED_SOURCE;

	if (has_source != source)
		return has_source ? 1 : -1;
	if (route->tos != tos)
		return route->tos < tos ? -1 : 1;
	return route->metric < metric ? -1 : route->metric > metric;
}

/* The routes with the same key are [*ret_low, *ret_high). */
void edit_range(const struct rib *rib, bool source, __u8 tos, __u32 metric, __u32 *ret_low, __u32 *ret_high)
{
	__u32 low = 0, high;

	while (low < rib->count && order(edit_at(rib, low), source, tos, metric) < 0)
		low++;
	for (high = low; high < rib->count && !order(edit_at(rib, high), source, tos, metric);)
		high++;
	*ret_low = low;
	*ret_high = high;
}

static __u32 find_from(const struct rib *rib, __u32 low, __u32 high, const struct rib_route *route,
		       bool protocol)
{
	while (low < high && !(edit_at(rib, low)->pathset == route->pathset &&
			       (!protocol || edit_at(rib, low)->protocol == route->protocol)))
		low++;
	return low;
}

/* The kernel tells IPv4 routes apart by protocol, too; IPv6 ones not always. */
__u32 edit_find(const struct rib *rib, __u32 low, __u32 high, const struct rib_route *route)
{
	__u32 position = find_from(rib, low, high, route, true);

	return position == high && rib->place.f ? find_from(rib, low, high, route, false) : position;
}

void edit_move(struct rib *rib, __u32 from, __u32 to)
{
	__u32 index = rib->list[from];

	memmove(&rib->list[from], &rib->list[from + 1], (rib->count - from - 1) * sizeof(*rib->list));
	memmove(&rib->list[to + 1], &rib->list[to], (rib->count - 1 - to) * sizeof(*rib->list));
	rib->list[to] = index;
}

int rib_refuse(struct rib *rib, const struct rib_place *place, int error)
{
	rib->stats.refused++;
	rib_publish(rib, place, REASON_TABLE_FULL);
	return error;
}

void rib_republish(struct rib *rib, const struct rib_place *place)
{
	if (edit_open(rib, place))
		return;
	rib->force = true;
	edit_close(rib);
}
