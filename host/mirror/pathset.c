// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An array of records indexed by set number with a free list, and a hash table by content over it. A record
 * points at its content in one allocation of exact size. Sets of next-hop objects are chained by object, so
 * that a change of an object touches its own sets only; a change of a link looks at all sets (a few
 * thousand).
 */
#include "host/mirror/pathset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define NONE      0xffffffffu
#define BY_OBJECT 4096

struct record {
	struct pathset *content; /* NULL: free, `next` is the free list */
	__u32 size;              /* bytes of content */
	__u32 hash;
	__u32 next;        /* hash chain */
	__u32 next_object; /* chain of sets with the same hash of next-hop id */
	__u32 references;
	__u32 leaf;
	bool owned; /* the leaf is of fib_leaf_new */
	bool usable, doomed, suspect, stale;
};

struct pathsets {
	struct fib *fib;
	const struct links *links;
	const struct objects *objects;
	struct record *record;
	__u32 size, free, count, stale, suspects;
	__u64 epoch; /* counts what became stale */
	__u32 *bucket;
	__u32 buckets; /* power of two */
	__u32 object[BY_OBJECT];
	struct pathset *scratch;
	struct route_path path[ROUTE_PATHS]; /* of the object being resolved */
	struct fib_path alive[ROUTE_PATHS];
};

static size_t size_of(__u32 paths)
{
	return sizeof(struct pathset) + paths * sizeof(struct route_path);
}

