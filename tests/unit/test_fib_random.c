// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Random changes of everything that goes into a fib, against a model that looks every answer up in plain
 * lists: routes of three tables and the local one, on link, by gateway, by several paths and by leaves whose
 * content changes; neighbours; links that go up and down; interfaces that move between VRFs and become ports.
 * All in one small corner of the address space, so that prefixes nest and cover each other.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/image_store.h"
#include "tests/unit/fib_fixture.h"

#ifndef SEED
#define SEED 20261130
#endif
#define STEPS      30000
#define INTERFACES 6
#define TABLES     4 /* main, two VRFs, local */
#define OWNED      6
#define ROUTES     400
#define PATHS      3

static const __u32 table_id[TABLES] = { RT_TABLE_MAIN, 100, 101, RT_TABLE_LOCAL };

struct content {
	enum reason reason;
	__u32 mtu;
	__u32 count;
	struct fib_path path[PATHS];
};

struct route {
	bool used, shadow;
	int table, family, owned; /* owned: index, or -1 */
	__u8 length, last;        /* the last byte of the address, of 24 fixed bits before (IPv6: 120) */
	struct content content;
};

struct model {
	struct fib_interface interface[INTERFACES]; /* ifindex 1.. */
	int port[INTERFACES];                       /* -1 */
	bool known[INTERFACES];
	int mac[2][INTERFACES][256]; /* neighbour by family, interface, last byte; -1: not usable */
	struct route route[ROUTES];
	__u32 leaf[2][OWNED]; /* of each family */
	struct content content[2][OWNED];
	bool settled; /* nothing waits for a grace period: no slot may be HELD */
	bool large;   /* a change of everything may still be on its way through the image */
	struct fixture f;
};

static unsigned draw(unsigned limit)
{
	return (unsigned)random() % limit;
}

static void address_of(int family, __u8 last, __u8 ret[16])
{
	static const __u8 base[2][16] = { { 10, 9, 8 }, { 0x20, 1, 0x0d, 0xb8 } };

	memcpy(ret, base[family], 16);
	ret[family ? 15 : 3] = last;
}

static __u8 family_of(int family)
{
	return family ? AF_INET6 : AF_INET;
}

static struct fib_prefix prefix_of(const struct route *route)
{
	struct fib_prefix prefix = { .family = family_of(route->family), .length = route->length };

	if (route->length)
		address_of(route->family, route->last, prefix.address);
	return prefix;
}

/* --- the model's answer --- */

static bool covers(const struct route *route, __u8 last)
{
	int bits = route->length - (route->family ? 120 : 24);

	if (route->length == 0)
		return true;
	return bits == 0 || (route->last ^ last) >> (8 - bits) == 0;
}

/* The local table's routes and shadows hide all others. */
static const struct route *best_route(const struct model *m, int table, int family, __u8 last)
{
	const struct route *best = NULL;

	for (int i = 0; i < ROUTES; i++) {
		const struct route *route = &m->route[i];
		bool local = route->table == 3, shadow = route->shadow || local;
		bool best_shadow = best && (best->shadow || best->table == 3);

		if (!route->used || route->family != family || (!local && route->table != table) ||
		    !covers(route, last) || (best_shadow && !shadow))
			continue;
		if (!best || shadow > best_shadow || route->length > best->length ||
		    (route->length == best->length && local))
			best = route;
	}
	return best;
}

static enum reason egress_reason(const struct model *m, __u32 ifindex)
{
	const struct fib_interface *interface = &m->interface[ifindex - 1];

	if (!m->known[ifindex - 1] || !interface->up)
		return REASON_EGRESS_DOWN;
	return m->port[ifindex - 1] < 0 ? REASON_EGRESS_FOREIGN : REASON_FORWARDED;
}

static int path_mac(const struct model *m, const struct fib_path *path, int family, __u8 last)
{
	if (!path->family)
		return m->mac[family][path->ifindex - 1][last];
	return m->mac[path->family == AF_INET6][path->ifindex - 1]
		     [path->gateway[path->family == AF_INET6 ? 15 : 3]];
}

