// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Nodes of the image (see xdp/image.h for their format) as the host reads and writes them.
 */
#pragma once

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

/* Number of cells that the descriptor has of its own. */
static inline __u32 image_descriptor_cells(__u64 descriptor)
{
	__u32 bitmap = image_descriptor_bitmap(descriptor);

	return bitmap ? __builtin_popcount(bitmap) + 1 : 0;
}

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

/* Chunks of node[] or cells of run[] that a node takes, without the runs of its groups. */
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
