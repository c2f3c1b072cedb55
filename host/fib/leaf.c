// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/leaf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/adjacency.h"
#include "host/fib/bucket.h"
#include "host/fib/neighbour.h"
#include "host/fib/nexthop.h"

/* The paths of a spec as adjacencies, with a reference on each. */
struct paths {
	struct group_path at[GROUP_MEMBERS];
	__u32 count;
};

static struct group *group_container(struct hash_node *node)
{
	return (struct group *)((char *)node - offsetof(struct group, node));
}

static struct adjacency_key key_of(const struct fib_leaf_spec *spec, const struct fib_path *path)
{
	struct adjacency_key key = {
		.ifindex = path->ifindex,
		.mtu = spec->mtu,
		.family = spec->family,
		.gateway_family = path->family,
	};

	if (path->family)
		memcpy(key.gateway, path->gateway, path->family == AF_INET ? 4 : 16);
	return key;
}

static __u64 hash_of(const struct group_path *path, __u32 count)
{
	__u32 word[GROUP_MEMBERS * 2];

	for (__u32 i = 0; i < count; i++) {
		word[i * 2] = path[i].adjacency->leaf;
		word[i * 2 + 1] = path[i].weight;
	}
	return hash_bytes(word, count * 2 * sizeof(word[0]));
}

/* Notes what was not there, so that leaves_room() can tell when it is. */
static int refuse(struct leaves *leaves, int error, unsigned order)
{
	if (error != -ENOSPC)
		return error;
	leaves->refused++;
	if (order > leaves->refused_order)
		leaves->refused_order = order;
	return error;
}

/* A leaf with a slot and one reference, still without content. */
static int leaf_make(struct leaves *leaves, bool owned, struct leaf **ret)
{
	struct leaf *leaf = calloc(1, sizeof(*leaf));
	int error;

	if (!leaf)
		return -ENOMEM;
	error = nexthop_take(leaves->nexthops, &leaf->id);
	if (error) {
		free(leaf);
		return refuse(leaves, error, 0);
	}
	leaf->references = 1;
	leaf->owned = owned;
	leaves->at[leaf->id] = leaf;
	leaves->count++;
	*ret = leaf;
	return 0;
}

/* Takes the slot away; the content must be gone. */
static void leaf_unmake(struct leaves *leaves, struct leaf *leaf)
{
	nexthop_give(leaves->nexthops, leaf->id);
	leaves->at[leaf->id] = NULL;
	leaves->count--;
	free(leaf->wanted);
	free(leaf->table);
	free(leaf);
}

/* --- content --- */

static void free_adjacency(struct leaves *leaves, struct leaf *leaf)
{
	adjacency_free(leaves->adjacencies, leaf->adjacency);
	leaf->adjacency = NULL;
}

static void clean(struct group *group)
{
	if (group->dirty)
		LIST_REMOVE(group, dirty_link);
	group->dirty = false;
}

static void free_group(struct leaves *leaves, struct leaf *leaf)
{
	struct group *group = leaf->group;
	__u32 member[GROUP_MEMBERS], count = group->count;

	for (__u32 i = 0; i < count; i++)
		member[i] = group->member[i].adjacency->leaf;
	if (group->shared)
		hash_remove(&leaves->groups, &group->node);
	clean(group);
	leaf->group = NULL;
	leaves->group_count--;
	group_free(leaves->buckets, group);
	for (__u32 i = 0; i < count; i++)
		leaf_put(leaves, member[i]);
}

/* Takes the content out. The slot has something else to say by now, or is about to be given back. */
static void leaf_empty(struct leaves *leaves, struct leaf *leaf)
{
	if (leaf->content == LEAF_ADJACENCY)
		free_adjacency(leaves, leaf);
	else if (leaf->content == LEAF_GROUP)
		free_group(leaves, leaf);
	leaf->content = LEAF_REASON;
}

