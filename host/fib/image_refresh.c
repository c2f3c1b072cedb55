// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <string.h>

#include "host/fib/image_node.h"
#include "host/fib/image_refresh.h"

#define MOST_PATIENCE 16384

struct part {
	struct image_build *build;
	struct image_space *space;
	struct prefix_key key;
	unsigned length;
	const struct prefix_cover *cover;
};

/* A node that is being made equal, and where in the address space it stands. */
struct window {
	const struct part *part;
	__u32 entry;
	struct prefix_key key;
	unsigned depth;
	unsigned bits;
	/* bitmap: the group at hand */
	bool loaded;
	__u32 group;
	struct image_group old, new;
};

/*
 * Makes the part equal as far as it lies in the window that begins at key/depth; returns the entry for the
 * window. cover is the window's, or NULL if the window is larger than the part.
 */
static __u32 refresh(const struct part *part, __u32 entry, struct prefix_key key, unsigned depth,
		     const struct prefix_cover *cover);

static unsigned window_end(const struct window *window)
{
	return window->depth + window->bits;
}

static struct prefix_key slot_key(const struct window *window, __u32 slot)
{
	return prefix_key_place(window->key, window->depth, window->bits, slot);
}

/* The slot that the part lies in or begins with. */
static __u32 part_slot(const struct window *window)
{
	return prefix_key_bits(window->part->key.word, window->depth, window->bits);
}

/* The part is inside of one slot. */
static bool part_inside(const struct window *window)
{
	return window->part->length > window_end(window);
}

/* Sweeps what the part and the window have in common. */
static void sweep_common(struct window *window, const struct prefix_cover *cover,
			 bool (*segment)(void *arg, const struct image_segment *segment))
{
	const struct part *part = window->part;
	struct image_sweep sweep = { .tree = part->space->tree,
				     .depth = window->depth,
				     .bits = window->bits,
				     .segment = segment,
				     .arg = window };

	if (part->length >= window->depth)
		image_sweep(&sweep, &part->key, part->length, part->cover);
	else
		image_sweep(&sweep, &window->key, window->depth, cover);
}

/* What the slot of the window that holds the part is to become. */
static __u32 refresh_inside(const struct window *window, __u32 entry)
{
	return refresh(window->part, entry, slot_key(window, part_slot(window)), window_end(window), NULL);
}

/* What a slot in the part is to become, with a segment of a sweep for it. */
static __u32 refresh_slot(const struct window *window, __u32 entry, __u32 slot,
			  const struct image_segment *segment)
{
	const struct part *part = window->part;

	if (segment->inner.node == PREFIX_NONE) {
		if (entry & ENTRY_NODE)
			image_build_retire(part->build, entry);
		return segment->leaf;
	}
	if (entry & ENTRY_NODE)
		return refresh(part, entry, slot_key(window, slot), window_end(window), &segment->inner);
	return image_build_slot(part->build, part->space, slot_key(window, slot), window_end(window),
				segment);
}

/* --- direct --- */

static bool direct_segment(void *arg, const struct image_segment *segment)
{
	const struct window *window = arg;

	for (__u32 slot = segment->first; slot <= segment->last; slot++) {
		__u32 *cell = image_node_cell(window->part->build->store, window->entry, slot);

		image_store_cell(cell, refresh_slot(window, *cell, slot, segment));
	}
	return true;
}

static void refresh_direct(struct window *window, const struct prefix_cover *cover)
{
	__u32 *cell;

	if (!part_inside(window)) {
		sweep_common(window, cover, direct_segment);
		return;
	}
	cell = image_node_cell(window->part->build->store, window->entry, part_slot(window));
	image_store_cell(cell, refresh_inside(window, *cell));
}

/* --- bitmap --- */

static void open_group(struct window *window, __u32 group)
{
	const struct image_store *store = window->part->build->store;

	image_group_read(store, *image_node_descriptor(store, window->entry, group), &window->old);
	window->new = window->old;
	window->group = group;
	window->loaded = true;
}

static void retire_runs(struct image_build *build, __u64 descriptor)
{
	__u32 cells = image_descriptor_cells(descriptor);

	if (cells)
		image_memory_retire(build->memory, ARRAY_RUN, image_descriptor_place(descriptor), cells);
}

