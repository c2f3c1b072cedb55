// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_sweep.h"

static void emit(struct image_sweep *sweep, __u32 last)
{
	sweep->open.last = last;
	if (!sweep->segment(sweep->arg, &sweep->open))
		sweep->ended = true;
}

/* From slot `at` on: this leaf, or what is in node. A later word on the same slot replaces the earlier. */
static void turn(struct image_sweep *sweep, __u32 at, __u16 leaf, __u32 node,
		 const __u16 value[PREFIX_LAYERS])
{
	struct image_segment *open = &sweep->open;

	if (at != open->first) {
		if (leaf == open->leaf && node == PREFIX_NONE && open->inner.node == PREFIX_NONE)
			return;
		emit(sweep, at - 1);
		open->first = at;
	}
	open->leaf = leaf;
	open->inner.node = node;
	open->inner.value[0] = value[0];
	open->inner.value[1] = value[1];
}

/* A node as long as a slot, or longer. */
static void visit_slot(struct image_sweep *sweep, __u32 index, __u32 slot, const __u16 above[PREFIX_LAYERS])
{
	struct prefix_cover inner = { .node = index, .value = { above[0], above[1] } };
	unsigned end = sweep->depth + sweep->bits;
	__u16 leaf = prefix_tree_answer(sweep->tree, &inner, end);

	turn(sweep, slot, leaf, prefix_tree_differs(sweep->tree, &inner, end, leaf) ? index : PREFIX_NONE,
	     above);
	turn(sweep, slot + 1, prefix_answer(above), PREFIX_NONE, above);
}

static void visit(struct image_sweep *sweep, __u32 index, const __u16 above[PREFIX_LAYERS])
{
	const struct prefix_node *node = prefix_tree_node(sweep->tree, index);
	unsigned end = sweep->depth + sweep->bits;
	__u32 slot = prefix_key_bits(node->key, sweep->depth, sweep->bits);
	__u16 value[PREFIX_LAYERS] = { above[0], above[1] };

	if (sweep->ended)
		return;
	if (node->length >= end) {
		visit_slot(sweep, index, slot, above);
		return;
	}
	prefix_node_apply(node, value);
	turn(sweep, slot, prefix_answer(value), PREFIX_NONE, value);
	for (unsigned side = 0; side < 2; side++)
		if (node->child[side])
			visit(sweep, node->child[side], value);
	turn(sweep, slot + (1u << (end - node->length)), prefix_answer(above), PREFIX_NONE, above);
}

bool image_sweep(struct image_sweep *sweep, const struct prefix_key *key, unsigned length,
		 const struct prefix_cover *cover)
{
	unsigned end = sweep->depth + sweep->bits;
	__u32 first = prefix_key_bits(key->word, sweep->depth, length - sweep->depth) << (end - length);
	__u32 past = first + (1u << (end - length));

	sweep->ended = false;
	sweep->open =
		(struct image_segment){ .first = first,
					.leaf = prefix_answer(cover->value),
					.inner = { PREFIX_NONE, { cover->value[0], cover->value[1] } } };
	if (cover->node != PREFIX_NONE)
		visit(sweep, cover->node, cover->value);
	if (!sweep->ended && sweep->open.first < past)
		emit(sweep, past - 1);
	return !sweep->ended;
}
