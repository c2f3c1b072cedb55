// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/image_build.h"
#include "host/fib/image_node.h"

/* When a root becomes large, and small again: in prefixes. */
#define LARGE_IPV4       2048
#define LARGE_IPV4_BELOW 512
#define LARGE_IPV6       512
#define LARGE_IPV6_BELOW 128

/* A bitmap of 16 bits (16 KB) is due for so many prefixes below it, and stays down to half of that. */
#define WIDE_WEIGHT 160
/* Or for any, in a table of at most so many that was opened as a large one; it stays up to twice that. */
#define WIDE_TABLE  64

/* A window on its way into memory. */
struct window {
	struct image_build *build;
	const struct image_space *space;
	struct prefix_key key;
	unsigned depth;
	unsigned bits;
	__u32 entry; /* bitmap, direct */
	bool failed; /* not enough memory for the window itself */
	/* bitmap: the group that is being filled */
	__u64 *descriptor;
	__u32 group;
	__u32 bitmap;
	unsigned count;
	__u32 run[GROUP_SLOTS];
};

static struct prefix_key slot_key(const struct window *window, __u32 slot)
{
	return prefix_key_place(window->key, window->depth, window->bits, slot);
}

static bool sweep_window(struct window *window, const struct prefix_cover *cover,
			 bool (*segment)(void *arg, const struct image_segment *segment))
{
	struct image_sweep sweep = { .tree = window->space->tree,
				     .depth = window->depth,
				     .bits = window->bits,
				     .segment = segment,
				     .arg = window };

	return image_sweep(&sweep, &window->key, window->depth, cover);
}

/* --- which kind of node --- */

struct shape {
	enum node_kind kind;
	unsigned bits;
};

static __u32 prefixes(const struct image_space *space)
{
	return space->tree->count[PREFIX_ROUTE] + space->tree->count[PREFIX_SHADOW];
}

/* The nodes of large tables that do not depend on what is in them. */
static bool fixed_shape(const struct image_space *space, unsigned depth, struct shape *ret)
{
	if (!space->large)
		return false;
	if (space->tree->width == 32)
		*ret = (struct shape){ NODE_BITMAP, depth ? 8 : ROOT4_BITS };
	else if (depth == 0)
		*ret = (struct shape){ NODE_DIRECT, ROOT6_BITS };
	else if (depth == ROOT6_BITS)
		*ret = (struct shape){ NODE_BITMAP, SECOND6_BITS };
	else
		return false;
	return true;
}

/* A table of a few prefixes that may have wide nodes for all, because there is room. */
static bool is_luxury(const struct image_build *build, const struct image_space *space, __u32 most)
{
	struct image_memory_usage usage;

	if (!space->large || prefixes(space) > most)
		return false;
	image_memory_usage(build->memory, ARRAY_NODE, &usage);
	return usage.free > usage.total / 2;
}

static struct shape shape_of(const struct image_build *build, const struct image_space *space, unsigned depth,
			     __u32 weight)
{
	unsigned left = space->tree->width - depth;
	struct shape shape;

	if (fixed_shape(space, depth, &shape))
		return shape;
	if (left >= 16 && (weight >= WIDE_WEIGHT || is_luxury(build, space, WIDE_TABLE)))
		return (struct shape){ NODE_BITMAP, 16 };
	return (struct shape){ NODE_BITMAP, 8 };
}

/* --- groups of a bitmap --- */

/* A descriptor for the group's runs, which are written; or all of it punts, for want of room. */
static __u64 group_descriptor(struct window *window)
{
	struct image_build *build = window->build;
	bool leaves = image_runs_short(window->entry, window->run, window->count);
	__u32 place = image_memory_take(build->memory, ARRAY_RUN, image_run_cells(window->count, leaves));
	struct prefix_key key;
	__u64 descriptor;

	if (place != MEMORY_NONE) {
		descriptor = image_descriptor_at(place, window->bitmap, leaves);
		image_runs_store(build->store, descriptor, window->run, window->count);
		return descriptor;
	}
	for (unsigned i = 0; i < window->count; i++)
		image_build_discard(build, window->run[i]);
	key = slot_key(window, window->group * GROUP_SLOTS);
	return image_descriptor_of_leaf(window->entry, image_build_full(build, window->space, &key,
									window->depth + window->bits - 5));
}

static void close_group(struct window *window)
{
	window->descriptor[window->group++] =
		window->bitmap ? group_descriptor(window)
			       : image_descriptor_of_leaf(window->entry, window->run[0]);
	window->bitmap = 0;
	window->count = 0;
}