/* There is no room for the group's runs: none of its slots may keep an answer that is no longer right. */
static __u64 group_full(struct window *window)
{
	const struct part *part = window->part;
	struct prefix_key key = slot_key(window, window->group * GROUP_SLOTS);

	for (unsigned slot = 0; slot < GROUP_SLOTS; slot++) {
		__u32 entry = window->new.entry[slot];

		if (entry == window->old.entry[slot])
			image_build_retire(part->build, entry);
		else
			image_build_discard(part->build, entry);
	}
	return image_descriptor_of_leaf(
		window->entry, image_build_full(part->build, part->space, &key, window_end(window) - 5));
}

static void close_group(struct window *window)
{
	struct image_build *build = window->part->build;
	__u64 *where = image_node_descriptor(build->store, window->entry, window->group);
	__u64 before = *where, after;
	__u32 bitmap, place, run[GROUP_SLOTS];
	unsigned count;
	bool leaves;

	window->loaded = false;
	if (memcmp(&window->old, &window->new, sizeof(window->old)) == 0)
		return;
	count = image_group_runs(&window->new, run, &bitmap);
	leaves = image_runs_short(window->entry, run, count);
	if (bitmap && bitmap == image_descriptor_bitmap(before) && leaves == image_descriptor_short(before)) {
		image_runs_store(build->store, before, run, count);
		return;
	}
	place = bitmap ? image_memory_take(build->memory, ARRAY_RUN, image_run_cells(count, leaves)) : 0;
	if (place == MEMORY_NONE) {
		after = group_full(window);
	} else if (bitmap) {
		after = image_descriptor_at(place, bitmap, leaves);
		image_runs_store(build->store, after, run, count);
	} else {
		after = image_descriptor_of_leaf(window->entry, run[0]);
	}
	image_publish64(where, after);
	retire_runs(build, before);
}

/* All 32 slots get the same leaf: no need to look at them one by one. */
static void fill_group(struct window *window, __u32 group, __u16 leaf)
{
	struct image_build *build = window->part->build;
	__u64 *where = image_node_descriptor(build->store, window->entry, group);
	__u64 before = *where, after = image_descriptor_of_leaf(window->entry, leaf);
	__u32 runs = image_descriptor_short(before) ? 0 : image_descriptor_runs(before);

	if (before == after)
		return;
	for (__u32 i = 0; i < runs; i++)
		image_build_retire(build, image_run(build->store, before, i));
	image_publish64(where, after);
	retire_runs(build, before);
}

static void turn_to_group(struct window *window, __u32 group)
{
	if (window->loaded && window->group == group)
		return;
	if (window->loaded)
		close_group(window);
	open_group(window, group);
}

static bool bitmap_segment(void *arg, const struct image_segment *segment)
{
	struct window *window = arg;

	for (__u32 slot = segment->first; slot <= segment->last; slot++) {
		__u32 at = slot % GROUP_SLOTS;

		if (at == 0 && segment->last - slot >= GROUP_SLOTS - 1) {
			fill_group(window, slot / GROUP_SLOTS, segment->leaf);
			slot += GROUP_SLOTS - 1;
			continue;
		}
		turn_to_group(window, slot / GROUP_SLOTS);
		window->new.entry[at] = refresh_slot(window, window->old.entry[at], slot, segment);
	}
	return true;
}

static void refresh_bitmap(struct window *window, const struct prefix_cover *cover)
{
	window->loaded = false;
	if (part_inside(window)) {
		__u32 slot = part_slot(window), *entry = &window->new.entry[slot % GROUP_SLOTS];

		open_group(window, slot / GROUP_SLOTS);
		*entry = refresh_inside(window, *entry);
	} else {
		sweep_common(window, cover, bitmap_segment);
	}
	if (window->loaded)
		close_group(window);
}

/* A bitmap of one chunk whose slots are all equal now needs no node. */
static bool uniform(const struct image_store *store, __u32 entry, __u32 *ret_leaf)
{
	const __u64 *descriptor = image_node_descriptor(store, entry, 0);

	if (entry_bits(entry) != 8)
		return false;
	for (unsigned i = 0; i < NODE_CHUNK_WORDS; i++)
		if (image_descriptor_bitmap(descriptor[i]) || descriptor[i] != descriptor[0])
			return false;
	*ret_leaf = image_descriptor_leaf(descriptor[0]);
	return true;
}

/* --- any node --- */

static __u32 build(const struct part *part, struct prefix_key key, unsigned depth,
		   const struct prefix_cover *cover)
{
	struct prefix_cover own;

	if (!cover) {
		own = prefix_tree_cover(part->space->tree, &key, depth);
		cover = &own;
	}
	return image_build_window(part->build, part->space, key, depth, cover);
}