static int fill_adjacency(struct leaves *leaves, struct leaf *leaf, const struct adjacency_key *key)
{
	struct adjacency *adjacency;
	int error = adjacency_new(leaves->adjacencies, key, leaf->id, !leaf->owned, &adjacency);

	if (error)
		return error;
	leaf_empty(leaves, leaf);
	leaf->content = LEAF_ADJACENCY;
	leaf->adjacency = adjacency;
	return 0;
}

static void publish_group(struct leaves *leaves, const struct group *group)
{
	struct image_nexthop content;

	group_content(group, &content);
	nexthop_set(leaves->nexthops, group->leaf, &content);
}

/* On success the group has taken over the references on the paths. */
static int fill_group(struct leaves *leaves, struct leaf *leaf, const struct paths *paths)
{
	struct group *group;
	int error = group_new(leaves->buckets, leaves->bucket_image, paths->at, paths->count, leaf->id,
			      !leaf->owned, &group);

	if (error)
		return refuse(leaves, error, group_order(paths->at, paths->count, !leaf->owned));
	publish_group(leaves, group);
	leaf_empty(leaves, leaf);
	leaf->content = LEAF_GROUP;
	leaf->group = group;
	leaves->group_count++;
	if (group->shared)
		hash_insert(&leaves->groups, &group->node, hash_of(paths->at, paths->count));
	return 0;
}

static void fill_reason(struct leaves *leaves, struct leaf *leaf, enum reason reason)
{
	nexthop_set(leaves->nexthops, leaf->id, nexthop_of_reason(leaves->nexthops, reason));
	leaf_empty(leaves, leaf);
	leaf->reason = reason;
}

/* --- shared leaves --- */

static int get_adjacency(struct leaves *leaves, const struct adjacency_key *key, __u32 *ret_id)
{
	struct adjacency *adjacency = adjacency_find(leaves->adjacencies, key);
	struct leaf *leaf;
	int error;

	if (adjacency) {
		leaf_hold(leaves, adjacency->leaf);
		*ret_id = adjacency->leaf;
		return 0;
	}
	error = leaf_make(leaves, false, &leaf);
	if (error)
		return error;
	error = fill_adjacency(leaves, leaf, key);
	if (error) {
		leaf_unmake(leaves, leaf);
		return error;
	}
	*ret_id = leaf->id;
	return 0;
}

static void paths_put(struct leaves *leaves, const struct paths *paths)
{
	for (__u32 i = 0; i < paths->count; i++)
		leaf_put(leaves, paths->at[i].adjacency->leaf);
}

static int by_leaf(const void *a, const void *b)
{
	const struct group_path *x = a, *y = b;

	return (x->adjacency->leaf > y->adjacency->leaf) - (x->adjacency->leaf < y->adjacency->leaf);
}

/* Sorts; paths that come to the same adjacency become one of their joint weight. */
static void paths_merge(struct leaves *leaves, struct paths *paths)
{
	__u32 count = 0;

	qsort(paths->at, paths->count, sizeof(paths->at[0]), by_leaf);
	for (__u32 i = 0; i < paths->count; i++) {
		if (count && paths->at[count - 1].adjacency == paths->at[i].adjacency) {
			paths->at[count - 1].weight += paths->at[i].weight;
			leaf_put(leaves, paths->at[i].adjacency->leaf);
		} else {
			paths->at[count++] = paths->at[i];
		}
	}
	paths->count = count;
}

static int paths_get(struct leaves *leaves, const struct fib_leaf_spec *spec, struct paths *ret)
{
	ret->count = 0;
	for (__u32 i = 0; i < spec->path_count; i++) {
		struct adjacency_key key = key_of(spec, &spec->path[i]);
		__u32 id;
		int error = get_adjacency(leaves, &key, &id);

		if (error) {
			paths_put(leaves, ret);
			return error;
		}
		ret->at[ret->count++] = (struct group_path){
			.adjacency = leaves->at[id]->adjacency,
			.weight = spec->path[i].weight ? spec->path[i].weight : 1,
		};
	}
	paths_merge(leaves, ret);
	return 0;
}

static struct group *find_group(const struct leaves *leaves, const struct paths *paths)
{
	struct hash_node *node = hash_first(&leaves->groups, hash_of(paths->at, paths->count));

