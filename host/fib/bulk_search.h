// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The search of bulk.h, written once and compiled for each way (see meson.build).
 *
 * A burst goes through the image in rounds, a node in each: one loop works out which descriptor each address
 * needs, one reads them, one counts ones, one reads the cells. The reads of a loop do not depend on each
 * other, so the CPU has many under way, and the compiler makes vector instructions of the loops in between.
 * Addresses that have found their leaf go round with the others, reading what is in the cache anyway; when
 * only a FEW have not, these are walked to their ends one by one.
 *
 * Plain loops beat everything written by hand. On Zen 5, gather instructions took twice the time of single
 * loads; vectors of addresses that each had its own node and its own turn made the loops longer, and so fewer
 * reads fit into what the CPU looks ahead; sorting out addresses that had ended cost as much as it saved.
 */
#pragma once

#include "host/fib/bulk.h"

/* Each node takes at least 8 bits. */
#define ROUNDS (128 / 8)
#define FEW    8

/* What has not ended in the roots. */
struct burst {
	__u64 high[BULK_MOST], low[BULK_MOST]; /* the addresses, shifted by what the nodes took */
	__u32 entry[BULK_MOST];                /* where they stand */
};

/* Compilers know this one: it becomes the instruction where there is one, in vectors too. */
static inline __u32 ones(__u32 x)
{
	x -= x >> 1 & 0x55555555;
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f;
	return x * 0x01010101 >> 24;
}

static inline bool is_root(__u32 entry, enum node_kind kind, __u32 bits)
{
	return (entry & ~ENTRY_CHUNK_MASK) == entry_node(kind, bits, 0);
}

static inline __u32 cell_of(const struct bulk *bulk, __u64 descriptor, __u32 slot)
{
	return ((__u32)(descriptor >> 32) + ones((__u32)descriptor << (~slot & 31))) & bulk->run_mask;
}

static inline __u32 node_of(const struct bulk *bulk, __u32 entry, __u32 slot)
{
	return (entry_chunk(entry) * NODE_CHUNK_WORDS + (slot >> 5)) & bulk->node_mask;
}

/* From words of node[] to entries, by bitmaps. */
static inline void read_entries(const struct bulk *bulk, const __u32 *word, const __u32 *slot, unsigned count,
				__u32 *entry)
{
	__u64 descriptor[BULK_MOST];
	__u32 cell[BULK_MOST];

	for (unsigned i = 0; i < count; i++)
		descriptor[i] = __atomic_load_n(&bulk->node[word[i]], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++)
		cell[i] = cell_of(bulk, descriptor[i], slot[i]);
	for (unsigned i = 0; i < count; i++)
		entry[i] = __atomic_load_n(&bulk->run[cell[i]], __ATOMIC_RELAXED);
}

/* The same in the root of a large IPv4 table: the cell, or a half of it. */
static inline void read_root4(const struct bulk *bulk, const __u32 *word, const __u32 *slot, unsigned count,
			      __u32 *entry)
{
	__u32 cell[BULK_MOST], index[BULK_MOST];
	__u64 descriptor[BULK_MOST];

	for (unsigned i = 0; i < count; i++)
		descriptor[i] = __atomic_load_n(&bulk->node[word[i]], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++) {
		__u32 leaves = descriptor[i] >> 63;

		index[i] = (__u32)(descriptor[i] >> 32) + ones((__u32)descriptor[i] << (~slot[i] & 31));
		cell[i] = index[i] >> leaves & bulk->run_mask;
	}
	for (unsigned i = 0; i < count; i++)
		entry[i] = __atomic_load_n(&bulk->run[cell[i]], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++) {
		__u32 leaves = index[i] >> 31;

		entry[i] = entry[i] >> ((index[i] & leaves) << 4) & ((leaves - 1) | 0xffff);
	}
}

static inline unsigned count_nodes(const __u32 *entry, unsigned count)
{
	unsigned nodes = 0;

	for (unsigned i = 0; i < count; i++)
		nodes += entry[i] >> 31;
	return nodes;
}

/* A round: one node on. Masks, not conditions, or it does not become vector instructions. */
static inline void advance(const struct bulk *bulk, struct burst *burst, unsigned count)
{
	__u32 word[BULK_MOST], slot[BULK_MOST], next[BULK_MOST];

	for (unsigned i = 0; i < count; i++) {
		__u32 entry = burst->entry[i];
		__u64 bits = entry_bits(entry);

		slot[i] = burst->high[i] >> (-bits & 63);
		word[i] = node_of(bulk, entry, slot[i]) & -(entry >> 31);
		burst->high[i] = burst->high[i] << bits | burst->low[i] >> (-bits & 63);
		burst->low[i] <<= bits;
	}
	read_entries(bulk, word, slot, count, next);
	for (unsigned i = 0; i < count; i++)
		burst->entry[i] = burst->entry[i] & ENTRY_NODE ? next[i] : burst->entry[i];
}

