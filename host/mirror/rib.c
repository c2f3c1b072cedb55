// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/rib_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define LIMIT (8u << 20)

static struct stored_route *at(const struct rib *rib, __u8 f, __u32 index)
{
	return route_store_at(rib->store[f], index);
}

static size_t width(__u8 f)
{
	return f ? 16 : 4;
}

__u16 rib_find_table(const struct rib *rib, __u32 id)
{
	for (__u16 i = 0; i < rib->tables; i++)
		if (rib->table[i].id == id && rib->table[i].open)
			return i;
	return NO_TABLE;
}

/* The same for the stream of notifications: mostly of the same table as the one before. */
static __u16 find_again(struct rib *rib, __u32 id)
{
	const struct rib_table *last = &rib->table[rib->last];
	__u16 slot;

	if (last->id == id && last->open)
		return rib->last;
	slot = rib_find_table(rib, id);
	if (slot != NO_TABLE)
		rib->last = slot;
	return slot;
}

static void review(struct rib *rib, const struct rib_place *place)
{
	bool closing = rib->table[place->table].closing;

	if (edit_open(rib, place)) {
		rib->asked++; /* no memory: another walk */
		return;
	}
	for (__u32 i = rib->count; i--;) {
		if (closing)
			edit_drop(rib, i);
		else if (sweep_concerns(rib, place->f, edit_at(rib, i)))
			sweep_judge(rib, i);
	}
	rib->force = true;
	edit_close(rib);
}

static bool needs_review(const struct rib *rib, __u8 f, const struct stored_route *route)
{
	return rib->table[route->table].closing || pathsets_stale(rib->pathsets, route->pathset) ||
	       sweep_concerns(rib, f, route);
}

static bool wants_walk(const struct rib *rib)
{
	return rib->walk.active || rib->asked != rib->walk.asked || pathsets_unsettled(rib->pathsets);
}

static void begin_walk(struct rib *rib)
{
	rib->walk = (struct rib_walk){
		.active = true, .cursor = 1, .epoch = pathsets_epoch(rib->pathsets), .asked = rib->asked
	};
}

static void end_walk(struct rib *rib)
{
	rib->walk.active = false;
	if (rib->asked == rib->walk.asked) {
		rib->sweep[0].active = rib->sweep[1].active = false;
		for (__u16 i = 0; i < rib->tables; i++)
			if (rib->table[i].closing)
				rib->table[i] = (struct rib_table){ 0 };
	}
	if (pathsets_epoch(rib->pathsets) == rib->walk.epoch)
		pathsets_settled(rib->pathsets);
}

/* Looks at routes until the budget is used up; a route that needs no work costs a 64th. */
static bool walk_on(struct rib *rib, __s64 budget)
{
	struct rib_walk *walk = &rib->walk;
	const struct stored_route *route;
	struct rib_place place;

	while (budget > 0) {
		if (walk->cursor >= route_store_end(rib->store[walk->f])) {
			if (walk->f)
				return true;
			walk->f = 1;
			walk->cursor = 1;
			continue;
		}
		route = at(rib, walk->f, walk->cursor++);
		budget--;
		if (!(route->flags & STORED_USED) || !needs_review(rib, walk->f, route))
			continue;
		place = rib_place(walk->f ? AF_INET6 : AF_INET, route->table, route->key, route->length);
		review(rib, &place);
		budget -= 63;
	}
	return false;
}

static void view_of(const struct rib *rib, __u8 f, const struct stored_route *route, struct rib_view *ret)
{
	*ret = (struct rib_view){
		.table = rib->table[route->table].id,
		.prefix = { .family = f ? AF_INET6 : AF_INET, .length = route->length },
		.metric = route->metric,
		.tos = route->tos,
		.protocol = route->protocol,
		.unsure = route->flags & STORED_UNSURE_MASK,
		.pathset = route->pathset,
	};
	memcpy(ret->prefix.address, route->key, width(f));
}

int rib_new(struct fib *fib, struct pathsets *pathsets, __u32 limit, struct rib **ret)
{
	struct rib *rib = calloc(1, sizeof(*rib));
	int r;

	if (!rib)
		return -ENOMEM;
	rib->fib = fib;
	rib->pathsets = pathsets;
	for (__u8 f = 0; f < 2; f++) {
		r = route_store_new((unsigned)width(f), limit ? limit : LIMIT, &rib->store[f]);
		if (r) {
			rib_free(rib);
			return r;
		}
	}
	*ret = rib;
	return 0;
}

void rib_free(struct rib *rib)
{
	if (!rib)
		return;
	for (__u8 f = 0; f < 2; f++) {
		for (__u32 i = 0; i < rib->dump[f].count; i++)
			pathsets_put(rib->pathsets, rib->dump[f].route[i].pathset);
		free(rib->dump[f].route);
		free(rib->dump[f].fresh);
		for (__u32 i = 1; rib->store[f] && i < route_store_end(rib->store[f]); i++)
			if (at(rib, f, i)->flags & STORED_USED)
				pathsets_put(rib->pathsets, at(rib, f, i)->pathset);
		route_store_free(rib->store[f]);
	}
	free(rib->override);
	free(rib->list);
	free(rib);
}

/* What is left of a table's former life goes before it is opened again. */
static bool finish_closing(struct rib *rib, __u16 slot)
{
	for (int walks = 0; walks < 3 && rib->table[slot].closing; walks++)
		rib_work(rib, LIMIT);
	return !rib->table[slot].closing;
}