	for (; node; node = hash_next(node))
		if (group_same(group_container(node), paths->at, paths->count))
			return group_container(node);
	return NULL;
}

/* Uses up the references on the paths, whatever comes of it. */
static int get_group(struct leaves *leaves, const struct paths *paths, __u32 *ret_id)
{
	struct group *group = find_group(leaves, paths);
	struct leaf *leaf;
	int error;

	if (group) {
		leaf_hold(leaves, group->leaf);
		paths_put(leaves, paths);
		*ret_id = group->leaf;
		return 0;
	}
	error = leaf_make(leaves, false, &leaf);
	if (error)
		goto put_paths;
	error = fill_group(leaves, leaf, paths);
	if (error)
		goto unmake_leaf;
	*ret_id = leaf->id;
	return 0;

unmake_leaf:
	leaf_unmake(leaves, leaf);
put_paths:
	paths_put(leaves, paths);
	return error;
}

/* More paths than a group holds, or none: not ours to forward. */
static enum reason reason_of(const struct fib_leaf_spec *spec)
{
	if (spec->reason)
		return spec->reason;
	return spec->path_count < 1 || spec->path_count > GROUP_MEMBERS ? REASON_UNSUPPORTED_ROUTE
									: REASON_FORWARDED;
}

static int get_paths(struct leaves *leaves, const struct fib_leaf_spec *spec, __u32 *ret_id)
{
	struct paths paths;
	int error;

	if (spec->path_count == 1) {
		struct adjacency_key key = key_of(spec, spec->path);

		return get_adjacency(leaves, &key, ret_id);
	}
	error = paths_get(leaves, spec, &paths);
	if (error)
		return error;
	if (paths.count > 1)
		return get_group(leaves, &paths, ret_id);
	*ret_id = paths.at[0].adjacency->leaf;
	return 0;
}

/* --- owned leaves --- */

/* The group stays the same one, with other members: few flows move. */
static int change_group(struct leaves *leaves, struct leaf *leaf, const struct paths *paths)
{
	struct group *group = leaf->group;
	__u32 old[GROUP_MEMBERS], count = group->count;
	int error;

	for (__u32 i = 0; i < count; i++)
		old[i] = group->member[i].adjacency->leaf;
	error = group_change(leaves->buckets, leaves->bucket_image, group, paths->at, paths->count);
	if (error)
		return refuse(leaves, error, group_order(paths->at, paths->count, false));
	publish_group(leaves, group);
	for (__u32 i = 0; i < count; i++)
		leaf_put(leaves, old[i]);
	return 0;
}

static int fill_paths(struct leaves *leaves, struct leaf *leaf, const struct fib_leaf_spec *spec)
{
	struct adjacency_key key;
	struct paths paths;
	int error;

	if (spec->path_count > 1) {
		error = paths_get(leaves, spec, &paths);
		if (error)
			return error;
		if (paths.count > 1) {
			error = leaf->content == LEAF_GROUP ? change_group(leaves, leaf, &paths)
							    : fill_group(leaves, leaf, &paths);
			if (error)
				paths_put(leaves, &paths);
			return error;
		}
		paths_put(leaves, &paths);
	}
	key = key_of(spec, spec->path);
	return fill_adjacency(leaves, leaf, &key);
}

static struct fib_leaf_spec *spec_copy(const struct fib_leaf_spec *spec)
{
	size_t bytes = spec->path_count * sizeof(spec->path[0]);
	struct fib_leaf_spec *copy = malloc(sizeof(*copy) + bytes);

	if (!copy)
		return NULL;
	*copy = *spec;
	copy->path = (struct fib_path *)(copy + 1);
	memcpy(copy + 1, spec->path, bytes);
	return copy;
}

static void forget_wanted(struct leaves *leaves, struct leaf *leaf)
{
	leaves->starved -= leaf->wanted != NULL;
	free(leaf->wanted);
	leaf->wanted = NULL;
}