/* Whether a slot does what one path asks for. no_host: neighbours on link have no routes of their own. */
static bool matches_path(const struct model *m, const struct image_nexthop *slot, const struct fib_path *path,
			 __u32 mtu, int family, __u8 last, bool no_host)
{
	enum reason reason = egress_reason(m, path->ifindex);
	int mac = no_host && !path->family ? -1 : path_mac(m, path, family, last);
	const struct fib_interface *interface = &m->interface[path->ifindex - 1];
	__u32 limit = family ? interface->mtu6 : interface->mtu4;
	const __u8 *front = (const __u8 *)slot;

	if (!reason && mac < 0)
		reason = REASON_NEIGHBOUR;
	if (slot->interface != (m->port[path->ifindex - 1] < 0 ? 0 : m->port[path->ifindex - 1] + 1) ||
	    !(slot->flags & NEXTHOP_UNICAST))
		return false;
	if (reason)
		return slot->kind == NEXTHOP_PUNT && slot->reason == reason;
	return slot->kind == NEXTHOP_FORWARD && slot->port == m->port[path->ifindex - 1] && front[5] == mac &&
	       memcmp(front + 6, interface->mac, 6) == 0 && slot->mtu == (mtu && mtu < limit ? mtu : limit);
}

static bool matches_group(const struct model *m, const struct image_nexthop *slot,
			  const struct content *content, int family, __u8 last)
{
	const struct image_tables *image = m->f.image;
	__u32 alive = 0, found[PATHS] = { 0 }, stray = 0;
	bool waiting = false;

	for (__u32 i = 0; i < content->count; i++)
		alive += egress_reason(m, content->path[i].ifindex) != REASON_EGRESS_DOWN;
	if (!alive)
		return slot->kind == NEXTHOP_PUNT && slot->reason == REASON_EGRESS_DOWN;
	if (slot->kind != NEXTHOP_GROUP)
		return false;
	for (__u32 b = 0; b <= slot->bucket_mask; b++) {
		const struct image_nexthop *member = &image->nexthop[image->bucket[slot->bucket + b]];
		bool any = false;

		for (__u32 i = 0; i < content->count; i++) {
			const struct fib_path *path = &content->path[i];

			if (egress_reason(m, path->ifindex) != REASON_EGRESS_DOWN &&
			    matches_path(m, member, path, content->mtu, family, last, true)) {
				found[i]++;
				any = true;
			}
		}
		waiting |= !m->settled && member->kind == NEXTHOP_PUNT && member->reason == REASON_HELD;
		stray += !any && !waiting;
	}
	for (__u32 i = 0; i < content->count; i++)
		if (!found[i] && !waiting && egress_reason(m, content->path[i].ifindex) != REASON_EGRESS_DOWN)
			return false;
	return stray == 0;
}

static bool same_paths(const struct fib_path *a, const struct fib_path *b)
{
	return a->ifindex == b->ifindex && a->family == b->family && memcmp(a->gateway, b->gateway, 16) == 0;
}

static bool one_path(const struct content *content)
{
	for (__u32 i = 1; i < content->count; i++)
		if (!same_paths(&content->path[0], &content->path[i]))
			return false;
	return true;
}

static bool matches(const struct model *m, const struct image_nexthop *slot, const struct route *route,
		    __u8 last)
{
	const struct content *content = !route              ? NULL
					: route->owned >= 0 ? &m->content[route->family][route->owned]
							    : &route->content;

	if (!content)
		return slot->kind == NEXTHOP_PUNT && slot->reason == REASON_NO_ROUTE;
	if (content->reason)
		return slot->reason == content->reason &&
		       slot->kind == (content->reason == REASON_BLACKHOLE ? NEXTHOP_DROP : NEXTHOP_PUNT);
	if (one_path(content))
		return matches_path(m, slot, &content->path[0], content->mtu, route->family, last,
				    route->shadow);
	return matches_group(m, slot, content, route->family, last);
}

/* Whether any interface that can receive uses the table. */
static bool is_open(const struct model *m, int table)
{
	for (int i = 0; i < INTERFACES; i++)
		if (m->known[i] && m->port[i] >= 0 && m->interface[i].table == table_id[table])
			return true;
	return table == 0;
}

static void check_address(struct model *m, int table, int family, __u8 last, int step)
{
	const struct route *route = best_route(m, table, family, last);
	const struct image_nexthop *slot;
	__u8 address[16];
	__u32 leaf;

	address_of(family, last, address);
	leaf = fib_lookup(m->f.fib, table_id[table], family_of(family), address);
	slot = &m->f.image->nexthop[leaf];
	if (!is_open(m, table)) {
		cr_assert_eq(leaf, REASON_INTERFACE_UNKNOWN);
		return;
	}
	if (!m->settled && ((slot->kind == NEXTHOP_PUNT && slot->reason == REASON_HELD) || m->large))
		return;
	cr_assert(matches(m, slot, route, last),
		  "step %d, table %u, family %d, address .%u: leaf %u kind %u reason %u, not route /%d .%u",
		  step, table_id[table], family, last, leaf, slot->kind, slot->reason,
		  route ? route->length : -1, route ? route->last : 0);
}

