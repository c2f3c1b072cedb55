// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/view.h"

#include <errno.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#include "host/fib/fib_parts.h"
#include "host/fib/fixed_range.h"
#include "host/fib/group.h"
#include "host/fib/image_store.h"
#include "host/fib/image_update.h"

/* --- leaves --- */

/* What the slot says, whoever wrote it. */
static void read_slot(const struct image_nexthop *slot, struct view_leaf *ret)
{
	__u8 front[12];

	ret->kind = slot->kind;
	ret->reason = slot->reason;
	ret->flags = slot->flags;
	ret->interface = slot->interface;
	if (slot->kind == NEXTHOP_GROUP)
		ret->buckets = slot->bucket_mask + 1;
	if (slot->kind != NEXTHOP_FORWARD)
		return;
	memcpy(front, &slot->mac0, 8);
	memcpy(front + 8, &slot->mac1, 4);
	memcpy(ret->destination_mac, front, 6);
	memcpy(ret->source_mac, front + 6, 6);
	ret->mtu = slot->mtu;
	ret->port = slot->port;
	ret->tags = slot->tags;
	ret->tag[0] = slot->tag[0];
	ret->tag[1] = slot->tag[1];
}

static void read_adjacency(const struct adjacency *adjacency, struct view_leaf *ret)
{
	ret->family = adjacency->key.family;
	ret->ifindex = adjacency->key.ifindex;
	ret->gateway_family = adjacency->key.gateway_family;
	memcpy(ret->gateway, adjacency->key.gateway, sizeof(ret->gateway));
}

int view_leaf(const struct fib *fib, __u32 id, struct view_leaf *ret)
{
	const struct leaf *leaf = leaf_find(&fib->leaves, id);
	struct view_leaf view = { .leaf = id };

	if (!leaf && id >= REASON_MAX)
		return -ENOENT;
	read_slot(&fib->store->tables->nexthop[id], &view);
	if (leaf) {
		view.owned = leaf->owned;
		view.references = leaf->references;
	}
	if (leaf && leaf->adjacency)
		read_adjacency(leaf->adjacency, &view);
	if (leaf && leaf->group) {
		view.members = leaf->group->count;
		view.family = leaf->group->member[0].adjacency->key.family;
	}
	*ret = view;
	return 0;
}

int view_member(const struct fib *fib, __u32 id, __u32 index, struct view_member *ret)
{
	const struct leaf *leaf = leaf_find(&fib->leaves, id);
	const struct group *group = leaf ? leaf->group : NULL;
	__u32 member, buckets = 0;

	if (!group || index >= group->count)
		return -ENOENT;
	member = group->member[index].adjacency->leaf;
	for (__u32 i = 0; i < 1u << group->order; i++)
		buckets += fib->store->tables->bucket[group->first + i] == member;
	*ret = (struct view_member){
		.leaf = member,
		.weight = group->member[index].weight,
		.buckets = buckets,
	};
	return 0;
}

void view_leaves(const struct fib *fib, bool (*each)(void *arg, const struct view_leaf *leaf), void *arg)
{
	struct view_leaf view;

	for (__u32 id = REASON_MAX; id < IMAGE_NEXTHOPS; id++)
		if (view_leaf(fib, id, &view) == 0 && !each(arg, &view))
			return;
}

/* --- routes --- */

static unsigned width_of(enum image_family family)
{
	return family == IMAGE_IPV4 ? 32 : 128;
}

static struct fib_prefix to_prefix(enum image_family family, const struct prefix_key *key, unsigned length)
{
	struct fib_prefix prefix = {
		.family = family == IMAGE_IPV4 ? AF_INET : AF_INET6,
		.length = length,
	};

	for (unsigned i = 0; i < width_of(family) / 32; i++) {
		__be32 word = htonl(key->word[i]);

		memcpy(prefix.address + i * 4, &word, 4);
	}
	return prefix;
}

static enum view_origin origin_of(const struct fib *fib, const struct table *table,
				  const struct image_prefix *prefix)
{
	const struct prefix_tree *host = table->host[prefix->family];
	const struct prefix_tree *local = fib->tables.local->tree[prefix->family];

	if (prefix->layer == PREFIX_ROUTE)
		return host && prefix_tree_get(host, &prefix->key, prefix->length, PREFIX_ROUTE)
			       ? VIEW_NEIGHBOUR
			       : VIEW_KERNEL;
	if (fixed_range_is(prefix))
		return VIEW_FIXED;
	return prefix_tree_get(local, &prefix->key, prefix->length, PREFIX_SHADOW) ? VIEW_LOCAL : VIEW_KERNEL;
}

