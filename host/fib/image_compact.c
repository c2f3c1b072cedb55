// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <string.h>

#include "host/fib/image_compact.h"
#include "host/fib/image_node.h"

struct pass {
	struct image_build *build;
	struct prefix_key key;
	unsigned length;
	__u32 moved;
};

static __u32 compact(struct pass *pass, __u32 entry, unsigned depth);

/* The slots of a window that the part and the window have in common. */
static void common_slots(const struct pass *pass, unsigned depth, unsigned bits, __u32 *ret_first,
			 __u32 *ret_past)
{
	unsigned end = depth + bits, length = pass->length;

	*ret_first = 0;
	*ret_past = 1u << bits;
	if (length <= depth)
		return;
	if (length > end)
		length = end;
	*ret_first = prefix_key_bits(pass->key.word, depth, length - depth) << (end - length);
	*ret_past = *ret_first + (1u << (end - length));
}

static void compact_cell(struct pass *pass, __u32 *cell, unsigned depth)
{
	__u32 entry = compact(pass, *cell, depth);

	image_store_cell(cell, entry);
}

/* Another place for what lies at index; MEMORY_NONE: it can stay. */
static __u32 other_place(struct pass *pass, enum image_array array, __u32 index, __u32 units)
{
	struct image_memory *memory = pass->build->memory;
	__u32 place;

	if (!image_memory_evicted(memory, array, index))
		return MEMORY_NONE;
	place = image_memory_take(memory, array, units);
	if (place != MEMORY_NONE) {
		image_memory_retire(memory, array, index, units);
		pass->moved++;
	}
	return place;
}

static void compact_group(struct pass *pass, __u64 *where, unsigned depth, __u32 first, __u32 last)
{
	const struct image_store *store = pass->build->store;
	__u32 bitmap = image_descriptor_bitmap(*where), from = image_descriptor_place(*where);
	__u32 cells = image_descriptor_cells(*where), place;
	bool leaves = image_descriptor_short(*where);

	if (!cells)
		return;
	first = __builtin_popcount(bitmap << (31 - first));
	last = __builtin_popcount(bitmap << (31 - last));
	for (__u32 i = first; i <= last && !leaves; i++)
		compact_cell(pass, &store->run[from + i], depth);
	place = other_place(pass, ARRAY_RUN, from, cells);
	if (place == MEMORY_NONE)
		return;
	memcpy(&store->run[place], &store->run[from], cells * sizeof(__u32));
	image_publish64(where, image_descriptor_at(place, bitmap, leaves));
}

static void compact_slots(struct pass *pass, __u32 entry, unsigned depth)
{
	const struct image_store *store = pass->build->store;
	unsigned bits = entry_bits(entry);
	__u32 first, past;

	common_slots(pass, depth, bits, &first, &past);
	if (entry_kind(entry) == NODE_DIRECT) {
		for (__u32 slot = first; slot < past; slot++)
			compact_cell(pass, image_node_cell(store, entry, slot), depth + bits);
		return;
	}
	while (first < past) {
		__u32 group = first / GROUP_SLOTS, next = (group + 1) * GROUP_SLOTS;
		__u32 last = (past < next ? past : next) - 1;

		compact_group(pass, image_node_descriptor(store, entry, group), depth + bits,
			      first % GROUP_SLOTS, last % GROUP_SLOTS);
		first = next;
	}
}

/* Moves the node itself. */
static __u32 compact_node(struct pass *pass, __u32 entry)
{
	struct image_store *store = pass->build->store;
	__u32 units = image_node_units(entry), place, moved;

	if (entry_kind(entry) == NODE_DIRECT) {
		place = other_place(pass, ARRAY_RUN, entry_chunk(entry) * RUN_CHUNK_CELLS, units);
		if (place == MEMORY_NONE)
			return entry;
		moved = entry_node(NODE_DIRECT, entry_bits(entry), place / RUN_CHUNK_CELLS);
		memcpy(image_node_cell(store, moved, 0), image_node_cell(store, entry, 0),
		       units * sizeof(__u32));
	} else {
		place = other_place(pass, ARRAY_NODE, entry_chunk(entry), units);
		if (place == MEMORY_NONE)
			return entry;
		moved = entry_node(entry_kind(entry), entry_bits(entry), place);
		memcpy(image_node_descriptor(store, moved, 0), image_node_descriptor(store, entry, 0),
		       (size_t)units * NODE_CHUNK_WORDS * sizeof(__u64));
	}
	*image_build_weight(pass->build, moved) = *image_build_weight(pass->build, entry);
	return moved;
}

static __u32 compact(struct pass *pass, __u32 entry, unsigned depth)
{
	if (!(entry & ENTRY_NODE))
		return entry;
	compact_slots(pass, entry, depth);
	return compact_node(pass, entry);
}

__u32 image_compact(struct image_build *build, struct image_space *space, const struct prefix_key *key,
		    unsigned length)
{
	struct pass pass = { .build = build, .key = *key, .length = length };

	space->entry = compact(&pass, space->entry, 0);
	return pass.moved;
}