/* To the end of one address. */
static void walk(const struct bulk *bulk, struct burst *burst, unsigned i)
{
	__u64 high = burst->high[i], low = burst->low[i];
	__u32 entry = burst->entry[i];

	for (unsigned round = 0; round < ROUNDS && entry & ENTRY_NODE; round++) {
		__u32 bits = entry_bits(entry), slot = high >> (-bits & 63);
		__u64 descriptor = __atomic_load_n(&bulk->node[node_of(bulk, entry, slot)], __ATOMIC_RELAXED);

		entry = __atomic_load_n(&bulk->run[cell_of(bulk, descriptor, slot)], __ATOMIC_RELAXED);
		high = high << bits | low >> (-bits & 63);
		low <<= bits;
	}
	burst->entry[i] = entry;
}

static void search(const struct bulk *bulk, struct burst *burst, unsigned count)
{
	unsigned nodes = count_nodes(burst->entry, count);

	for (unsigned round = 0; round < ROUNDS && nodes > FEW; round++) {
		advance(bulk, burst, count);
		nodes = count_nodes(burst->entry, count);
	}
	for (unsigned i = 0; i < count && nodes; i++)
		if (burst->entry[i] & ENTRY_NODE) {
			walk(bulk, burst, i);
			nodes--;
		}
}

/* Leaf 0 means the fallback; if that has changed meanwhile, see route_leaf() in xdp/route.h. */
static void answer(const struct image_vrf *vrf, unsigned family, __u32 fallback, const __u32 *entry,
		   unsigned count, __u32 *ret_leaf)
{
	if (fallback != __atomic_load_n(&vrf->fallback[family], __ATOMIC_RELAXED))
		fallback = REASON_NO_ROUTE;
	for (unsigned i = 0; i < count; i++) {
		__u32 leaf = entry[i] & ENTRY_NODE ? REASON_NO_ROUTE : entry[i];

		ret_leaf[i] = leaf ? leaf : fallback;
	}
}

/* The first node of a large IPv4 table. */
static void root4(const struct bulk *bulk, __u32 root, const __u32 *address, unsigned count, __u32 *entry)
{
	__u32 word[BULK_MOST], slot[BULK_MOST];

	for (unsigned i = 0; i < count; i++) {
		slot[i] = address[i] >> (32 - ROOT4_BITS);
		word[i] = node_of(bulk, root, slot[i]);
	}
	read_root4(bulk, word, slot, count, entry);
}

static void lookup4(const struct bulk *bulk, const struct image_vrf *vrf, const __u32 *address,
		    unsigned count, __u32 *ret_leaf)
{
	__u32 fallback = __atomic_load_n(&vrf->fallback[0], __ATOMIC_RELAXED);
	__u32 root = __atomic_load_n(&vrf->root[0], __ATOMIC_RELAXED);
	unsigned taken = 0;
	struct burst burst;

	if (is_root(root, NODE_BITMAP, ROOT4_BITS)) {
		root4(bulk, root, address, count, burst.entry);
		taken = ROOT4_BITS;
	}
	for (unsigned i = 0; i < count; i++) {
		burst.high[i] = (__u64)address[i] << (32 + taken);
		burst.low[i] = 0;
		burst.entry[i] = taken ? burst.entry[i] : root;
	}
	search(bulk, &burst, count);
	answer(vrf, 0, fallback, burst.entry, count, ret_leaf);
}

/* The first node of a large IPv6 table. */
static void root6(const struct bulk *bulk, __u32 root, const struct route_key *address, unsigned count,
		  __u32 *entry)
{
	__u32 base = entry_chunk(root) * RUN_CHUNK_CELLS;

	for (unsigned i = 0; i < count; i++) {
		__u32 cell = base + (__u32)(address[i].high >> (64 - ROOT6_BITS));

		entry[i] = __atomic_load_n(&bulk->run[cell & bulk->run_mask], __ATOMIC_RELAXED);
	}
}

static void lookup6(const struct bulk *bulk, const struct image_vrf *vrf, const struct route_key *address,
		    unsigned count, __u32 *ret_leaf)
{
	__u32 fallback = __atomic_load_n(&vrf->fallback[1], __ATOMIC_RELAXED);
	__u32 root = __atomic_load_n(&vrf->root[1], __ATOMIC_RELAXED);
	unsigned taken = 0;
	struct burst burst;

	if (is_root(root, NODE_DIRECT, ROOT6_BITS)) {
		root6(bulk, root, address, count, burst.entry);
		taken = ROOT6_BITS;
	}
	for (unsigned i = 0; i < count; i++) {
		burst.high[i] = address[i].high << taken | (taken ? address[i].low >> (64 - taken) : 0);
		burst.low[i] = address[i].low << taken;
		burst.entry[i] = taken ? burst.entry[i] : root;
	}
	search(bulk, &burst, count);
	answer(vrf, 1, fallback, burst.entry, count, ret_leaf);
}
