// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Room for a million routes of one address family: records in one growing array, found by (table, prefix)
 * through a keyed hash, named by their index (never 0). The routes of one prefix form a list; only its first
 * is in the hash.
 *
 * 28 bytes a route for IPv4, 40 for IPv6, and 4 to 8 for the hash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct route_store;

enum stored_flag {
	STORED_USED = 1 << 0,
	STORED_HEAD = 1 << 1,   /* first of its prefix */
	STORED_FRESH = 1 << 2,  /* of the part of a dump that queued notifications may be older than */
	STORED_SOURCE = 1 << 3, /* depends on the packet's source address */
	STORED_UNSURE = 1 << 4, /* counts in steps of this: dumps in a row that did not show it */
	STORED_UNSURE_MASK = 7 << 4,
	STORED_TWICE = 1 << 7, /* a dump told it twice: there may be two */
};

struct stored_route {
	__u32 chain; /* in the hash; the store's own */
	__u32 next;  /* route of the same prefix, in the kernel's order; 0 = last */
	__u32 pathset;
	__u32 metric;
	__u16 table; /* the caller's number for it */
	__u16 seen;  /* generation of the last dump that showed it */
	__u8 length, tos, protocol, flags;
	__u8 key[]; /* address in network order: 4 or 16 bytes */
};

/* width: bytes of an address, 4 or 16. limit: routes at most. -ENOMEM. */
int route_store_new(unsigned width, __u32 limit, struct route_store **ret);
/* NULL is fine. */
void route_store_free(struct route_store *store);

/* Valid until the next route_store_take(). */
struct stored_route *route_store_at(const struct route_store *store, __u32 index);
/* The first route of a prefix, 0: none. */
__u32 route_store_find(const struct route_store *store, __u16 table, const __u8 *key, unsigned length);
/* A new record, all zero but its key and USED, in no list and not in the hash. -ENOSPC: limit. -ENOMEM. */
int route_store_take(struct route_store *store, __u16 table, const __u8 *key, unsigned length, __u32 *ret);
/* Makes `index` the first of its prefix, or `old` not be it any more; 0: none. */
void route_store_head(struct route_store *store, __u32 old, __u32 index);
/* Gives a record back that is not the first of its prefix. */
void route_store_give(struct route_store *store, __u32 index);

/* All indices are below this; not all are in use. */
__u32 route_store_end(const struct route_store *store);
__u32 route_store_count(const struct route_store *store);
size_t route_store_bytes(const struct route_store *store);