int rib_table_open(struct rib *rib, __u32 table)
{
	__u16 slot;

	if (rib_find_table(rib, table) != NO_TABLE)
		return 0;
	for (slot = 0; slot < rib->tables; slot++)
		if (rib->table[slot].closing && rib->table[slot].id == table && !finish_closing(rib, slot))
			return -ENOMEM;
	for (slot = 0; slot < rib->tables && (rib->table[slot].open || rib->table[slot].closing); slot++)
		;
	if (slot == RIB_TABLES)
		return -ENOSPC;
	rib->table[slot] = (struct rib_table){ .id = table, .open = true };
	if (slot == rib->tables)
		rib->tables++;
	return 0;
}

void rib_table_close(struct rib *rib, __u32 table)
{
	__u16 slot = rib_find_table(rib, table);

	if (slot == NO_TABLE)
		return;
	rib->table[slot].open = false;
	rib->table[slot].closing = true;
	for (__u32 i = rib->doubts; i--;)
		if (rib->doubt[i].place.table == slot)
			rib->doubt[i] = rib->doubt[--rib->doubts];
	rib->asked++;
}

bool rib_table_is_open(const struct rib *rib, __u32 table)
{
	return rib_find_table(rib, table) != NO_TABLE;
}

int rib_apply(struct rib *rib, const struct route_message *message)
{
	__u16 slot = find_again(rib, message->table);
	struct rib_place place;
	struct rib_dump *dump;
	bool fresh, stray;
	int r;

	if (slot == NO_TABLE || message->cloned)
		return 0;
	place = rib_place(message->family, slot, message->destination, message->length);
	dump = &rib->dump[place.f];
	rib->stats.applied++;
	r = edit_open(rib, &place);
	if (r)
		return rib_refuse(rib, &place, r);
	fresh = rib->head && at(rib, place.f, rib->head)->flags & STORED_FRESH;
	dump->deletions += message->deleted;
	r = message->deleted ? event_remove(rib, message) : event_add(rib, message);
	stray = r == -ENOENT || r == -ESTALE;
	rib->stats.strays += stray;
	rib->force |= stray && rib->stats.refused; /* perhaps it was one for which there was no room */
	edit_close(rib);
	if (fresh || rib->twice || r == -ESTALE)
		rib_doubt(rib, &place);
	if (dump->any && rib_same_place(&dump->place, &place))
		dump->touched = true;
	return r && !stray ? rib_refuse(rib, &place, r) : 0;
}

bool rib_work(struct rib *rib, __u32 routes)
{
	if (!wants_walk(rib))
		return false;
	if (!rib->walk.active)
		begin_walk(rib);
	if (walk_on(rib, 64 * (__s64)routes))
		end_walk(rib);
	return wants_walk(rib);
}

bool rib_busy(const struct rib *rib)
{
	return wants_walk(rib);
}

void rib_refresh(struct rib *rib, __u32 table, const struct fib_prefix *prefix)
{
	__u16 slot = rib_find_table(rib, table);
	struct rib_place place;

	if (slot == NO_TABLE)
		return;
	place = rib_place(prefix->family, slot, prefix->address, prefix->length);
	rib_republish(rib, &place);
}

int rib_override(struct rib *rib, const struct fib_prefix *prefix, enum reason reason)
{
	__u16 local = rib_find_table(rib, RT_TABLE_LOCAL);
	struct rib_override *larger;
	struct rib_place place;

	if (local == NO_TABLE)
		return -ENOENT;
	place = rib_place(prefix->family, local, prefix->address, prefix->length);
	rib_override_remove(rib, prefix);
	larger = realloc(rib->override, (rib->overrides + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	rib->override = larger;
	larger[rib->overrides++] = (struct rib_override){ .place = place, .reason = reason };
	rib_republish(rib, &place);
	return 0;
}

void rib_override_remove(struct rib *rib, const struct fib_prefix *prefix)
{
	__u16 local = rib_find_table(rib, RT_TABLE_LOCAL);
	struct rib_place place = rib_place(prefix->family, local, prefix->address, prefix->length);

	for (__u32 i = 0; i < rib->overrides; i++) {
		if (!rib_same_place(&rib->override[i].place, &place))
			continue;
		rib->override[i] = rib->override[--rib->overrides];
		rib_republish(rib, &place);
		return;
	}
}

int rib_sample(const struct rib *rib, __u8 family, __u32 random, struct rib_view *ret)
{
	__u8 f = family == AF_INET6;
	__u32 end = route_store_end(rib->store[f]), index;

	if (!route_store_count(rib->store[f]))
		return -ENOENT;
	for (index = 1 + random % (end - 1); !(at(rib, f, index)->flags & STORED_USED);)
		index = index + 1 < end ? index + 1 : 1;
	view_of(rib, f, at(rib, f, index), ret);
	return 0;
}

void rib_stats(const struct rib *rib, struct rib_stats *ret)
{
	*ret = rib->stats;
	ret->in_doubt = rib->doubts;
	for (__u8 f = 0; f < 2; f++) {
		ret->routes[f] = route_store_count(rib->store[f]);
		ret->bytes += route_store_bytes(rib->store[f]);
		for (__u16 i = 0; i < rib->tables; i++)
			ret->unsure += rib->table[i].unsure[f];
	}
	for (__u16 i = 0; i < rib->tables; i++)
		ret->tables += rib->table[i].open;
}
