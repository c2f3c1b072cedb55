// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/route_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_MIN 1024
#define LINE        16 /* buckets in a cache line */
#define SPLITS      2  /* buckets with each prefix that comes: done long before the next doubling */

struct route_store {
	char *slab;
	unsigned width;
	size_t stride;
	__u32 limit;
	__u32 end;  /* first index never used */
	__u32 size; /* records that the slab has room for */
	__u32 free; /* list through `next` */
	__u32 count, heads;
	__u32 *bucket;
	__u32 buckets; /* power of two, about `heads` */
	__u32 split;   /* these first ones have given half of theirs to as many behind all */
	bool spreading;
	__u64 key[2]; /* of the hash: peers choose the prefixes */
};

static __u64 mix(__u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

/*
 * Neighbours of one length share a cache line of buckets, LINE to a line: dumps come in the order of the
 * prefixes. The line is a matter of the keyed hash, so nobody can choose prefixes that fall on one bucket.
 */
static __u32 hash_of(const struct route_store *store, __u16 table, const __u8 *key, unsigned length)
{
	__u64 hash = store->key[0] ^ ((__u64)table << 8 | length);
	__u64 half[2] = { 0 };
	__u8 *bytes = (__u8 *)half;
	unsigned last = length ? (length - 1) / 8 : 0; /* byte with the last bits of the prefix */
	unsigned shift = 8 * (last + 1) - length, slot;

	memcpy(half, key, store->width);
	slot = bytes[last] >> shift & (LINE - 1);
	bytes[last] ^= (__u8)(slot << shift);
	hash = mix(hash ^ half[0]);
	if (store->width == 16)
		hash = mix((hash + store->key[1]) ^ half[1]);
	return (__u32)hash * LINE + slot;
}

static __u32 *bucket_of(const struct route_store *store, __u32 hash)
{
	__u32 at = hash & (store->buckets - 1);

	if (at < store->split)
		at = hash & (2 * store->buckets - 1);
	return &store->bucket[at];
}

static __u32 *bucket_of_route(const struct route_store *store, const struct stored_route *route)
{
	return bucket_of(store, hash_of(store, route->table, route->key, route->length));
}

/* Room for twice as many buckets; the upper half is written when the lower one is split. Large blocks are
 * moved by remapping pages, not by copying. A hash that is too small is slow, not wrong: no memory is no
 * error here. */
static void begin_spread(struct route_store *store)
{
	__u32 *bucket = realloc(store->bucket, 2 * sizeof(*bucket) * store->buckets);

	if (!bucket)
		return;
	store->bucket = bucket;
	store->spreading = true;
}

static void split_one(struct route_store *store)
{
	__u32 index = store->bucket[store->split], next;

	store->bucket[store->split] = store->bucket[store->split + store->buckets] = 0;
	store->split++;
	for (; index; index = next) {
		struct stored_route *route = route_store_at(store, index);
		__u32 *bucket = bucket_of_route(store, route);

		next = route->chain;
		route->chain = *bucket;
		*bucket = index;
	}
	if (store->split < store->buckets)
		return;
	store->buckets *= 2;
	store->split = 0;
	store->spreading = false;
}

/* A few buckets with each prefix that comes: to move a million at once would take 70 ms. */
static void spread(struct route_store *store)
{
	if (!store->spreading && store->heads > store->buckets)
		begin_spread(store);
	for (unsigned i = 0; i < SPLITS && store->spreading; i++)
		split_one(store);
}

static int grow(struct route_store *store)
{
	__u32 size = store->size < 4096 ? 4096 : store->size + store->size / 4;
	char *slab;

	if (size > store->limit + 1)
		size = store->limit + 1;
	if (size <= store->size)
		return -ENOSPC;
	/* Large blocks are moved by remapping pages, not by copying. */
	slab = realloc(store->slab, size * store->stride);
	if (!slab)
		return -ENOMEM;
	store->slab = slab;
	store->size = size;
	return 0;
}

int route_store_new(unsigned width, __u32 limit, struct route_store **ret)
{
	struct route_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->bucket = calloc(BUCKETS_MIN, sizeof(*store->bucket));
	if (!store->bucket) {
		free(store);
		return -ENOMEM;
	}
	store->buckets = BUCKETS_MIN;
	store->width = width;
	store->stride = sizeof(struct stored_route) + width;
	store->limit = limit;
	store->end = 1;
	(void)getrandom(store->key, sizeof(store->key), 0);
	*ret = store;
	return 0;
}

void route_store_free(struct route_store *store)
{
	if (!store)
		return;
	free(store->slab);
	free(store->bucket);
	free(store);
}

struct stored_route *route_store_at(const struct route_store *store, __u32 index)
{
	return (struct stored_route *)(store->slab + index * store->stride);
}

__u32 route_store_find(const struct route_store *store, __u16 table, const __u8 *key, unsigned length)
{
	__u32 index = *bucket_of(store, hash_of(store, table, key, length));

	while (index) {
		const struct stored_route *route = route_store_at(store, index);

		if (route->table == table && route->length == length &&
		    !memcmp(route->key, key, store->width))
			return index;
		index = route->chain;
	}
	return 0;
}

int route_store_take(struct route_store *store, __u16 table, const __u8 *key, unsigned length, __u32 *ret)
{
	struct stored_route *route;
	__u32 index = store->free;
	int r;

	if (index) {
		store->free = route_store_at(store, index)->next;
	} else {
		r = store->end < store->size ? 0 : grow(store);
		if (r)
			return r;
		index = store->end++;
	}
	route = route_store_at(store, index);
	memset(route, 0, sizeof(*route));
	route->table = table;
	route->length = (__u8)length;
	route->flags = STORED_USED;
	memcpy(route->key, key, store->width);
	store->count++;
	*ret = index;
	return 0;
}

void route_store_head(struct route_store *store, __u32 old, __u32 index)
{
	struct stored_route *route;
	__u32 *at;

	if (old) {
		route = route_store_at(store, old);
		at = bucket_of_route(store, route);
		while (*at != old)
			at = &route_store_at(store, *at)->chain;
		*at = route->chain;
		route->flags &= (__u8)~STORED_HEAD;
		store->heads--;
	}
	if (index) {
		route = route_store_at(store, index);
		at = bucket_of_route(store, route);
		route->chain = *at;
		route->flags |= STORED_HEAD;
		*at = index;
		store->heads++;
		spread(store);
	}
}

void route_store_give(struct route_store *store, __u32 index)
{
	struct stored_route *route = route_store_at(store, index);

	route->flags = 0;
	route->next = store->free;
	store->free = index;
	store->count--;
}

__u32 route_store_end(const struct route_store *store)
{
	return store->end;
}

__u32 route_store_count(const struct route_store *store)
{
	return store->count;
}

size_t route_store_bytes(const struct route_store *store)
{
	return store->end * store->stride +
	       sizeof(*store->bucket) * (store->spreading ? 2 : 1) * store->buckets;
}
