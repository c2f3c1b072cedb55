// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <stdlib.h>
#include <sys/mman.h>

#include "host/fib/prefix_start.h"

static size_t level_bytes(unsigned level)
{
	return sizeof(struct prefix_start) << prefix_start_level[level].bits;
}

/* The first slot of a level that the node covers, and the one behind its last. */
static __u32 first_slot(const struct prefix_node *node, unsigned bits)
{
	return prefix_key_bits(node->key, 0, bits);
}

static __u32 past_slot(const struct prefix_node *node, unsigned bits)
{
	return first_slot(node, bits) + (1u << (bits - node->length));
}

#define START_NODE PREFIX_LAYERS

static void fill(struct prefix_start *start, struct prefix_start *past, unsigned part, struct prefix_start to)
{
	for (; start < past; start++) {
		if (part == START_NODE)
			start->node = to.node;
		else
			start->value[part] = to.value[part];
	}
}

/* Sets a part, the value of a layer or START_NODE, of the slots of a level that are the node's own. */
static void set_slots(struct prefix_tree *tree, unsigned level, __u32 index, unsigned part,
		      struct prefix_start to)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	unsigned bits = prefix_start_level[level].bits;
	__u32 slot = first_slot(node, bits);

	for (unsigned side = 0; side < 2; side++) {
		const struct prefix_node *child = prefix_tree_node(tree, node->child[side]);

		if (!node->child[side] || child->length > bits)
			continue;
		fill(&tree->start[level][slot], &tree->start[level][first_slot(child, bits)], part, to);
		slot = past_slot(child, bits);
	}
	fill(&tree->start[level][slot], &tree->start[level][past_slot(node, bits)], part, to);
}

/* All in the node that nothing longer covers has this value in a level. */
static void cover_slots(struct prefix_tree *tree, unsigned level, __u32 index, unsigned layer,
			struct prefix_start to)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);

	set_slots(tree, level, index, layer, to);
	for (unsigned side = 0; side < 2; side++) {
		const struct prefix_node *child = prefix_tree_node(tree, node->child[side]);

		if (node->child[side] && child->length <= prefix_start_level[level].bits &&
		    !child->value[layer])
			cover_slots(tree, level, node->child[side], layer, to);
	}
}

/* The value of the longest prefix of the level's lengths that is the node or over it. */
static struct prefix_start covered(const struct prefix_tree *tree, unsigned level, __u32 index)
{
	const struct prefix_node *last = prefix_tree_node(tree, index), *node;
	struct prefix_start at = prefix_start_find(tree, last->key, prefix_start_level[level].least);

	at.value[PREFIX_ROUTE] = at.value[PREFIX_SHADOW] = 0;
	for (;;) {
		node = prefix_tree_node(tree, at.node);
		if (node->length >= prefix_start_level[level].least)
			prefix_node_apply(node, at.value);
		if (node == last)
			return at;
		at.node = node->child[prefix_key_bit(last->key, node->length)];
	}
}

/* Fills a new level from a node on: `value` is what covers the node of the level's lengths. */
static void paint(struct prefix_tree *tree, unsigned level, struct prefix_start at)
{
	const struct prefix_node *node = prefix_tree_node(tree, at.node);

	if (node->length > prefix_start_level[level].bits)
		return;
	if (node->length >= prefix_start_level[level].least)
		prefix_node_apply(node, at.value);
	for (unsigned part = 0; part <= START_NODE; part++)
		set_slots(tree, level, at.node, part, at);
	for (unsigned side = 0; side < 2; side++) {
		at.node = node->child[side];
		if (at.node)
			paint(tree, level, at);
	}
}

void prefix_start_move(struct prefix_tree *tree, __u32 index, __u32 other)
{
	unsigned length = prefix_tree_node(tree, index)->length;

	for (unsigned level = 0; level < tree->levels; level++)
		if (length <= prefix_start_level[level].bits)
			set_slots(tree, level, index, START_NODE, (struct prefix_start){ .node = other });
}

void prefix_start_cover(struct prefix_tree *tree, __u32 index, enum prefix_layer layer)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);

	for (unsigned level = 0; level < tree->levels; level++) {
		if (node->length > prefix_start_level[level].bits)
			continue;
		cover_slots(tree, level, index, layer, covered(tree, level, index));
		return;
	}
}

void prefix_start_grow(struct prefix_tree *tree)
{
	unsigned level = tree->levels;
	size_t bytes;

	if (level == PREFIX_STARTS || tree->nodes < prefix_start_level[level].nodes ||
	    tree->width > prefix_start_level[level].width)
		return;
	bytes = level_bytes(level);
	tree->start[level] = aligned_alloc(bytes < PREFIX_HUGE ? bytes : PREFIX_HUGE, bytes);
	if (!tree->start[level])
		return;
	if (bytes >= PREFIX_HUGE)
		madvise(tree->start[level], bytes, MADV_HUGEPAGE);
	tree->levels++;
	paint(tree, level, (struct prefix_start){});
}

size_t prefix_start_bytes(const struct prefix_tree *tree)
{
	size_t bytes = 0;

	for (unsigned level = 0; level < tree->levels; level++)
		bytes += level_bytes(level);
	return bytes;
}

void prefix_start_free(struct prefix_tree *tree)
{
	for (unsigned level = 0; level < tree->levels; level++)
		free(tree->start[level]);
}
