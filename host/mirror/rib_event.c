// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the kernel's notifications mean: each says what it did to the list of a prefix.
 */
#include "host/mirror/rib_parts.h"

#include <errno.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/*
 * fib_table_insert() says by flags what it did: EXCL: the first route of this key; REPLACE: instead of the
 * first; APPEND: behind the last; neither: before the first. Without any flag (offload marks) nothing moved.
 */
static int add_ipv4(struct rib *rib, const struct rib_route *new, __u16 nlflags)
{
	__u32 low, high, same;
	bool known;

	edit_range(rib, false, new->tos, new->metric, &low, &high);
	same = edit_find(rib, low, high, new);
	known = same < high;
	if (nlflags & NLM_F_EXCL) {
		/* It is the only one. */
		while (high-- > low)
			if (!known || high != same)
				edit_drop(rib, high);
		if (!known)
			return edit_insert(rib, low, new, 0);
		edit_confirm(rib, low, new);
		return 0;
	}
	if (known) {
		edit_confirm(rib, same, new);
		if (nlflags & NLM_F_APPEND)
			edit_move(rib, same, high - 1);
		else if (nlflags == NLM_F_CREATE)
			edit_move(rib, same, low);
		return 0;
	}
	if (nlflags & NLM_F_REPLACE && low < high) {
		edit_rewrite(rib, low, new);
		return 0;
	}
	return edit_insert(rib, nlflags & NLM_F_APPEND ? high : low, new, 0);
}

/* What an IPv6 route is looked for by: whether it joins with others, and its source prefix. */
struct kind {
	bool joins;
	__u8 source_length;
	const __u8 *source;
};

static bool is_of_kind(const struct rib *rib, __u32 position, const struct kind *kind)
{
	const struct stored_route *route = edit_at(rib, position);
	const struct pathset *set = pathsets_content(rib->pathsets, route->pathset);

	return pathsets_joins(rib->pathsets, route->pathset, route->protocol) == kind->joins &&
	       set->source_length == kind->source_length &&
	       !memcmp(set->source, kind->source, sizeof(set->source));
}

/* The first in [low, high); high: none. */
static __u32 find_kind(const struct rib *rib, __u32 low, __u32 high, const struct kind *kind)
{
	while (low < high && !is_of_kind(rib, low, kind))
		low++;
	return low;
}

/*
 * fib6_add_rt2node(). A message about a route that joins holds all next hops of the whole, so it replaces
 * what was known of it. REPLACE takes the first one of the same kind, else the first one of the metric.
 */
int event_add_ipv6(struct rib *rib, const struct rib_route *new, __u16 nlflags)
{
	const struct pathset *set = pathsets_content(rib->pathsets, new->pathset);
	struct kind kind = { .joins = pathsets_joins(rib->pathsets, new->pathset, new->protocol),
			     .source_length = set->source_length,
			     .source = set->source };
	bool replace = nlflags & NLM_F_REPLACE;
	__u32 low, high, position;

	edit_range(rib, set->source_length, 0, new->metric, &low, &high);
	position = edit_find(rib, low, high, new);
	/* A replacement may make two of the same. Not so what is told when an object of a route changes:
	 * "replace" then means that one itself, wherever it is (fib6_rt_update()). */
	if (position < high && (!replace || set->nexthop)) {
		edit_confirm(rib, position, new);
		return 0;
	}
	position = kind.joins || replace ? find_kind(rib, low, high, &kind) : high;
	if (position == high && replace) {
		kind.joins = !kind.joins;
		position = find_kind(rib, low, high, &kind);
	}
	if (position == high)
		return edit_insert(rib, high, new, set->source_length ? STORED_SOURCE : 0);
	edit_rewrite(rib, position, new);
	return 0;
}

int event_add(struct rib *rib, const struct route_message *message)
{
	struct rib_route new = { .metric = message->metric, .protocol = message->protocol };
	int r;

	r = pathsets_get(rib->pathsets, message, &new.pathset);
	if (r)
		return r;
	if (message->family == AF_INET6)
		return event_add_ipv6(rib, &new, message->nlflags);
	new.tos = message->tos;
	return add_ipv4(rib, &new, message->nlflags);
}

/* Whether a deletion names next hops of an IPv6 multipath route. */
static bool names_hops(const struct route_message *message)
{
	return message->family == AF_INET6 && message->type == RTN_UNICAST && !message->nexthop &&
	       message->protocol != RTPROT_RA && message->path_count && message->path[0].family;
}

/* They are named one by one, or all at once. What is left is as sure as the whole was before. */
static int remove_hops(struct rib *rib, const struct route_message *message, __u32 position)
{
	struct stored_route *route = edit_at(rib, position);
	struct rib_route rest = { .metric = message->metric, .protocol = route->protocol };
	__u32 known = pathsets_content(rib->pathsets, route->pathset)->path_count, left = 0;
	int r;

	r = pathsets_without(rib->pathsets, route->pathset, message, &rest.pathset);
	if (r) {
		edit_drop(rib, position);
		if (r != -ENOENT) /* -ENOENT: none is left */
			return r;
	} else {
		left = pathsets_content(rib->pathsets, rest.pathset)->path_count;
		edit_reduce(rib, position, &rest);
	}
	return known - left == message->path_count ? 0 : -ESTALE;
}

int event_remove(struct rib *rib, const struct route_message *message)
{
	struct rib_route gone = { .metric = message->metric, .protocol = message->protocol };
	struct kind kind = { .joins = true,
			     .source_length = message->source_length,
			     .source = message->source };
	__u8 tos = message->family == AF_INET ? message->tos : 0;
	__u32 low, high, position;

	edit_range(rib, message->source_length, tos, message->metric, &low, &high);
	position = names_hops(message) ? find_kind(rib, low, high, &kind) : high;
	if (position < high)
		return remove_hops(rib, message, position);
	if (!pathsets_find(rib->pathsets, message, &gone.pathset))
		position = edit_find(rib, low, high, &gone);
	/* Which next hops are dead may be news for one of the two. */
	for (__u32 i = low; position == high && i < high; i++)
		if (edit_at(rib, i)->protocol == message->protocol &&
		    pathsets_alike(rib->pathsets, edit_at(rib, i)->pathset, message))
			position = i;
	if (position == high)
		return low == high ? -ENOENT : -ESTALE;
	edit_drop(rib, position);
	return 0;
}
