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

#include "host/fib/bulk_nodes.h"

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

static inline __attribute__((always_inline)) void search4(const struct bulk *bulk,
							  const struct image_vrf *vrf, const __u32 *address,
							  const unsigned count, __u32 *ret_leaf)
{
	__u32 fallback = __atomic_load_n(&vrf->fallback[0], __ATOMIC_RELAXED);
	__u32 root = __atomic_load_n(&vrf->root[0], __ATOMIC_RELAXED);
	unsigned taken = 0;
	struct burst burst;

	if (is_root(root, NODE_BITMAP, ROOT4_BITS)) {
		root4(bulk, root, address, count, burst.entry);
		taken = ROOT4_BITS;
		if (!count_nodes(burst.entry, count)) {
			answer(vrf, 0, fallback, burst.entry, count, ret_leaf);
			return;
		}
	}
	for (unsigned i = 0; i < count; i++) {
		burst.high[i] = (__u64)address[i] << (32 + taken);
		burst.low[i] = 0;
		burst.entry[i] = taken ? burst.entry[i] : root;
	}
	search(bulk, &burst, count);
	answer(vrf, 0, fallback, burst.entry, count, ret_leaf);
}

/* Most bursts are full: loops whose ends are known need no code for what is left over. */
static void lookup4(const struct bulk *bulk, const struct image_vrf *vrf, const __u32 *address,
		    unsigned count, __u32 *ret_leaf)
{
	if (count == BULK_MOST)
		search4(bulk, vrf, address, BULK_MOST, ret_leaf);
	else
		search4(bulk, vrf, address, count, ret_leaf);
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

static inline __attribute__((always_inline)) void search6(const struct bulk *bulk,
							  const struct image_vrf *vrf,
							  const struct route_key *address,
							  const unsigned count, __u32 *ret_leaf)
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

static void lookup6(const struct bulk *bulk, const struct image_vrf *vrf, const struct route_key *address,
		    unsigned count, __u32 *ret_leaf)
{
	if (count == BULK_MOST)
		search6(bulk, vrf, address, BULK_MOST, ret_leaf);
	else
		search6(bulk, vrf, address, count, ret_leaf);
}