/* Builds what is to stand in the window instead of the node; false, and nothing changed, unless there is room
 * for all of it. */
static bool replace(const struct part *part, __u32 entry, struct prefix_key key, unsigned depth,
		    const struct prefix_cover *cover, __u32 *ret_entry)
{
	struct image_space *space = part->space;
	__u64 fulls = part->build->fulls;
	__u32 new;

	if (space->skip && space->skip--)
		return false;
	part->build->trial = true;
	new = build(part, key, depth, cover);
	part->build->trial = false;
	if (part->build->fulls != fulls) {
		image_build_discard(part->build, new);
		space->patience = space->patience < MOST_PATIENCE ? 2 * space->patience + 1 : MOST_PATIENCE;
		space->skip = space->patience;
		return false;
	}
	space->patience = 0;
	image_build_retire(part->build, entry);
	*ret_entry = new;
	return true;
}

static __u32 refresh_leaf(const struct part *part, __u32 entry, struct prefix_key key, unsigned depth,
			  const struct prefix_cover *cover)
{
	if (part->length > depth && entry != REASON_TABLE_FULL &&
	    !prefix_tree_differs(part->space->tree, part->cover, part->length, entry))
		return entry;
	return build(part, key, depth, cover);
}

static __u32 refresh(const struct part *part, __u32 entry, struct prefix_key key, unsigned depth,
		     const struct prefix_cover *cover)
{
	struct window window = {
		.part = part, .entry = entry, .key = key, .depth = depth, .bits = entry_bits(entry)
	};
	__u32 leaf;

	if (!(entry & ENTRY_NODE))
		return refresh_leaf(part, entry, key, depth, cover);
	if (*image_build_weight(part->build, entry) == 0 && !(depth == 0 && part->space->large)) {
		image_build_retire(part->build, entry);
		return build(part, key, depth, cover);
	}
	if (!image_build_suits(part->build, part->space, entry, depth) &&
	    replace(part, entry, key, depth, cover, &entry))
		return entry;
	if (entry_kind(entry) == NODE_DIRECT) {
		refresh_direct(&window, cover);
		return entry;
	}
	refresh_bitmap(&window, cover);
	if (!uniform(part->build->store, entry, &leaf))
		return entry;
	image_build_retire(part->build, entry);
	return leaf;
}

/* A root of the other size. */
static void resize(const struct part *part)
{
	struct image_space *space = part->space;
	struct prefix_key key = {};

	space->large = !space->large;
	if (!replace(part, space->entry, key, 0, NULL, &space->entry))
		space->large = !space->large;
}

/* --- public --- */

void image_refresh(struct image_build *build, struct image_space *space, const struct prefix_key *key,
		   unsigned length, const struct prefix_cover *cover)
{
	struct part part = { .build = build, .space = space, .key = *key, .length = length, .cover = cover };

	if (image_build_large(build, space) != space->large)
		resize(&part);
	space->entry = refresh(&part, space->entry, (struct prefix_key){}, 0, length ? NULL : cover);
	if (image_node_summed(space->entry))
		image_summary_follow(build->store, space->entry, key->word[0], length);
}

void image_refresh_prefetch(const struct image_build *build, const struct image_space *space,
			    const struct prefix_key *key)
{
	const struct image_store *store = build->store;
	__u32 entry = space->entry, slot = prefix_key_bits(key->word, 0, entry_bits(entry));

	if (!(entry & ENTRY_NODE))
		return;
	if (image_node_summed(entry))
		image_summary_prefetch(store, entry, key->word[0]);
	if (entry_kind(entry) == NODE_DIRECT) {
		unsigned depth = entry_bits(entry);

		entry = *image_node_cell(store, entry, slot);
		if (!(entry & ENTRY_NODE))
			return;
		slot = prefix_key_bits(key->word, depth, entry_bits(entry));
		__builtin_prefetch(image_build_weight(build, entry));
	}
	image_runs_prefetch(store, *image_node_descriptor(store, entry, slot / GROUP_SLOTS));
}

void image_refresh_weigh(struct image_build *build, struct image_space *space, const struct prefix_key *key,
			 unsigned length, int change)
{
	__u32 entry = space->entry;
	unsigned depth = 0;

	while ((entry & ENTRY_NODE) && depth < length) {
		unsigned bits = entry_bits(entry);

		*image_build_weight(build, entry) += change;
		entry = image_node_entry(build->store, entry, prefix_key_bits(key->word, depth, bits));
		depth += bits;
	}
}
