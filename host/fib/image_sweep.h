// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Cuts a part of the address space into segments of equal slots, in ascending order: from prefixes to what a
 * node of the image holds. A slot that has several answers inside is a segment of its own and says where in
 * the tree it goes on.
 */
#pragma once

#include <linux/types.h>

#include "host/fib/prefix_tree.h"

struct image_segment {
	__u32 first, last; /* slots */
	__u16 leaf;        /* the answer for all of them, or for what of a deep slot nothing longer covers
			    */
	struct prefix_cover inner; /* .node not PREFIX_NONE: first == last, and the slot has answers inside */
};

struct image_sweep {
	const struct prefix_tree *tree;
	unsigned depth; /* where the window begins: its bits are [depth, depth + bits) of the address */
	unsigned bits;
	/* Takes a segment; false ends the sweep. */
	bool (*segment)(void *arg, const struct image_segment *segment);
	void *arg;
	struct image_segment open;
	bool ended;
};

/*
 * Sweeps the part key/length of the window, depth <= length <= depth + bits; cover is the part's. False:
 * ended by .segment.
 */
bool image_sweep(struct image_sweep *sweep, const struct prefix_key *key, unsigned length,
		 const struct prefix_cover *cover);