static void check(struct model *m, bool settled, int step)
{
	m->settled = settled;
	for (int i = 0; i < 24; i++)
		check_address(m, draw(3), draw(2), draw(256), step);
}

/* --- changes --- */

static struct fib_path draw_path(int family)
{
	struct fib_path path = { .ifindex = 1 + draw(INTERFACES), .weight = 1 + draw(4) };

	if (draw(3) == 0)
		return path;
	path.family = family_of(family || draw(4) == 0);
	address_of(path.family == AF_INET6, draw(8), path.gateway);
	return path;
}

static struct content draw_content(int family)
{
	struct content content = { .mtu = draw(3) ? 0 : 1300 };

	if (draw(6) == 0) {
		content.reason = draw(2) ? REASON_PROHIBIT : REASON_BLACKHOLE;
		return content;
	}
	content.count = draw(3) ? 1 : 2 + draw(PATHS - 1);
	for (__u32 i = 0; i < content.count; i++)
		content.path[i] = draw_path(family);
	return content;
}

static struct fib_leaf_spec spec_of(const struct content *content, int family)
{
	return (struct fib_leaf_spec){
		.reason = content->reason,
		.family = family_of(family),
		.mtu = content->mtu,
		.path_count = content->count,
		.path = content->path,
	};
}

static void fill_route(struct route *route)
{
	*route = (struct route){ .used = true, .owned = -1 };
	route->table = draw(TABLES);
	route->family = draw(2);
	route->length = draw(30) == 0 ? 0 : (route->family ? 120 : 24) + draw(9);
	if (route->length)
		route->last = draw(256) & (0xff00 >> (route->length - (route->family ? 120 : 24)));
	route->shadow = draw(8) == 0;
	if (route->table == 3) {
		route->length = route->family ? 128 : 32;
		route->last = draw(256);
		route->content.reason = draw(2) ? REASON_LOCAL : REASON_BROADCAST;
	} else if (draw(4) == 0) {
		route->owned = draw(OWNED);
	} else {
		route->content = draw_content(route->family);
	}
}

static struct route *find_route(struct model *m, const struct route *like)
{
	struct route *spare = NULL;

	for (int i = 0; i < ROUTES; i++) {
		struct route *route = &m->route[i];

		if (!route->used)
			spare = route;
		else if (route->table == like->table && route->family == like->family &&
			 route->length == like->length && route->last == like->last)
			return route;
	}
	return spare;
}

static void remove_route(struct model *m, struct route *route)
{
	struct fib_prefix prefix = prefix_of(route);

	fib_route_delete(m->f.fib, table_id[route->table], &prefix);
	route->used = false;
	m->large |= route->length == 0;
}

static void change_route(struct model *m)
{
	struct route route, *at;
	struct fib_prefix prefix;
	struct fib_leaf_spec spec;
	__u32 leaf;

	if (draw(5) < 2) {
		at = &m->route[draw(ROUTES)];
		if (at->used)
			remove_route(m, at);
		return;
	}
	fill_route(&route);
	at = find_route(m, &route);
	if (!at)
		return;
	*at = route;
	m->large |= route.length == 0;
	prefix = prefix_of(at);
	if (at->owned >= 0) {
		leaf = m->leaf[at->family][at->owned];
		cr_assert_eq(fib_route_set(m->f.fib, table_id[at->table], &prefix, leaf, at->shadow), 0);
		return;
	}
	spec = spec_of(&at->content, at->family);
	cr_assert_eq(fib_leaf_get(m->f.fib, &spec, &leaf), 0);
	cr_assert_eq(
		fib_route_set(m->f.fib, table_id[at->table], &prefix, leaf, at->shadow || at->table == 3), 0);
	fib_leaf_put(m->f.fib, leaf);
}

static void change_owned(struct model *m)
{
	int family = draw(2), i = draw(OWNED);
	struct fib_leaf_spec spec;

	m->content[family][i] = draw_content(family);
	spec = spec_of(&m->content[family][i], family);
	cr_assert_eq(fib_leaf_change(m->f.fib, m->leaf[family][i], &spec), 0);
}

