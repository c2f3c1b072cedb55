// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Nodes of the image (see xdp/image.h for their format) as the host reads and writes them.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/image_store.h"

#define GROUP_SLOTS 32

/* A group of a bitmap node: the entries of its slots, one by one. */
struct image_group {
	__u32 entry[GROUP_SLOTS];
};

void image_group_read(const struct image_store *store, __u64 descriptor, struct image_group *ret);
/* The number of runs, the entry of each, and the bitmap that marks where they start. */
unsigned image_group_runs(const struct image_group *group, __u32 run[GROUP_SLOTS], __u32 *ret_bitmap);

static inline __u32 image_descriptor_bitmap(__u64 descriptor)
{
	return (__u32)descriptor;
}

static inline __u32 image_descriptor_base(__u64 descriptor)
{
	return descriptor >> 32;
}

static inline __u64 image_descriptor(__u32 base, __u32 bitmap)
{
	return (__u64)base << 32 | bitmap;
}

/* Whether the runs are u16 leaves. */
static inline bool image_descriptor_short(__u64 descriptor)
{
	return image_descriptor_base(descriptor) & DESCRIPTOR_LEAVES;
}

/* Cells that so many runs take. */
static inline __u32 image_run_cells(unsigned count, bool leaves)
{
	return leaves ? (count + 1) / 2 : count;
}

/* Number of runs that the descriptor has of its own; 0: all slots are equal. */
static inline __u32 image_descriptor_runs(__u64 descriptor)
{
	__u32 bitmap = image_descriptor_bitmap(descriptor);

	return bitmap ? __builtin_popcount(bitmap) + 1 : 0;
}

/* Number of cells that it has of its own, and the first of them. */
static inline __u32 image_descriptor_cells(__u64 descriptor)
{
	return image_run_cells(image_descriptor_runs(descriptor), image_descriptor_short(descriptor));
}

static inline __u32 image_descriptor_place(__u64 descriptor)
{
	__u32 base = image_descriptor_base(descriptor);

	return base & DESCRIPTOR_LEAVES ? (base & ~DESCRIPTOR_LEAVES) / 2 : base;
}

/* Starts loading the runs. Without a branch, which would wait for the descriptor. */
static inline void image_runs_prefetch(const struct image_store *store, __u64 descriptor)
{
	__u32 base = image_descriptor_base(descriptor);

	__builtin_prefetch(&store->run[(base & ~DESCRIPTOR_LEAVES) >> (base >> 31)]);
}

/* For runs that lie at a place. */
static inline __u64 image_descriptor_at(__u32 place, __u32 bitmap, bool leaves)
{
	return image_descriptor(leaves ? DESCRIPTOR_LEAVES | 2 * place : place, bitmap);
}

/* For a group of a node whose slots all have this leaf, and the leaf of such a descriptor. */
static inline __u64 image_descriptor_of_leaf(__u32 node, __u16 leaf)
{
	return image_descriptor(
		entry_bits(node) == ROOT4_BITS ? DESCRIPTOR_LEAVES | (LEAVES_IDENTITY + leaf) : leaf, 0);
}

static inline __u16 image_descriptor_leaf(__u64 descriptor)
{
	return (__u16)image_descriptor_base(descriptor);
}

/* Whether these runs of a group of the node are kept as u16 leaves. */
bool image_runs_short(__u32 node, const __u32 *run, unsigned count);
/* The entry of a run that the descriptor has; and changes them one by one, each at once. */
__u32 image_run(const struct image_store *store, __u64 descriptor, unsigned index);
void image_runs_store(const struct image_store *store, __u64 descriptor, const __u32 *run, unsigned count);

/* The root of a large IPv4 table, which has a summary. */
static inline bool image_node_summed(__u32 node)
{
	return node & ENTRY_NODE && entry_kind(node) == NODE_BITMAP && entry_bits(node) == ROOT4_BITS;
}

/* Makes the summary follow the descriptors under a prefix; the first 32 bits of the address are its key. */
void image_summary_follow(const struct image_store *store, __u32 node, __u32 key, unsigned length);
/* The leaf that the summary has for an address; SUMMARY_NONE: none. */
__u32 image_summary(const struct image_store *store, __u32 node, __u32 key);
void image_summary_prefetch(const struct image_store *store, __u32 node, __u32 key);

/* Where the parts of a node lie. */
static inline __u64 *image_node_descriptor(const struct image_store *store, __u32 entry, __u32 group)
{
	return &store->node[(size_t)entry_chunk(entry) * NODE_CHUNK_WORDS + group];
}

static inline __u32 *image_node_cell(const struct image_store *store, __u32 entry, __u32 slot)
{
	return &store->run[(size_t)entry_chunk(entry) * RUN_CHUNK_CELLS + slot];
}

/* The entry for a slot of a node of any kind. */
__u32 image_node_entry(const struct image_store *store, __u32 entry, __u32 slot);

/* Chunks of node[], with the summary, or cells of run[] that a node takes, without the runs of its groups. */
__u32 image_node_units(__u32 entry);

/* Publishes: readers see all of what was written before, or the value from before. */
static inline void image_publish64(__u64 *where, __u64 value)
{
	__atomic_store_n(where, value, __ATOMIC_RELEASE);
}

static inline void image_publish32(__u32 *where, __u32 value)
{
	__atomic_store_n(where, value, __ATOMIC_RELEASE);
}

/* Publishes an entry if it is another one. */
static inline void image_store_cell(__u32 *cell, __u32 entry)
{
	if (*cell != entry)
		image_publish32(cell, entry);
}
