// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Where a search in a large prefix tree begins: not at the root, but a few steps above its end.
 *
 * A level of starts is a table with a slot for each value of the first bits of a key. Such a slot names the
 * longest node of at most so many bits that is on the way of every key with these bits, and the values of the
 * longest prefixes over these bits, as far as their lengths are the level's own. So a value is only kept in
 * one level: the level of 20 bits has the prefixes of 17 to 20 bits, and a change of a shorter one leaves it
 * alone. A search for a longer prefix reads a slot of each level that is shorter than its prefix, puts the
 * values over each other, and goes on from the node of the last.
 *
 * A node that comes or goes, and a value of a short prefix that changes, is written into all slots that are
 * its own, those that none of the nodes (or values) below it in the level has. That is rare: nearly all
 * prefixes are longer than 20 bits.
 *
 * A tree gets its levels one by one as it grows, and keeps them. For the tree only; nobody else looks here.
 */
#pragma once

#include <stddef.h>

#include "host/fib/prefix_tree.h"

/*
 * Trees of so many nodes get starts by so many bits, 8 bytes for each value of these bits: 512 KB by 16 bits,
 * 8 MB by 20. In the IPv6 addresses of 2026, 20 bits tell little more than 16. The first level is for short
 * prefixes, which are over many starts of the others.
 */
static const struct {
	unsigned least, bits; /* lengths of prefixes whose values are kept here */
	unsigned width;       /* of trees, at most */
	__u32 nodes;
} prefix_start_level[PREFIX_STARTS] = {
	{ 0, 8, 128, 1u << 15 },
	{ 9, 16, 128, 1u << 15 },
	{ 17, 20, 32, 1u << 16 },
};

/* A node on the way of a search, and what covers it. */
struct prefix_start {
	__u32 node;
	__u16 value[PREFIX_LAYERS];
};

/* Where to begin on the way to key/length: a node above it, or the root, and what covers all below it. */
static inline struct prefix_start prefix_start_find(const struct prefix_tree *tree, const __u32 *key,
						    unsigned length)
{
	struct prefix_start at = {};

	prefix_node_apply(prefix_tree_node(tree, 0), at.value);
	for (unsigned level = 0; level < tree->levels && length > prefix_start_level[level].bits; level++) {
		struct prefix_start start =
			tree->start[level][key[0] >> (32 - prefix_start_level[level].bits)];

		at.node = start.node;
		for (unsigned layer = 0; layer < PREFIX_LAYERS; layer++)
			at.value[layer] = start.value[layer] ? start.value[layer] : at.value[layer];
	}
	return at;
}

/* Searches that begin at a node, by its place among the others, begin at another from now on. */
void prefix_start_move(struct prefix_tree *tree, __u32 index, __u32 other);
/* The node has another value in the layer now. */
void prefix_start_cover(struct prefix_tree *tree, __u32 index, enum prefix_layer layer);
/* A tree that is large enough gets its next level; without the memory for it searches just take longer. */
void prefix_start_grow(struct prefix_tree *tree);
/* Bytes of all levels of the tree. */
size_t prefix_start_bytes(const struct prefix_tree *tree);
void prefix_start_free(struct prefix_tree *tree);