static void change_neighbour(struct model *m)
{
	int family = draw(2), interface = draw(INTERFACES), last = draw(2) ? draw(8) : draw(256);
	int mac = draw(3) ? (int)draw(256) : -1;
	__u8 address[16], bytes[6] = { 2, 0xff, 0, 0, 0, mac };

	address_of(family, last, address);
	m->mac[family][interface][last] = mac;
	cr_assert_eq(fib_neighbour_set(m->f.fib, interface + 1, family_of(family), address,
				       mac < 0 ? NULL : bytes),
		     0);
}

static void change_port(struct model *m, int i)
{
	__u16 port;

	if (m->port[i] >= 0) {
		fib_port_delete(m->f.fib, m->port[i]);
		m->port[i] = -1;
	} else if (m->known[i]) {
		cr_assert_eq(fib_port_add(m->f.fib, i + 1, &port), 0);
		fib_port_egress(m->f.fib, port, true, false);
		m->port[i] = port;
	}
}

static void delete_interface(struct model *m, int i)
{
	fib_interface_delete(m->f.fib, i + 1);
	for (int last = 0; last < 256; last++)
		m->mac[0][i][last] = m->mac[1][i][last] = -1;
	m->known[i] = false;
}

static void change_interface(struct model *m)
{
	int i = draw(INTERFACES);
	struct fib_interface *interface = &m->interface[i];

	switch (draw(8)) {
	case 0:
		change_port(m, i);
		return;
	case 1:
		if (draw(4) == 0)
			delete_interface(m, i);
		return;
	case 2:
		interface->mac[4] = draw(256);
		break;
	case 3:
		interface->table = table_id[draw(3)];
		break;
	case 4:
		interface->mtu4 = interface->mtu6 = draw(2) ? 1500 : 1200;
		break;
	default:
		interface->up = draw(3) != 0;
	}
	m->known[i] = true;
	fixture_set(&m->f, interface);
}

static void begin(struct model *m)
{
	fixture_new(&m->f, NULL);
	memset(m->mac, 0xff, sizeof(m->mac));
	for (int i = 0; i < INTERFACES; i++) {
		m->interface[i] = fixture_ethernet(i + 1);
		m->known[i] = true;
		m->port[i] = -1;
		fixture_set(&m->f, &m->interface[i]);
		if (i < 4)
			change_port(m, i);
	}
	for (int family = 0; family < 2; family++) {
		for (int i = 0; i < OWNED; i++) {
			struct fib_leaf_spec spec;

			m->content[family][i] = draw_content(family);
			spec = spec_of(&m->content[family][i], family);
			cr_assert_eq(fib_leaf_new(m->f.fib, &spec, &m->leaf[family][i]), 0);
		}
	}
}

/* Everything taken back: nothing may be left over. */
static void end(struct model *m)
{
	struct fib_stats stats;

	for (int i = 0; i < ROUTES; i++)
		if (m->route[i].used)
			remove_route(m, &m->route[i]);
	for (int i = 0; i < OWNED; i++) {
		fib_leaf_put(m->f.fib, m->leaf[0][i]);
		fib_leaf_put(m->f.fib, m->leaf[1][i]);
	}
	for (int i = 0; i < INTERFACES; i++) {
		if (m->port[i] >= 0)
			fib_port_delete(m->f.fib, m->port[i]);
		delete_interface(m, i);
	}
	fixture_settle(&m->f);
	fib_stats(m->f.fib, &stats);
	cr_assert_eq(stats.leaves, 0);
	cr_assert_eq(stats.groups, 0);
	cr_assert_eq(stats.neighbours, 0);
	cr_assert_eq(stats.interfaces, 0);
	cr_assert_eq(stats.vrfs, 1);
	cr_assert_eq(stats.routes[0] + stats.routes[1], 0);
	cr_assert_eq(stats.nexthop_used, REASON_MAX);
	cr_assert_eq(stats.bucket_used, 0);
	fixture_free(&m->f);
}

Test(fib_random, agrees_with_plain_lists)
{
	struct model *m = calloc(1, sizeof(*m));

	srandom(SEED);
	begin(m);
	for (int step = 0; step < STEPS; step++) {
		unsigned what = draw(20);

		if (what < 11)
			change_route(m);
		else if (what < 16)
			change_neighbour(m);
		else if (what < 18)
			change_owned(m);
		else
			change_interface(m);
		check(m, false, step);
		if (draw(3) == 0) {
			fixture_settle(&m->f);
			m->large = false;
			check(m, true, step);
		}
	}
	end(m);
	free(m);
}
