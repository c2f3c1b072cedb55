// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Dumps, and what a table that changes meanwhile makes of them: doubts and unsure routes (see rib.h).
 */
#include "host/mirror/rib_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define UNSURE_STEP STORED_UNSURE

static struct stored_route *at(const struct rib *rib, __u8 f, __u32 index)
{
	return route_store_at(rib->store[f], index);
}

/*
 * So many dumps in a row, with deletions during each, are taken together for the truth: what none of them
 * showed is not there, and what is there was in one of them. A dump of IPv6 misses about as many routes as
 * are deleted during it, each time others; one of IPv4 hardly any.
 */
static unsigned sure(__u8 f)
{
	return f ? 4 : 2;
}

/* --- doubts --- */

void rib_doubt(struct rib *rib, const struct rib_place *place)
{
	struct rib_doubt new = { .place = *place,
				 .generation = rib->table[place->table].generation[place->f] };

	for (__u32 i = 0; i < rib->doubts; i++) {
		if (rib_same_place(&rib->doubt[i].place, place)) {
			rib->doubt[i].generation = new.generation;
			return;
		}
	}
	if (rib->doubts == RIB_DOUBTS) {
		rib->stats.lost++;
		return;
	}
	rib->doubt[rib->doubts++] = new;
	rib->stats.doubts++;
	rib_publish(rib, place, REASON_HELD);
}

/* Forgets a doubt; the caller publishes. */
static bool dispel(struct rib *rib, const struct rib_place *place)
{
	for (__u32 i = 0; i < rib->doubts; i++) {
		if (rib_same_place(&rib->doubt[i].place, place)) {
			rib->doubt[i] = rib->doubt[--rib->doubts];
			return true;
		}
	}
	return false;
}

/* --- dumps --- */

static bool holds_already(struct rib *rib, struct rib_dump *dump, const struct rib_route *route, bool kind)
{
	for (__u32 i = 0; i < dump->count; i++) {
		struct rib_route *known = &dump->route[i];

		if (known->metric != route->metric || known->tos != route->tos)
			continue;
		/* A walk that restarts tells a prefix again, perhaps with more next hops. */
		if (kind && pathsets_joins(rib->pathsets, known->pathset, known->protocol)) {
			pathsets_put(rib->pathsets, known->pathset);
			*known = *route;
			return true;
		}
		if (known->pathset == route->pathset && known->protocol == route->protocol) {
			known->twice = true;
			pathsets_put(rib->pathsets, route->pathset);
			return true;
		}
	}
	return false;
}

/* Keeps them in the array's order. */
static int pend(struct rib *rib, struct rib_dump *dump, const struct rib_route *route)
{
	__u32 i;
	int r;

	if (holds_already(rib, dump, route, pathsets_joins(rib->pathsets, route->pathset, route->protocol)))
		return 0;
	r = rib_reserve((void **)&dump->route, dump->count, &dump->size, sizeof(*dump->route));
	if (r) {
		pathsets_put(rib->pathsets, route->pathset);
		return r;
	}
	for (i = dump->count++; i > 0; i--) {
		const struct rib_route *last = &dump->route[i - 1];

		if (last->tos < route->tos || (last->tos == route->tos && last->metric <= route->metric))
			break;
		dump->route[i] = *last;
	}
	dump->route[i] = *route;
	return 0;
}

static __u32 without_source(const struct rib *rib)
{
	__u32 count = 0;

	while (count < rib->count && !(edit_at(rib, count)->flags & STORED_SOURCE))
		count++;
	return count;
}

static bool equals(const struct stored_route *route, const struct rib_route *pending)
{
	return route->pathset == pending->pathset && route->metric == pending->metric &&
	       route->tos == pending->tos && route->protocol == pending->protocol &&
	       !!(route->flags & STORED_TWICE) == pending->twice;
}

/* Makes the array what the dump told. */
static int adopt(struct rib *rib, struct rib_dump *dump)
{
	__u32 old = without_source(rib), i;
	int r = 0, failed = 0;

	while (old > dump->count)
		edit_drop(rib, --old);
	for (i = 0; i < dump->count; i++) {
		if (i >= old)
			r = edit_insert(rib, i, &dump->route[i], 0);
		else if (equals(edit_at(rib, i), &dump->route[i]))
			edit_confirm(rib, i, &dump->route[i]);
		else
			edit_rewrite(rib, i, &dump->route[i]);
		if (r) {
			/* The references of the rest are ours still. */
			while (++i < dump->count)
				pathsets_put(rib->pathsets, dump->route[i].pathset);
			failed = r;
		}
	}
	dump->count = 0;
	return failed;
}