/* What cannot be had is never replaced by what was there before: it punts. */
static int fill(struct leaves *leaves, struct leaf *leaf, const struct fib_leaf_spec *spec)
{
	struct fib_leaf_spec *wanted = NULL;
	enum reason reason = reason_of(spec);
	int error;

	if (reason) {
		forget_wanted(leaves, leaf);
		fill_reason(leaves, leaf, reason);
		return 0;
	}
	error = fill_paths(leaves, leaf, spec);
	if (error) {
		wanted = spec_copy(spec);
		fill_reason(leaves, leaf, REASON_TABLE_FULL);
	}
	forget_wanted(leaves, leaf);
	leaf->wanted = wanted;
	leaves->starved += wanted != NULL;
	return error;
}

static void release(struct leaves *leaves, struct leaf *leaf)
{
	/* the slot punts before buckets and members go their ways */
	nexthop_set(leaves->nexthops, leaf->id, nexthop_of_reason(leaves->nexthops, REASON_NO_ROUTE));
	leaf_empty(leaves, leaf);
	forget_wanted(leaves, leaf);
	leaf_unmake(leaves, leaf);
}

/* --- public --- */

int leaves_init(struct leaves *leaves, struct adjacencies *adjacencies, struct buckets *buckets,
		struct nexthops *nexthops, struct image_tables *image)
{
	*leaves = (struct leaves){
		.adjacencies = adjacencies,
		.buckets = buckets,
		.nexthops = nexthops,
		.bucket_image = image->bucket,
	};
	return hash_init(&leaves->groups);
}

/* Frees what the host knows of a leaf; the image is left as it is. */
static void leaf_forget(struct leaves *leaves, struct leaf *leaf)
{
	if (leaf->group)
		group_free(leaves->buckets, leaf->group);
	if (leaf->adjacency)
		adjacency_free(leaves->adjacencies, leaf->adjacency);
	leaves->at[leaf->id] = NULL;
	free(leaf->wanted);
	free(leaf->table);
	free(leaf);
}

void leaves_exit(struct leaves *leaves)
{
	for (int pass = 0; pass < 2; pass++) {
		for (__u32 id = REASON_MAX; id < IMAGE_NEXTHOPS; id++) {
			/* groups first: they stand in their members' lists */
			if (leaves->at[id] && (pass || leaves->at[id]->group))
				leaf_forget(leaves, leaves->at[id]);
		}
	}
	hash_exit(&leaves->groups);
}

int leaf_get(struct leaves *leaves, const struct fib_leaf_spec *spec, __u32 *ret_id)
{
	enum reason reason = reason_of(spec);
	int error;

	if (reason) {
		*ret_id = reason;
		return 0;
	}
	error = get_paths(leaves, spec, ret_id);
	if (error) {
		leaves->owes = true;
		*ret_id = REASON_TABLE_FULL;
	}
	return error;
}

int leaf_new(struct leaves *leaves, const struct fib_leaf_spec *spec, __u32 *ret_id)
{
	struct leaf *leaf;
	int error = leaf_make(leaves, true, &leaf);

	if (error) {
		leaves->owes = true;
		*ret_id = REASON_TABLE_FULL;
		return error;
	}
	*ret_id = leaf->id;
	return fill(leaves, leaf, spec);
}

int leaf_change(struct leaves *leaves, __u32 id, const struct fib_leaf_spec *spec)
{
	struct leaf *leaf = leaf_find(leaves, id);

	return leaf && leaf->owned ? fill(leaves, leaf, spec) : -EINVAL;
}

struct leaf *leaf_find(const struct leaves *leaves, __u32 id)
{
	return id < IMAGE_NEXTHOPS ? leaves->at[id] : NULL;
}

void leaf_hold(struct leaves *leaves, __u32 id)
{
	if (id >= REASON_MAX)
		leaves->at[id]->references++;
}

void leaf_put(struct leaves *leaves, __u32 id)
{
	struct leaf *leaf;

	if (id < REASON_MAX)
		return;
	leaf = leaves->at[id];
	assert(leaf && leaf->references);
	if (!--leaf->references)
		release(leaves, leaf);
}

