// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_walk.h"

/* Nodes of the tree to a piece: some 50 us. */
#define PIECE_NODES 512

static bool aligned(struct prefix_key key, unsigned length)
{
	struct prefix_key cut = prefix_key_cut(key, length);

	for (unsigned i = 0; i < 4; i++)
		if (cut.word[i] != key.word[i])
			return false;
	return true;
}

static bool light(const struct prefix_tree *tree, const struct image_piece *piece)
{
	return prefix_tree_weight(tree, piece->cover.node, PIECE_NODES + 1) <= PIECE_NODES;
}

/* Moves behind the piece key/length; false: behind the end of the part. */
static bool advance(struct image_walk *walk, unsigned length)
{
	/* Counting up from bit length - 1 to the start of the part: the first 0 becomes 1, the ones before 0.
	 */
	for (unsigned bit = length; bit-- > walk->start;) {
		__u32 mask = 0x80000000u >> bit % 32;

		walk->next.word[bit / 32] ^= mask;
		if (walk->next.word[bit / 32] & mask)
			return true;
	}
	return false;
}

void image_walk_begin(struct image_walk *walk, const struct prefix_key *key, unsigned length)
{
	*walk = (struct image_walk){ .next = *key, .start = length, .length = length };
}

bool image_walk_next(struct image_walk *walk, const struct prefix_tree *tree, unsigned shortest,
		     struct image_piece *ret)
{
	unsigned least = walk->start > shortest ? walk->start : shortest;
	unsigned length = walk->length;

	if (walk->ended)
		return false;
	/* Where there is more room than last time, take twice the piece, if it begins here. */
	if (length > least && aligned(walk->next, length - 1))
		length--;
	if (length < least)
		length = least;
	ret->key = walk->next;
	ret->cover = prefix_tree_cover(tree, &walk->next, length);
	while (length < tree->width && !light(tree, ret))
		ret->cover = prefix_tree_descend(tree, ret->cover, &walk->next, ++length);
	ret->length = length;
	walk->length = length;
	walk->ended = !advance(walk, length);
	return true;
}