static bool bitmap_segment(void *arg, const struct image_segment *segment)
{
	struct window *window = arg;
	struct prefix_key key = slot_key(window, segment->first);
	__u32 entry =
		image_build_slot(window->build, window->space, key, window->depth + window->bits, segment);
	__u32 slot = segment->first, last = segment->last;

	if (slot % GROUP_SLOTS) {
		if (window->run[window->count - 1] != entry) {
			window->bitmap |= 1u << slot % GROUP_SLOTS;
			window->run[window->count++] = entry;
		}
		slot = slot / GROUP_SLOTS * GROUP_SLOTS + GROUP_SLOTS;
		if (slot > last + 1)
			return true;
		close_group(window);
	}
	for (; slot + GROUP_SLOTS <= last + 1; slot += GROUP_SLOTS)
		window->descriptor[window->group++] = image_descriptor_of_leaf(window->entry, entry);
	if (slot <= last) {
		window->run[0] = entry;
		window->count = 1;
	}
	return true;
}

/* A bitmap of one chunk that turned out to have one answer. */
static bool uniform_chunk(const __u64 *descriptor)
{
	for (unsigned i = 0; i < NODE_CHUNK_WORDS; i++)
		if (image_descriptor_bitmap(descriptor[i]) || descriptor[i] != descriptor[0])
			return false;
	return true;
}

static __u32 build_bitmap(struct window *window, const struct prefix_cover *cover, __u32 weight)
{
	struct image_build *build = window->build;
	__u32 units = image_node_units(entry_node(NODE_BITMAP, window->bits, 0));
	__u32 chunk = image_memory_take(build->memory, ARRAY_NODE, units);
	struct shape shape;

	if (chunk == MEMORY_NONE && units > 1 && !fixed_shape(window->space, window->depth, &shape)) {
		window->bits = 8;
		units = 1;
		chunk = image_memory_take(build->memory, ARRAY_NODE, units);
	}
	if (chunk == MEMORY_NONE)
		return image_build_full(build, window->space, &window->key, window->depth);
	window->entry = entry_node(NODE_BITMAP, window->bits, chunk);
	window->descriptor = image_node_descriptor(build->store, window->entry, 0);
	sweep_window(window, cover, bitmap_segment);
	if (image_node_summed(window->entry))
		image_summary_follow(build->store, window->entry, 0, 0);
	if (units == 1 && uniform_chunk(window->descriptor)) {
		__u32 leaf = image_descriptor_leaf(window->descriptor[0]);

		image_memory_give(build->memory, ARRAY_NODE, chunk, units);
		return leaf;
	}
	*image_build_weight(build, window->entry) = weight;
	return window->entry;
}

/* --- direct nodes --- */

static bool direct_segment(void *arg, const struct image_segment *segment)
{
	struct window *window = arg;
	struct prefix_key key = slot_key(window, segment->first);
	__u32 entry =
		image_build_slot(window->build, window->space, key, window->depth + window->bits, segment);

	for (__u32 slot = segment->first; slot <= segment->last; slot++)
		*image_node_cell(window->build->store, window->entry, slot) = entry;
	return true;
}

static __u32 build_direct(struct window *window, const struct prefix_cover *cover, __u32 weight)
{
	struct image_build *build = window->build;
	__u32 cell = image_memory_take(build->memory, ARRAY_RUN, 1u << window->bits);

	if (cell == MEMORY_NONE)
		return image_build_full(build, window->space, &window->key, window->depth);
	window->entry = entry_node(NODE_DIRECT, window->bits, cell / RUN_CHUNK_CELLS);
	sweep_window(window, cover, direct_segment);
	*image_build_weight(build, window->entry) = weight;
	return window->entry;
}

/* --- taking apart --- */

typedef void (*release_fn)(struct image_memory *memory, enum image_array array, __u32 index, __u32 units);

static void release(struct image_build *build, __u32 entry, release_fn give);

static void release_group(struct image_build *build, __u64 descriptor, release_fn give)
{
	__u32 runs = image_descriptor_short(descriptor) ? 0 : image_descriptor_runs(descriptor);
	__u32 cells = image_descriptor_cells(descriptor);

	for (__u32 i = 0; i < runs; i++)
		release(build, image_run(build->store, descriptor, i), give);
	if (cells)
		give(build->memory, ARRAY_RUN, image_descriptor_place(descriptor), cells);
}

static void release_slots(struct image_build *build, __u32 entry, __u32 slot, __u32 past, release_fn give)
{
	if (entry_kind(entry) == NODE_DIRECT) {
		for (; slot < past; slot++)
			release(build, *image_node_cell(build->store, entry, slot), give);
	} else {
		for (; slot < past; slot += GROUP_SLOTS)
			release_group(build, *image_node_descriptor(build->store, entry, slot / GROUP_SLOTS),
				      give);
	}
}

static void release_node(struct image_build *build, __u32 entry, release_fn give)
{
	if (entry_kind(entry) == NODE_DIRECT)
		give(build->memory, ARRAY_RUN, entry_chunk(entry) * RUN_CHUNK_CELLS, image_node_units(entry));
	else
		give(build->memory, ARRAY_NODE, entry_chunk(entry), image_node_units(entry));
}

