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

/*
 * In a large IPv6 table, what the first 64 bits decide, which is nearly all: its first node, the second one,
 * whose size is known, and two of any size. As long as that, 32 bits of an address are enough to work with.
 */
struct front6 {
	__u32 high[BULK_MOST];  /* bits 0 to 31 */
	__u32 left[BULK_MOST];  /* 32 to 63, shifted by what the nodes took */
	__u32 taken[BULK_MOST]; /* of these */
};

/* Returns how many have not ended. */
static inline unsigned root6(const struct bulk *bulk, __u32 root, const struct front6 *front, unsigned count,
			     __u32 *entry)
{
	__u32 base = entry_chunk(root) * RUN_CHUNK_CELLS;
	__u32 word[BULK_MOST], next[BULK_MOST];

	for (unsigned i = 0; i < count; i++) {
		__u32 cell = base + (front->high[i] >> (32 - ROOT6_BITS));

		entry[i] = __atomic_load_n(&bulk->run[cell & bulk->run_mask], __ATOMIC_RELAXED);
	}
	if (!count_nodes(entry, count))
		return 0;
	for (unsigned i = 0; i < count; i++)
		word[i] = node_of(bulk, entry[i], front->high[i] & ((1u << SECOND6_BITS) - 1)) &
			  -(entry[i] >> 31);
	read_entries(bulk, word, front->high, count, next);
	for (unsigned i = 0; i < count; i++)
		entry[i] = entry[i] & ENTRY_NODE ? next[i] : entry[i];
	return count_nodes(entry, count);
}

static inline void advance6(const struct bulk *bulk, struct front6 *front, unsigned count, __u32 *entry)
{
	__u32 word[BULK_MOST], slot[BULK_MOST], next[BULK_MOST];

	for (unsigned i = 0; i < count; i++) {
		__u32 bits = entry_bits(entry[i]);

		slot[i] = front->left[i] >> (-bits & 31);
		word[i] = node_of(bulk, entry[i], slot[i]) & -(entry[i] >> 31);
		front->left[i] <<= bits;
		front->taken[i] += bits;
	}
	read_entries(bulk, word, slot, count, next);
	for (unsigned i = 0; i < count; i++)
		entry[i] = entry[i] & ENTRY_NODE ? next[i] : entry[i];
}

static void walk_rest6(const struct bulk *bulk, const struct front6 *front, const struct route_key *address,
		       unsigned count, __u32 *entry)
{
	for (__u64 nodes = nodes_of(entry, count); nodes; nodes &= nodes - 1) {
		unsigned i = __builtin_ctzll(nodes), taken = front->taken[i] & 63;
		__u64 high = address[i].high << 32 | address[i].low >> 32, low = address[i].low << 32;

		entry[i] =
			walk(bulk, entry[i], high << taken | (taken ? low >> (64 - taken) : 0), low << taken);
	}
}

static inline __attribute__((always_inline)) void search_large6(const struct bulk *bulk, __u32 root,
								const struct route_key *address,
								const unsigned count, __u32 *entry)
{
	struct front6 front;

	for (unsigned i = 0; i < count; i++)
		front.high[i] = address[i].high >> 32;
	if (!root6(bulk, root, &front, count, entry))
		return;
	for (unsigned i = 0; i < count; i++) {
		front.left[i] = (__u32)address[i].high;
		front.taken[i] = 0;
	}
	for (unsigned round = 0; round < 2 && count_nodes(entry, count) > FEW; round++)
		advance6(bulk, &front, count, entry);
	walk_rest6(bulk, &front, address, count, entry);
}

static inline __attribute__((always_inline)) void search6(const struct bulk *bulk,
							  const struct image_vrf *vrf,
							  const struct route_key *address,
							  const unsigned count, __u32 *ret_leaf)
{
	__u32 fallback = __atomic_load_n(&vrf->fallback[1], __ATOMIC_RELAXED);
	__u32 root = __atomic_load_n(&vrf->root[1], __ATOMIC_RELAXED);
	struct burst burst;

	if (is_root(root, NODE_DIRECT, ROOT6_BITS)) {
		search_large6(bulk, root, address, count, burst.entry);
	} else {
		for (unsigned i = 0; i < count; i++) {
			burst.high[i] = address[i].high;
			burst.low[i] = address[i].low;
			burst.entry[i] = root;
		}
		search(bulk, &burst, count);
	}
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