static struct view_route to_route(const struct fib *fib, const struct table *table,
				  const struct image_prefix *prefix, __u16 leaf)
{
	return (struct view_route){
		.table = table->id,
		.prefix = to_prefix(prefix->family, &prefix->key, prefix->length),
		.leaf = leaf,
		.origin = origin_of(fib, table, prefix),
		.shadow = prefix->layer == PREFIX_SHADOW,
	};
}

struct walk {
	const struct fib *fib;
	const struct table *table;
	const struct prefix_tree *tree;
	enum image_family family;
	struct prefix_key after;
	int after_length; /* -1: from the beginning */
	bool (*each)(void *arg, const struct view_route *route);
	void *arg;
};

static int compare_words(const __u32 *a, const __u32 *b, unsigned words)
{
	for (unsigned i = 0; i < words; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Whether all prefixes at and below a node come before the place where the walk begins. */
static bool all_before(const struct walk *walk, const struct prefix_node *node)
{
	unsigned words = walk->tree->width / 32;
	struct prefix_key last;

	if (walk->after_length < 0)
		return false;
	for (unsigned i = 0; i < words; i++) {
		last.word[i] = node->key[i];
		if (node->length <= i * 32)
			last.word[i] = ~0u;
		else if (node->length < i * 32 + 32)
			last.word[i] |= ~0u >> (node->length % 32);
	}
	return compare_words(last.word, walk->after.word, words) < 0;
}

static bool is_after(const struct walk *walk, const struct prefix_node *node)
{
	int order = compare_words(node->key, walk->after.word, walk->tree->width / 32);

	return order > 0 || (order == 0 && node->length > walk->after_length);
}

static bool show(const struct walk *walk, const struct prefix_node *node)
{
	struct image_prefix prefix = {
		.family = walk->family,
		.layer = node->value[PREFIX_SHADOW] ? PREFIX_SHADOW : PREFIX_ROUTE,
		.length = node->length,
	};
	struct view_route route;

	memcpy(&prefix.key, node->key, walk->tree->width / 8);
	route = to_route(walk->fib, walk->table, &prefix, node->value[prefix.layer]);
	return walk->each(walk->arg, &route);
}

/* Depth: the address width, for every child is longer than its parent. False: stopped. */
static bool walk_below(const struct walk *walk, __u32 index)
{
	const struct prefix_node *node = prefix_tree_node(walk->tree, index);

	if (all_before(walk, node))
		return true;
	if (prefix_answer(node->value) && (walk->after_length < 0 || is_after(walk, node)) &&
	    !show(walk, node))
		return false;
	for (int side = 0; side < 2; side++)
		if (node->child[side] && !walk_below(walk, node->child[side]))
			return false;
	return true;
}

void view_routes(const struct fib *fib, __u32 table_id, __u8 family, const struct fib_prefix *after,
		 bool (*each)(void *arg, const struct view_route *route), void *arg)
{
	struct walk walk = {
		.fib = fib,
		.table = table_find(&fib->tables, table_id),
		.family = family == AF_INET ? IMAGE_IPV4 : IMAGE_IPV6,
		.after_length = after ? after->length : -1,
		.each = each,
		.arg = arg,
	};

	if (!walk.table || !walk.table->open)
		return;
	if (after)
		walk.after = prefix_key(after->address, width_of(walk.family), after->length);
	walk.tree = image_update_tree(fib->update, walk.table->vrf, walk.family);
	walk_below(&walk, 0);
}

void view_lookup(const struct fib *fib, __u32 table_id, __u8 family, const __u8 *address,
		 struct view_answer *ret)
{
	const struct table *table = table_find(&fib->tables, table_id ? table_id : RT_TABLE_MAIN);
	struct image_prefix prefix = { .family = family == AF_INET ? IMAGE_IPV4 : IMAGE_IPV6 };
	const struct prefix_tree *tree;
	unsigned length;
	__u16 leaf;

	*ret = (struct view_answer){ .leaf = fib_lookup(fib, table_id, family, address) };
	if (!table || !table->open)
		return;
	tree = image_update_tree(fib->update, table->vrf, prefix.family);
	prefix.key = prefix_key(address, width_of(prefix.family), width_of(prefix.family));
	leaf = prefix_tree_match(tree, &prefix.key, &length);
	if (!leaf)
		return;
	prefix.length = length;
	prefix.key = prefix_key(address, width_of(prefix.family), length);
	prefix.layer =
		prefix_tree_get(tree, &prefix.key, length, PREFIX_SHADOW) ? PREFIX_SHADOW : PREFIX_ROUTE;
	ret->matched = true;
	ret->route = to_route(fib, table, &prefix, leaf);
}

/* --- neighbours, interfaces, VRFs --- */

struct neighbours_call {
	const struct fib *fib;
	bool (*each)(void *arg, const struct view_neighbour *neighbour);
	void *arg;
	bool stopped;
};

static void show_neighbour(void *arg, const struct neighbour *neighbour)
{
	struct neighbours_call *call = arg;
	struct view_neighbour view = {
		.ifindex = neighbour->interface->is.ifindex,
		.family = neighbour->family,
		.usable = neighbour->usable,
		.gateway_of = leaves_by_gateway(&call->fib->leaves, neighbour),
	};
	const struct host_route *host;

	if (call->stopped)
		return;
	memcpy(view.address, neighbour->address, sizeof(view.address));
	if (neighbour->usable)
		memcpy(view.mac, neighbour->mac, sizeof(view.mac));
	LIST_FOREACH (host, &neighbour->hosts, neighbour_link)
		view.hosts++;
	call->stopped = !call->each(call->arg, &view);
}

void view_neighbours(const struct fib *fib, bool (*each)(void *arg, const struct view_neighbour *neighbour),
		     void *arg)
{
	neighbours_each(&fib->neighbours, show_neighbour,
			&(struct neighbours_call){ .fib = fib, .each = each, .arg = arg });
}

struct interfaces_call {
	const struct fib *fib;
	bool (*each)(void *arg, const struct view_interface *interface);
	void *arg;
	bool stopped;
};

static __u32 count_leaves(const struct interface *interface)
{
	const struct adjacency *adjacency;
	__u32 count = 0;

	LIST_FOREACH (adjacency, &interface->adjacencies, egress_link)
		count++;
	LIST_FOREACH (adjacency, &interface->on_link, egress_link)
		count++;
	return count;
}

static void show_interface(void *arg, const struct interface *interface)
{
	struct interfaces_call *call = arg;
	const struct image_interface *slot = &call->fib->store->tables->interface[interface->slot];
	struct view_interface view = {
		.ifindex = interface->is.ifindex,
		.parent = interface->parent ? interface->parent->is.ifindex : 0,
		.table = interface->is.table,
		.slot = interface->slot,
		.port = interface->port,
		.tpid = interface->is.tpid,
		.vid = interface->is.vid,
		.flags = interface->slot ? slot->flags : 0,
		.punt = interface->slot ? slot->punt : REASON_FORWARDED,
		.leaves = count_leaves(interface),
	};
	struct egress egress;

	if (call->stopped || !interface->known)
		return;
	interface_egress(&call->fib->interfaces, interface, &egress);
	view.egress = egress.reason;
	call->stopped = !call->each(call->arg, &view);
}

void view_interfaces(const struct fib *fib, bool (*each)(void *arg, const struct view_interface *interface),
		     void *arg)
{
	interfaces_each(&fib->interfaces, show_interface,
			&(struct interfaces_call){ .fib = fib, .each = each, .arg = arg });
}

void view_vrfs(const struct fib *fib, bool (*each)(void *arg, const struct view_vrf *vrf), void *arg)
{
	const struct table *table;

	LIST_FOREACH (table, &fib->tables.open, open_link) {
		const struct image_vrf *slot = &fib->store->tables->vrf[table->vrf];
		struct view_vrf view = {
			.table = table->id,
			.slot = table->vrf,
			.routes = { table->routes[0], table->routes[1] },
			.fallback = { slot->fallback[0], slot->fallback[1] },
			.interfaces = table->interfaces,
		};

		if (!each(arg, &view))
			return;
	}
}