static void release(struct image_build *build, __u32 entry, release_fn give)
{
	if (!(entry & ENTRY_NODE))
		return;
	release_slots(build, entry, 0, 1u << entry_bits(entry), give);
	release_node(build, entry, give);
}

/* Whether there is room for a large root, and as much again for what goes below it. */
static bool root_fits(const struct image_build *build, bool ipv4)
{
	__u32 root = ipv4 ? entry_node(NODE_BITMAP, ROOT4_BITS, 0) : entry_node(NODE_DIRECT, ROOT6_BITS, 0);
	enum image_array array = ipv4 ? ARRAY_NODE : ARRAY_RUN;
	__u32 units = image_node_units(root), place;
	struct image_memory_usage usage;

	image_memory_usage(build->memory, array, &usage);
	if (usage.free < 2 * units)
		return false;
	place = image_memory_take(build->memory, array, units);
	if (place == MEMORY_NONE)
		return false;
	image_memory_give(build->memory, array, place, units);
	return true;
}

/* --- public --- */

int image_build_new(struct image_store *store, struct image_memory *memory, struct image_build **ret)
{
	struct image_build *build = calloc(1, sizeof(*build));

	if (!build)
		return -ENOMEM;
	build->store = store;
	build->memory = memory;
	build->weight[ARRAY_NODE] = calloc(store->node_chunks, sizeof(__u32));
	build->weight[ARRAY_RUN] = calloc(store->run_cells / RUN_CHUNK_CELLS, sizeof(__u32));
	if (!build->weight[ARRAY_NODE] || !build->weight[ARRAY_RUN]) {
		image_build_free(build);
		return -ENOMEM;
	}
	*ret = build;
	return 0;
}

void image_build_free(struct image_build *build)
{
	if (!build)
		return;
	for (int i = 0; i < IMAGE_ARRAYS; i++)
		free(build->weight[i]);
	free(build);
}

__u32 *image_build_weight(const struct image_build *build, __u32 entry)
{
	return &build->weight[entry_kind(entry) == NODE_DIRECT ? ARRAY_RUN : ARRAY_NODE][entry_chunk(entry)];
}

__u32 image_build_full(struct image_build *build, const struct image_space *space,
		       const struct prefix_key *key, unsigned length)
{
	build->fulls++;
	if (!build->trial)
		build->full(build->arg, space, key, length);
	return REASON_TABLE_FULL;
}

bool image_build_large(const struct image_build *build, const struct image_space *space)
{
	__u32 count = prefixes(space);
	bool ipv4 = space->tree->width == 32;

	if (space->large)
		return space->always_large || count >= (ipv4 ? LARGE_IPV4_BELOW : LARGE_IPV6_BELOW);
	return (space->always_large || count > (ipv4 ? LARGE_IPV4 : LARGE_IPV6)) && root_fits(build, ipv4);
}

bool image_build_suits(const struct image_build *build, const struct image_space *space, __u32 entry,
		       unsigned depth)
{
	__u32 weight = *image_build_weight(build, entry);
	struct shape shape;

	if (fixed_shape(space, depth, &shape))
		return true;
	if (entry_bits(entry) == 16)
		return weight >= WIDE_WEIGHT / 2 || is_luxury(build, space, 2 * WIDE_TABLE);
	return weight < 2 * WIDE_WEIGHT || space->tree->width - depth < 16;
}

__u32 image_build_window(struct image_build *build, const struct image_space *space, struct prefix_key key,
			 unsigned depth, const struct prefix_cover *cover)
{
	struct window window = { .build = build, .space = space, .key = key, .depth = depth };
	__u32 answer = prefix_tree_answer(space->tree, cover, depth), weight;
	struct shape shape;

	if ((depth || !space->large) && !prefix_tree_differs(space->tree, cover, depth, answer))
		return answer;
	weight = prefix_tree_values(space->tree, cover->node, depth);
	shape = shape_of(build, space, depth, weight);
	window.bits = shape.bits;
	if (shape.kind == NODE_DIRECT)
		return build_direct(&window, cover, weight);
	return build_bitmap(&window, cover, weight);
}

__u32 image_build_slot(struct image_build *build, const struct image_space *space, struct prefix_key key,
		       unsigned depth, const struct image_segment *segment)
{
	if (segment->inner.node == PREFIX_NONE)
		return segment->leaf;
	return image_build_window(build, space, key, depth, &segment->inner);
}

void image_build_discard(struct image_build *build, __u32 entry)
{
	release(build, entry, image_memory_give);
}

void image_build_retire(struct image_build *build, __u32 entry)
{
	release(build, entry, image_memory_retire);
}

bool image_build_retire_some(struct image_build *build, __u32 entry, __u32 *slot, __u32 limit)
{
	__u32 slots = 1u << entry_bits(entry);
	__u32 past = slots - *slot > limit ? *slot + limit : slots;

	release_slots(build, entry, *slot, past, image_memory_retire);
	*slot = past;
	if (past < slots)
		return false;
	release_node(build, entry, image_memory_retire);
	return true;
}