static void mark_fresh(struct rib *rib, struct rib_dump *dump)
{
	struct stored_route *route;

	if (!rib->count)
		return;
	route = edit_at(rib, 0);
	/* Without room for the note nobody would take the mark off again: do without both. */
	if (rib_reserve((void **)&dump->fresh, dump->fresh_count, &dump->fresh_size, sizeof(*dump->fresh)))
		return;
	dump->fresh[dump->fresh_count++] = rib->list[0];
	route->flags |= STORED_FRESH;
}

/* The dump has told all routes of the pending prefix. */
static int flush(struct rib *rib, struct rib_dump *dump)
{
	int r;

	if (!dump->any)
		return 0;
	dump->any = false;
	r = edit_open(rib, &dump->place);
	if (r) {
		for (__u32 i = 0; i < dump->count; i++)
			pathsets_put(rib->pathsets, dump->route[i].pathset);
		dump->count = 0;
		return rib_refuse(rib, &dump->place, r);
	}
	if (rib->doubts)
		rib->force |= dispel(rib, &dump->place);
	r = adopt(rib, dump);
	mark_fresh(rib, dump);
	edit_close(rib);
	if (dump->touched)
		rib_doubt(rib, &dump->place);
	return r ? rib_refuse(rib, &dump->place, r) : 0;
}

static int dump_source(struct rib *rib, const struct rib_place *place, const struct rib_route *route)
{
	int r;

	r = edit_open(rib, place);
	if (r) {
		pathsets_put(rib->pathsets, route->pathset);
		return rib_refuse(rib, place, r);
	}
	r = event_add_ipv6(rib, route, 0);
	edit_close(rib);
	return r ? rib_refuse(rib, place, r) : 0;
}

static bool uses(const struct rib *rib, __u32 pathset, __u32 ifindex)
{
	const struct pathset *set = pathsets_content(rib->pathsets, pathset);

	for (__u32 i = 0; i < set->path_count; i++)
		if (set->path[i].ifindex == ifindex)
			return true;
	return false;
}

bool sweep_concerns(const struct rib *rib, __u8 f, const struct stored_route *route)
{
	const struct rib_sweep *sweep = &rib->sweep[f];

	return sweep->active && route->table == sweep->table && route->seen != sweep->generation &&
	       (!sweep->ifindex || uses(rib, route->pathset, sweep->ifindex));
}

void sweep_judge(struct rib *rib, __u32 position)
{
	struct stored_route *route = edit_at(rib, position);
	const struct rib_sweep *sweep = &rib->sweep[rib->place.f];
	unsigned times = (route->flags & STORED_UNSURE_MASK) / UNSURE_STEP + 1;

	if (sweep->exact || times >= sure(rib->place.f)) {
		edit_drop(rib, position);
		rib->stats.swept++;
		return;
	}
	rib->table[route->table].unsure[rib->place.f] += times == 1;
	route->flags = (__u8)((route->flags & ~STORED_UNSURE_MASK) | times * UNSURE_STEP);
	route->seen = sweep->generation; /* judged: not again in this walk */
}

/*
 * Doubts that an earlier dump left and this one, which showed all there is, did not meet: what is left of the
 * prefix was not shown either.
 */
static void dispel_older(struct rib *rib, __u16 table, __u8 f)
{
	for (__u32 i = rib->doubts; i--;) {
		struct rib_place place = rib->doubt[i].place;

		if (place.table != table || place.f != f ||
		    rib->doubt[i].generation == rib->table[table].generation[f] || edit_open(rib, &place))
			continue;
		rib->doubt[i] = rib->doubt[--rib->doubts];
		for (__u32 j = rib->count; j--;)
			if (sweep_concerns(rib, f, edit_at(rib, j)))
				sweep_judge(rib, j);
		rib->force = true;
		edit_close(rib);
	}
}

