// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Cuts a part of the address space into pieces, prefixes again, that are each a small amount of work: a
 * bounded number of nodes of the prefix tree. In ascending order, resumable at any time, also after the tree
 * has changed.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/prefix_tree.h"

struct image_piece {
	struct prefix_key key;
	unsigned length;
	struct prefix_cover cover; /* of the piece */
};

struct image_walk {
	struct prefix_key next; /* where the next piece begins */
	__u8 start;             /* length of the whole part */
	__u8 length;            /* of the last piece */
	bool ended;
};

void image_walk_begin(struct image_walk *walk, const struct prefix_key *key, unsigned length);
/* The next piece; none is shorter than shortest, unless the part is. False: that was all. */
bool image_walk_next(struct image_walk *walk, const struct prefix_tree *tree, unsigned shortest,
		     struct image_piece *ret);
