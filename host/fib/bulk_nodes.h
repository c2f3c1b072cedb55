// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * For host/fib/bulk_search.h: below the roots, from node to node.
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
static __u32 walk(const struct bulk *bulk, __u32 entry, __u64 high, __u64 low)
{
	for (unsigned round = 0; round < ROUNDS && entry & ENTRY_NODE; round++) {
		__u32 bits = entry_bits(entry), slot = high >> (-bits & 63);
		__u64 descriptor = __atomic_load_n(&bulk->node[node_of(bulk, entry, slot)], __ATOMIC_RELAXED);

		entry = __atomic_load_n(&bulk->run[cell_of(bulk, descriptor, slot)], __ATOMIC_RELAXED);
		high = high << bits | low >> (-bits & 63);
		low <<= bits;
	}
	return entry;
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
			burst->entry[i] = walk(bulk, burst->entry[i], burst->high[i], burst->low[i]);
			nodes--;
		}
}

/* A bit for each that has not ended. */
static inline __u64 nodes_of(const __u32 *entry, unsigned count)
{
	__u64 nodes = 0;

	for (unsigned i = 0; i < count; i++)
		nodes |= (__u64)(entry[i] >> 31) << i;
	return nodes;
}