void rib_dump_begin(struct rib *rib, __u32 table, __u8 family, __u32 ifindex)
{
	__u8 f = family == AF_INET6;
	struct rib_dump *dump = &rib->dump[f];

	assert(!dump->active && !rib->sweep[f].active);
	dump->table = rib_find_table(rib, table);
	dump->active = dump->table != NO_TABLE;
	dump->id = table;
	dump->ifindex = ifindex;
	dump->deletions = 0;
	dump->any = dump->touched = false;
	if (!dump->active)
		return;
	rib->table[dump->table].generation[f]++;
	if (!ifindex)
		rib->table[dump->table].again[f] = false;
}

/* The table is still the one that the dump is of. */
static bool still_open(const struct rib *rib, const struct rib_dump *dump)
{
	return rib->table[dump->table].open && rib->table[dump->table].id == dump->id;
}

/* Of a dump that tells some routes of a prefix only: one that we have is confirmed; another one means that a
 * whole dump is needed. */
static int verify(struct rib *rib, const struct rib_place *place, const struct rib_route *route, bool source)
{
	__u32 low, high, position;
	int r;

	r = edit_open(rib, place);
	if (r) {
		pathsets_put(rib->pathsets, route->pathset);
		return r;
	}
	edit_range(rib, source, route->tos, route->metric, &low, &high);
	position = edit_find(rib, low, high, route);
	if (position < high) {
		edit_confirm(rib, position, route);
	} else {
		pathsets_put(rib->pathsets, route->pathset);
		rib->table[place->table].again[place->f] = true;
	}
	edit_close(rib);
	return 0;
}

int rib_dump_route(struct rib *rib, const struct route_message *message)
{
	struct rib_route route = { .metric = message->metric, .protocol = message->protocol };
	__u8 f = message->family == AF_INET6;
	struct rib_dump *dump = &rib->dump[f];
	struct rib_place place;
	int r = 0, s;

	if (!dump->active || message->cloned || dump->id != message->table || !still_open(rib, dump))
		return 0;
	place = rib_place(message->family, dump->table, message->destination, message->length);
	if (dump->any && !rib_same_place(&dump->place, &place))
		r = flush(rib, dump);
	s = pathsets_get(rib->pathsets, message, &route.pathset);
	if (s)
		return rib_refuse(rib, &place, s);
	route.tos = f ? 0 : message->tos;
	if (dump->ifindex)
		return verify(rib, &place, &route, message->source_length);
	if (message->source_length)
		return dump_source(rib, &place, &route);
	if (!dump->any) {
		dump->place = place;
		dump->any = true;
		dump->touched = false;
	}
	s = pend(rib, dump, &route);
	return s ? rib_refuse(rib, &place, s) : r;
}

void rib_dump_settled(struct rib *rib, __u8 family)
{
	__u8 f = family == AF_INET6;
	struct rib_dump *dump = &rib->dump[f];

	for (__u32 i = 0; i < dump->fresh_count; i++)
		at(rib, f, dump->fresh[i])->flags &= (__u8)~STORED_FRESH;
	dump->fresh_count = 0;
}

void rib_dump_end(struct rib *rib, __u8 family, bool complete)
{
	__u8 f = family == AF_INET6;
	struct rib_dump *dump = &rib->dump[f];
	struct rib_table *table;

	if (!dump->active)
		return;
	table = &rib->table[dump->table];
	(void)flush(rib, dump); /* a failure is counted, and punts */
	rib_dump_settled(rib, family);
	dump->active = false;
	if (!complete || !still_open(rib, dump))
		return;
	rib->sweep[f] = (struct rib_sweep){ .active = true,
					    .table = dump->table,
					    .generation = table->generation[f],
					    .ifindex = dump->ifindex,
					    .exact = !dump->deletions };
	rib->asked++;
	if (dump->ifindex)
		return;
	table->inexact[f] = dump->deletions ? (__u8)(table->inexact[f] + (table->inexact[f] < sure(f))) : 0;
	dispel_older(rib, dump->table, f);
}

bool rib_doubtful(const struct rib *rib)
{
	return rib->doubts;
}

bool rib_dump_again(const struct rib *rib, __u32 table, __u8 family)
{
	__u16 slot = rib_find_table(rib, table);
	__u8 f = family == AF_INET6;

	if (slot == NO_TABLE)
		return false;
	for (__u32 i = 0; i < rib->doubts; i++)
		if (rib->doubt[i].place.table == slot && rib->doubt[i].place.f == f)
			return true;
	return rib->table[slot].unsure[f] || rib->table[slot].again[f] ||
	       (rib->table[slot].inexact[f] && rib->table[slot].inexact[f] < sure(f));
}
