// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Who owns which part of node[] and run[].
 *
 * Both arrays are cut into pages (256 chunks of node[], 1024 cells of run[]). A page holds blocks of one
 * size; free blocks of a page are linked through their own first word, which no reader looks at any more.
 * What is larger than a page takes a row of pages from the far end, so that small blocks do not break up the
 * space that large roots need. A page whose last block goes is free for any size.
 *
 * A block that readers may still see goes to limbo, in the order of its epochs, and returns to its page when
 * the grace period has passed. used + free + limbo = total, always.
 *
 * Holes are the free blocks of pages in use. Against too many of them the caller starts an eviction: the
 * pages that would not be needed if all lay together give out no blocks until it ends, and the caller moves
 * what lies there.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/grace.h"
#include "host/fib/image_store.h"

enum image_array {
	ARRAY_NODE = 0, /* in chunks */
	ARRAY_RUN = 1,  /* in cells */
};
#define IMAGE_ARRAYS 2
#define MEMORY_NONE  0xffffffffu

struct image_memory;

/* The first `reserved` cells of run[] are never given out. Store and grace are borrowed. -ENOMEM, -ENOSPC. */
int image_memory_new(struct image_store *store, struct grace *grace, __u32 reserved,
		     struct image_memory **ret);
void image_memory_free(struct image_memory *memory);

/* units next to each other, aligned to units if that is a power of two up to a page; MEMORY_NONE: full. */
__u32 image_memory_take(struct image_memory *memory, enum image_array array, __u32 units);
/* Gives back what no reader ever saw. */
void image_memory_give(struct image_memory *memory, enum image_array array, __u32 index, __u32 units);
/* Gives back what readers may still see. */
void image_memory_retire(struct image_memory *memory, enum image_array array, __u32 index, __u32 units);
/* Recycles up to `limit` blocks whose grace period has passed; returns how many. */
__u32 image_memory_recycle(struct image_memory *memory, __u32 limit);
/* The epoch of the newest block in limbo; 0: there is none. */
__u64 image_memory_newest(const struct image_memory *memory);
/* It is worth the work: a fifth of the pages in use could be emptied; if it is urgent, some. */
bool image_memory_holey(const struct image_memory *memory, enum image_array array, bool urgent);
void image_memory_evict_begin(struct image_memory *memory, enum image_array array);
/* The block lies where it should be moved away from. */
bool image_memory_evicted(const struct image_memory *memory, enum image_array array, __u32 index);
void image_memory_evict_end(struct image_memory *memory, enum image_array array);

struct image_memory_usage {
	__u32 used, free, limbo, total;
	__u32 held; /* units of the pages in use: what the array really takes */
};
void image_memory_usage(const struct image_memory *memory, enum image_array array,
			struct image_memory_usage *ret);