struct adjacency *leaf_on_link(const struct leaves *leaves, __u32 id)
{
	struct leaf *leaf = leaf_find(leaves, id);

	return leaf && leaf->adjacency && !leaf->adjacency->gateway ? leaf->adjacency : NULL;
}

int leaf_get_host(struct leaves *leaves, const struct adjacency *on_link, const struct neighbour *neighbour,
		  __u32 *ret_id)
{
	struct adjacency_key key = on_link->key;

	key.gateway_family = neighbour->family;
	memcpy(key.gateway, neighbour->address, sizeof(key.gateway));
	return get_adjacency(leaves, &key, ret_id);
}

int leaf_note_table(struct leaves *leaves, __u32 id, __u32 table)
{
	struct leaf *leaf = leaf_find(leaves, id);
	__u32 *tables;

	if (!leaf || (!leaf->owned && !leaf_on_link(leaves, id)))
		return 0;
	for (__u32 i = 0; i < leaf->table_count; i++)
		if (leaf->table[i] == table)
			return 0;
	tables = realloc(leaf->table, (leaf->table_count + 1) * sizeof(*tables));
	if (!tables)
		return -ENOMEM;
	tables[leaf->table_count++] = table;
	leaf->table = tables;
	return 0;
}

__u32 leaves_by_gateway(const struct leaves *leaves, const struct neighbour *neighbour)
{
	const struct adjacency *adjacency;
	__u32 count = 0;

	LIST_FOREACH (adjacency, &neighbour->adjacencies, gateway_link)
		count += leaves->at[adjacency->leaf]->references > adjacency->hosts;
	return count;
}

void leaf_refresh(struct leaves *leaves, struct adjacency *adjacency)
{
	struct group_member *member;

	if (!adjacency_refresh(leaves->adjacencies, adjacency))
		return;
	LIST_FOREACH (member, &adjacency->members, link) {
		struct group *group = member->group;

		if (!group->dirty)
			LIST_INSERT_HEAD(&leaves->dirty, group, dirty_link);
		group->dirty = true;
	}
}

void leaves_regroup(struct leaves *leaves)
{
	struct group *group;

	while ((group = LIST_FIRST(&leaves->dirty))) {
		clean(group);
		group_refresh(leaves->bucket_image, group);
		publish_group(leaves, group);
	}
}

/* Whether anything has come free since the last attempt to heal failed. */
static bool heal_again(struct leaves *leaves)
{
	__u32 buckets, total, slots = nexthops_room(leaves->nexthops);
	bool again;

	buckets_usage(leaves->buckets, &buckets, &total);
	again = slots > leaves->healed_at_slots || buckets < leaves->healed_at_buckets;
	leaves->healed_at_slots = slots;
	leaves->healed_at_buckets = buckets;
	return again;
}

__u32 leaves_heal(struct leaves *leaves)
{
	if (!leaves->starved || !heal_again(leaves))
		return 0;
	for (__u32 id = REASON_MAX; leaves->starved && id < IMAGE_NEXTHOPS; id++) {
		struct leaf *leaf = leaves->at[id];
		struct fib_leaf_spec *wanted = leaf ? leaf->wanted : NULL;

		if (!wanted || fill_paths(leaves, leaf, wanted) < 0)
			continue;
		forget_wanted(leaves, leaf);
		/* and the next one at the next call */
		leaves->healed_at_slots = 0;
		leaves->healed_at_buckets = ~0u;
		return id;
	}
	return 0;
}

bool leaves_room(struct leaves *leaves)
{
	struct nexthops_stats stats;

	nexthops_stats(leaves->nexthops, &stats);
	/* not for every single slot that comes free: all routes are handed in again */
	if (!leaves->owes || nexthops_room(leaves->nexthops) <= stats.total / 64 ||
	    buckets_room(leaves->buckets) < (int)leaves->refused_order)
		return false;
	leaves->owes = false;
	leaves->refused_order = 0;
	return true;
}