/* Contents come from the routing daemons and this host's own links: no key is needed against collisions. */
static __u32 hash_of(const struct pathset *set, size_t size)
{
	const char *bytes = (const char *)set;
	__u64 hash = size, word;
	__u32 half;

	for (; size >= sizeof(word); size -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	if (size) { /* sizes are multiples of four */
		memcpy(&half, bytes, sizeof(half));
		hash = (hash ^ half) * 0x9e3779b97f4a7c15u;
	}
	return (__u32)(hash ^ hash >> 32);
}

/* --- what a set means to the fib --- */

static enum reason reason_of_type(__u8 type)
{
	switch (type) {
	case RTN_UNICAST:
		return REASON_FORWARDED;
	case RTN_LOCAL:
		return REASON_LOCAL;
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		return REASON_BROADCAST;
	case RTN_MULTICAST:
		return REASON_MULTICAST;
	case RTN_BLACKHOLE:
		return REASON_BLACKHOLE;
	case RTN_UNREACHABLE:
		return REASON_UNREACHABLE;
	case RTN_PROHIBIT:
		return REASON_PROHIBIT;
	case RTN_THROW:
		return REASON_THROW;
	}
	return REASON_UNSUPPORTED_ROUTE;
}

/*
 * Reasons that hold whatever links and objects do. A route with a lifetime (from router advertisements) is
 * one: the kernel stops using it at a moment that it does not announce, and renews it as silently.
 */
static enum reason constant_reason(const struct pathset *set)
{
	enum reason reason = reason_of_type(set->type);

	if (reason)
		return reason;
	if (set->encap)
		return REASON_ENCAP;
	return set->expires || set->too_many ? REASON_UNSUPPORTED_ROUTE : REASON_FORWARDED;
}

static enum reason reason_of_object(enum objects_state state)
{
	switch (state) {
	case OBJECTS_PATHS:
		return REASON_FORWARDED;
	case OBJECTS_REJECTS:
		return REASON_BLACKHOLE;
	case OBJECTS_ENCAPS:
		return REASON_ENCAP;
	case OBJECTS_UNKNOWN:
		return REASON_HELD;
	case OBJECTS_OTHER:
		break;
	}
	return REASON_UNSUPPORTED_ROUTE;
}

static __u32 keep_alive_ones(struct pathsets *pathsets, __u8 family, const struct route_path *path,
			     __u32 count)
{
	__u32 alive = 0;

	for (__u32 i = 0; i < count; i++) {
		if (path[i].flags & RTNH_F_DEAD || !links_alive(pathsets->links, path[i].ifindex, family))
			continue;
		pathsets->alive[alive] = (struct fib_path){ .ifindex = path[i].ifindex,
							    .family = path[i].family,
							    .weight = path[i].weight };
		memcpy(pathsets->alive[alive].gateway, path[i].gateway, sizeof(path[i].gateway));
		alive++;
	}
	return alive;
}

/* What the leaf shall be now; false: lookups pass such a route over. */
static bool spec_of(struct pathsets *pathsets, const struct record *record, struct fib_leaf_spec *ret)
{
	const struct pathset *set = record->content;
	const struct route_path *path = set->path;
	__u32 count = set->path_count;

	*ret = (struct fib_leaf_spec){ .family = set->family,
				       .mtu = set->mtu,
				       .reason = constant_reason(set) };
	if (record->doomed) {
		ret->reason = REASON_EGRESS_DOWN;
		return false;
	}
	if (!ret->reason && record->suspect)
		ret->reason = REASON_HELD;
	if (ret->reason)
		return true;
	if (set->nexthop) {
		path = pathsets->path;
		ret->reason =
			reason_of_object(pathsets->objects ? objects_resolve(pathsets->objects, set->nexthop,
									     pathsets->path, &count)
							   : OBJECTS_UNKNOWN);
		if (ret->reason)
			return true;
	}
	ret->path_count = keep_alive_ones(pathsets, set->family, path, count);
	ret->path = pathsets->alive;
	if (!ret->path_count)
		ret->reason = REASON_EGRESS_DOWN;
	return ret->path_count;
}

static void mark_stale(struct pathsets *pathsets, struct record *record)
{
	pathsets->epoch++;
	pathsets->stale += !record->stale;
	record->stale = true;
}

/* Gets the first leaf. If the fib is full that is the shared leaf TABLE_FULL, until pathsets_retry(). */
static void make_leaf(struct pathsets *pathsets, struct record *record)
{
	struct fib_leaf_spec spec;

	record->usable = spec_of(pathsets, record, &spec);
	record->owned = !constant_reason(record->content);
	record->leaf = REASON_TABLE_FULL;
	if (record->owned)
		(void)fib_leaf_new(pathsets->fib, &spec, &record->leaf);
	else
		(void)fib_leaf_get(pathsets->fib, &spec, &record->leaf);
}

static void refresh(struct pathsets *pathsets, struct record *record)
{
	struct fib_leaf_spec spec;
	bool usable = spec_of(pathsets, record, &spec);

	/* -ENOSPC: it punts and takes the content by itself when room returns. */
	if (record->owned && record->leaf != REASON_TABLE_FULL)
		(void)fib_leaf_change(pathsets->fib, record->leaf, &spec);
	if (usable != record->usable)
		mark_stale(pathsets, record);
	record->usable = usable;
}

/* --- the table --- */

static void rehash(struct pathsets *pathsets, __u32 *bucket, __u32 buckets)
{
	memset(bucket, 0xff, buckets * sizeof(*bucket));
	for (__u32 id = 0; id < pathsets->size; id++) {
		struct record *record = &pathsets->record[id];

		if (!record->content || record->doomed)
			continue;
		record->next = bucket[record->hash & (buckets - 1)];
		bucket[record->hash & (buckets - 1)] = id;
	}
	free(pathsets->bucket);
	pathsets->bucket = bucket;
	pathsets->buckets = buckets;
}

static int grow(struct pathsets *pathsets)
{
	__u32 size = pathsets->size ? 2 * pathsets->size : 256;
	struct record *record;
	__u32 *bucket;

	if (pathsets->size >= PATHSETS_MAX)
		return -ENOSPC;
	record = realloc(pathsets->record, size * sizeof(*record));
	if (!record)
		return -ENOMEM;
	pathsets->record = record;
	memset(record + pathsets->size, 0, (size - pathsets->size) * sizeof(*record));
	bucket = malloc(2 * size * sizeof(*bucket));
	if (!bucket)
		return -ENOMEM; /* the larger array stays, unused: pathsets->size is the old one */
	for (__u32 id = pathsets->size; id < size; id++)
		record[id].next = id + 1 < size ? id + 1 : pathsets->free;
	pathsets->free = pathsets->size;
	pathsets->size = size;
	rehash(pathsets, bucket, 2 * size);
	return 0;
}

static __u32 *chain_of_object(struct pathsets *pathsets, __u32 nexthop)
{
	return &pathsets->object[(nexthop * 2654435761u) >> 20];
}

static void unlink_hash(struct pathsets *pathsets, __u32 id)
{
	__u32 *at = &pathsets->bucket[pathsets->record[id].hash & (pathsets->buckets - 1)];

	while (*at != id)
		at = &pathsets->record[*at].next;
	*at = pathsets->record[id].next;
}

static void unlink_object(struct pathsets *pathsets, __u32 id)
{
	__u32 *at = chain_of_object(pathsets, pathsets->record[id].content->nexthop);

	while (*at != id)
		at = &pathsets->record[*at].next_object;
	*at = pathsets->record[id].next_object;
}

/* By device, then gateway. */
static int compare_paths(const void *a, const void *b)
{
	const struct route_path *left = a, *right = b;

	if (left->ifindex != right->ifindex)
		return left->ifindex < right->ifindex ? -1 : 1;
	return memcmp(left->gateway, right->gateway, sizeof(left->gateway));
}

/*
 * One form for what is one set. The kernel tells IPv6 next hops in another order every time, and a weight
 * only where there are several.
 */
static size_t finish(struct pathset *set)
{
	if (set->path_count == 1)
		set->path[0].weight = 1;
	if (set->family == AF_INET6 && set->path_count > 1)
		qsort(set->path, set->path_count, sizeof(set->path[0]), compare_paths);
	return size_of(set->path_count);
}

/* The kernel tells the paths of an object's routes too (nexthop_compat_mode); the object alone counts. */
static size_t describe(struct pathset *set, const struct route_message *route)
{
	__u32 count = route->nexthop ? 0 : route->path_count;

	memset(set, 0, size_of(count));
	set->family = route->family;
	set->type = route->type;
	set->scope = route->scope;
	set->encap = route->encap;
	set->expires = route->expires;
	set->too_many = route->too_many;
	set->source_length = route->source_length;
	set->mtu = route->mtu;
	set->other_metrics = route->other_metrics;
	set->nexthop = route->nexthop;
	memcpy(set->source, route->source, sizeof(set->source));
	memcpy(set->preferred, route->preferred, sizeof(set->preferred));
	set->path_count = count;
	for (__u32 i = 0; i < count; i++) {
		set->path[i].ifindex = route->path[i].ifindex;
		set->path[i].family = route->path[i].family;
		set->path[i].weight = route->path[i].weight;
		set->path[i].encap = route->path[i].encap;
		set->path[i].flags = route->path[i].flags & RTNH_F_DEAD;
		memcpy(set->path[i].gateway, route->path[i].gateway, sizeof(set->path[i].gateway));
	}
	return finish(set);
}

static bool names_path(const struct route_message *route, const struct route_path *path)
{
	for (__u32 i = 0; i < route->path_count; i++)
		if (!compare_paths(&route->path[i], path))
			return true;
	return false;
}

static __u32 find(const struct pathsets *pathsets, const struct pathset *set, size_t size, __u32 hash)
{
	__u32 id;

	if (!pathsets->buckets)
		return NONE;
	for (id = pathsets->bucket[hash & (pathsets->buckets - 1)]; id != NONE;
	     id = pathsets->record[id].next) {
		const struct record *record = &pathsets->record[id];

		if (record->hash == hash && record->size == size && !memcmp(record->content, set, size))
			return id;
	}
	return NONE;
}

static int insert(struct pathsets *pathsets, size_t size, __u32 hash, __u32 *ret)
{
	struct pathset *content = malloc(size);
	struct record *record;
	__u32 id;
	int r;

	if (!content)
		return -ENOMEM;
	r = pathsets->free == NONE ? grow(pathsets) : 0;
	if (r) {
		free(content);
		return r;
	}
	id = pathsets->free;
	record = &pathsets->record[id];
	pathsets->free = record->next;
	memcpy(content, pathsets->scratch, size);
	*record = (struct record){ .content = content,
				   .size = (__u32)size,
				   .hash = hash,
				   .next = pathsets->bucket[hash & (pathsets->buckets - 1)] };
	pathsets->bucket[hash & (pathsets->buckets - 1)] = id;
	if (content->nexthop) {
		record->next_object = *chain_of_object(pathsets, content->nexthop);
		*chain_of_object(pathsets, content->nexthop) = id;
	}
	pathsets->count++;
	make_leaf(pathsets, record);
	*ret = id;
	return 0;
}

/* The set in scratch. */
static int intern(struct pathsets *pathsets, size_t size, __u32 *ret)
{
	__u32 hash = hash_of(pathsets->scratch, size);
	__u32 id = find(pathsets, pathsets->scratch, size, hash);
	int r;

	if (id == NONE) {
		r = insert(pathsets, size, hash, &id);
		if (r)
			return r;
	}
	pathsets->record[id].references++;
	*ret = id;
	return 0;
}

static void destroy(struct pathsets *pathsets, __u32 id)
{
	struct record *record = &pathsets->record[id];

	fib_leaf_put(pathsets->fib, record->leaf);
	if (!record->doomed)
		unlink_hash(pathsets, id);
	if (record->content->nexthop)
		unlink_object(pathsets, id);
	pathsets->stale -= record->stale;
	pathsets->suspects -= record->suspect;
	free(record->content);
	*record = (struct record){ .next = pathsets->free };
	pathsets->free = id;
	pathsets->count--;
}

static void doom(struct pathsets *pathsets, __u32 id)
{
	struct record *record = &pathsets->record[id];

	unlink_hash(pathsets, id);
	record->doomed = true;
	mark_stale(pathsets, record);
	refresh(pathsets, record);
}

static bool is_live(const struct record *record)
{
	return record->content && !record->doomed;
}

static bool has_path(const struct pathset *set, __u32 ifindex)
{
	for (__u32 i = 0; i < set->path_count; i++)
		if (set->path[i].ifindex == ifindex)
			return true;
	return false;
}

/* The flags are part of the content, so the set moves in the hash. There may be two of the same then, which
 * costs a leaf. */
static void set_dead(struct pathsets *pathsets, __u32 id, __u32 ifindex, bool dead)
{
	struct record *record = &pathsets->record[id];
	struct pathset *set = record->content;
	bool changed = false;
	__u32 *bucket;

	for (__u32 i = 0; i < set->path_count; i++)
		changed |= set->path[i].ifindex == ifindex && !(set->path[i].flags & RTNH_F_DEAD) == dead;
	if (!changed)
		return;
	unlink_hash(pathsets, id);
	for (__u32 i = 0; i < set->path_count; i++)
		if (set->path[i].ifindex == ifindex)
			set->path[i].flags = dead ? RTNH_F_DEAD : 0;
	record->hash = hash_of(set, record->size);
	bucket = &pathsets->bucket[record->hash & (pathsets->buckets - 1)];
	record->next = *bucket;
	*bucket = id;
	refresh(pathsets, record);
}

static bool all_dead(const struct pathset *set)
{
	for (__u32 i = 0; i < set->path_count; i++)
		if (!(set->path[i].flags & RTNH_F_DEAD))
			return false;
	return set->path_count;
}

int pathsets_new(struct fib *fib, const struct links *links, struct pathsets **ret)
{
	struct pathsets *pathsets = calloc(1, sizeof(*pathsets));

	if (!pathsets)
		return -ENOMEM;
	pathsets->scratch = malloc(size_of(ROUTE_PATHS));
	if (!pathsets->scratch) {
		free(pathsets);
		return -ENOMEM;
	}
	pathsets->fib = fib;
	pathsets->links = links;
	pathsets->free = NONE;
	memset(pathsets->object, 0xff, sizeof(pathsets->object));
	*ret = pathsets;
	return 0;
}

void pathsets_objects(struct pathsets *pathsets, const struct objects *objects)
{
	pathsets->objects = objects;
}

void pathsets_free(struct pathsets *pathsets)
{
	if (!pathsets)
		return;
	for (__u32 id = 0; id < pathsets->size; id++)
		if (pathsets->record[id].content)
			destroy(pathsets, id);
	free(pathsets->record);
	free(pathsets->bucket);
	free(pathsets->scratch);
	free(pathsets);
}

int pathsets_get(struct pathsets *pathsets, const struct route_message *route, __u32 *ret)
{
	return intern(pathsets, describe(pathsets->scratch, route), ret);
}

int pathsets_find(const struct pathsets *pathsets, const struct route_message *route, __u32 *ret)
{
	size_t size = describe(pathsets->scratch, route);
	__u32 id = find(pathsets, pathsets->scratch, size, hash_of(pathsets->scratch, size));

	if (id == NONE)
		return -ENOENT;
	*ret = id;
	return 0;
}

bool pathsets_alike(const struct pathsets *pathsets, __u32 id, const struct route_message *route)
{
	const struct record *record = &pathsets->record[id];
	struct pathset *set = pathsets->scratch;

	if (describe(set, route) != record->size)
		return false;
	for (__u32 i = 0; i < set->path_count; i++)
		set->path[i].flags = record->content->path[i].flags;
	return !memcmp(set, record->content, record->size);
}

int pathsets_without(struct pathsets *pathsets, __u32 id, const struct route_message *gone, __u32 *ret)
{
	const struct pathset *old = pathsets->record[id].content;
	struct pathset *set = pathsets->scratch;

	memcpy(set, old, sizeof(*old));
	set->path_count = 0;
	for (__u32 i = 0; i < old->path_count; i++)
		if (!names_path(gone, &old->path[i]))
			set->path[set->path_count++] = old->path[i];
	if (!set->path_count)
		return -ENOENT;
	return intern(pathsets, finish(set), ret);
}

void pathsets_put(struct pathsets *pathsets, __u32 id)
{
	if (!--pathsets->record[id].references)
		destroy(pathsets, id);
}

const struct pathset *pathsets_content(const struct pathsets *pathsets, __u32 id)
{
	return pathsets->record[id].content;
}

__u32 pathsets_leaf(const struct pathsets *pathsets, __u32 id)
{
	return pathsets->record[id].leaf;
}

bool pathsets_usable(const struct pathsets *pathsets, __u32 id)
{
	return pathsets->record[id].usable;
}

bool pathsets_doomed(const struct pathsets *pathsets, __u32 id)
{
	return pathsets->record[id].doomed;
}

bool pathsets_stale(const struct pathsets *pathsets, __u32 id)
{
	return pathsets->record[id].stale;
}

void pathsets_settled(struct pathsets *pathsets)
{
	for (__u32 id = 0; id < pathsets->size; id++)
		pathsets->record[id].stale = false;
	pathsets->stale = 0;
}

__u64 pathsets_epoch(const struct pathsets *pathsets)
{
	return pathsets->epoch;
}

bool pathsets_unsettled(const struct pathsets *pathsets)
{
	return pathsets->stale;
}

bool pathsets_joins(const struct pathsets *pathsets, __u32 id, __u8 protocol)
{
	const struct pathset *set = pathsets->record[id].content;

	return set->family == AF_INET6 && set->type == RTN_UNICAST && !set->nexthop &&
	       protocol != RTPROT_RA && set->path_count && set->path[0].family;
}

static void revive(struct pathsets *pathsets, __u32 id)
{
	const struct pathset *set = pathsets->record[id].content;

	for (__u32 i = 0; i < set->path_count; i++)
		if (set->path[i].flags & RTNH_F_DEAD &&
		    links_revives(pathsets->links, set->path[i].ifindex, set->family))
			set_dead(pathsets, id, set->path[i].ifindex, false);
}

void pathsets_link_changed(struct pathsets *pathsets, __u32 ifindex)
{
	for (__u32 id = 0; id < pathsets->size; id++) {
		struct record *record = &pathsets->record[id];

		if (!is_live(record) ||
		    (ifindex && !record->content->nexthop && !has_path(record->content, ifindex)))
			continue;
		revive(pathsets, id);
		refresh(pathsets, record);
	}
}

void pathsets_nexthop_changed(struct pathsets *pathsets, __u32 nexthop)
{
	for (__u32 id = *chain_of_object(pathsets, nexthop); id != NONE;
	     id = pathsets->record[id].next_object)
		if (pathsets->record[id].content->nexthop == nexthop && !pathsets->record[id].doomed)
			refresh(pathsets, &pathsets->record[id]);
}

unsigned pathsets_link_down(struct pathsets *pathsets, __u32 ifindex, __u8 family, bool all)
{
	unsigned count = 0;

	for (__u32 id = 0; id < pathsets->size; id++) {
		const struct pathset *set = pathsets->record[id].content;

		if (!is_live(&pathsets->record[id]) || set->family != family || set->nexthop ||
		    (set->type == RTN_LOCAL && !all) || !has_path(set, ifindex))
			continue;
		set_dead(pathsets, id, ifindex, true);
		if (!all_dead(set) || (family == AF_INET6 && !all))
			continue;
		doom(pathsets, id);
		count++;
	}
	return count;
}

void pathsets_link_up(struct pathsets *pathsets, __u32 ifindex, __u8 family)
{
	for (__u32 id = 0; id < pathsets->size; id++) {
		const struct pathset *set = pathsets->record[id].content;

		if (is_live(&pathsets->record[id]) && set->family == family && has_path(set, ifindex))
			set_dead(pathsets, id, ifindex, false);
	}
}

unsigned pathsets_doom_nexthop(struct pathsets *pathsets, __u32 nexthop)
{
	unsigned count = 0;

	for (__u32 id = *chain_of_object(pathsets, nexthop); id != NONE;
	     id = pathsets->record[id].next_object) {
		if (pathsets->record[id].content->nexthop != nexthop || pathsets->record[id].doomed)
			continue;
		doom(pathsets, id);
		count++;
	}
	return count;
}

unsigned pathsets_suspect(struct pathsets *pathsets, const __u8 *preferred)
{
	unsigned count = 0;

	for (__u32 id = 0; id < pathsets->size; id++) {
		struct record *record = &pathsets->record[id];

		if (!is_live(record) || record->content->family != AF_INET || record->suspect ||
		    memcmp(record->content->preferred, preferred, 4))
			continue;
		record->suspect = true;
		pathsets->suspects++;
		refresh(pathsets, record);
		count++;
	}
	return count;
}

bool pathsets_suspected(const struct pathsets *pathsets)
{
	return pathsets->suspects;
}

void pathsets_trust(struct pathsets *pathsets)
{
	for (__u32 id = 0; pathsets->suspects && id < pathsets->size; id++) {
		struct record *record = &pathsets->record[id];

		if (!record->suspect)
			continue;
		record->suspect = false;
		pathsets->suspects--;
		refresh(pathsets, record);
	}
}

void pathsets_retry(struct pathsets *pathsets)
{
	for (__u32 id = 0; id < pathsets->size; id++) {
		struct record *record = &pathsets->record[id];

		if (!record->content || record->leaf != REASON_TABLE_FULL)
			continue;
		make_leaf(pathsets, record);
		if (record->leaf != REASON_TABLE_FULL)
			mark_stale(pathsets, record);
	}
}

__u32 pathsets_count(const struct pathsets *pathsets)
{
	return pathsets->count;
}
