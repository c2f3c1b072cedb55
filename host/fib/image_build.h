// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Builds nodes of the image from prefixes, in memory that no reader sees yet. Here is decided which kind of
 * node stands where:
 *
 *   large IPv4 tables   a bitmap of 24 bits, below it bitmaps of 8
 *   large IPv6 tables   direct 16, bitmaps of 16, below these as in small tables
 *   small tables        bitmaps of 8 bits; of 16 where many prefixes are below
 *
 * A table that began large and holds a few prefixes has bitmaps of 16 bits below its root, too: fewer steps,
 * where memory does not matter.
 *
 * How many prefixes are below a node (its weight) is kept beside the arrays, so that updates can tell in O(1)
 * when another kind is due. The limits for going up and down lie apart.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/image_memory.h"
#include "host/fib/image_store.h"
#include "host/fib/image_sweep.h"
#include "host/fib/prefix_tree.h"

/* The prefixes of one VRF and family, and where their image begins. */
struct image_space {
	struct prefix_tree *tree;
	__u32 entry; /* the root, which readers see too unless the space is lost */
	__u16 vrf;
	__u8 family;
	bool always_large; /* the large roots even for few prefixes, where there is room */
	bool large;
	bool loading; /* the image does not follow the prefixes now */
	bool lost;    /* a prefix could not be remembered: everything punts */
	/* A node of another kind was due and found no room: not tried again for so many refreshes. */
	__u32 patience, skip;
};

struct image_build {
	struct image_store *store;
	struct image_memory *memory;
	__u32 *weight[IMAGE_ARRAYS]; /* by chunk of node[] (bitmaps) and of run[] (direct nodes) */
	/* This part of a space punts for want of room. */
	void (*full)(void *arg, const struct image_space *space, const struct prefix_key *key,
		     unsigned length);
	void *arg;
	__u64 fulls; /* how often something found no room */
	bool trial;  /* what is built is thrown away if anything finds no room: nothing punts */
};

/* Store and memory are borrowed. -ENOMEM. */
int image_build_new(struct image_store *store, struct image_memory *memory, struct image_build **ret);
void image_build_free(struct image_build *build);

/*
 * The entry for the window that begins with key/depth: a leaf if one answer is all there is, else a new node
 * with all that is below. What finds no room becomes the leaf TABLE_FULL, up to all of the window.
 */
__u32 image_build_window(struct image_build *build, const struct image_space *space, struct prefix_key key,
			 unsigned depth, const struct prefix_cover *cover);
/* The same for a slot, as a sweep of the window above describes it. */
__u32 image_build_slot(struct image_build *build, const struct image_space *space, struct prefix_key key,
		       unsigned depth, const struct image_segment *segment);

/* Whether the root should be large, seen from what it is now. */
bool image_build_large(const struct image_build *build, const struct image_space *space);
/* Whether a node below the root suits its weight. */
bool image_build_suits(const struct image_build *build, const struct image_space *space, __u32 entry,
		       unsigned depth);
/* Where the weight of a bitmap or direct node is kept. */
__u32 *image_build_weight(const struct image_build *build, __u32 entry);

/* Notes that a part punts, and returns the leaf for it. */
__u32 image_build_full(struct image_build *build, const struct image_space *space,
		       const struct prefix_key *key, unsigned length);

/* Frees a node and all below; leaves are fine. Nobody ever saw it. */
void image_build_discard(struct image_build *build, __u32 entry);
/* The same where readers may still be in it. */
void image_build_retire(struct image_build *build, __u32 entry);
/*
 * The same in steps, for bitmap and direct nodes: goes on at *slot until `limit` slots are done. True: all of
 * it is retired.
 */
bool image_build_retire_some(struct image_build *build, __u32 entry, __u32 *slot, __u32 limit);
