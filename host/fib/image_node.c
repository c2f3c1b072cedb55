// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_node.h"

#define LANE_SHIFT(lane) (21 * (lane))
#define LANE_UNUSED      ((1u << LINE_BITS) - 1)

void image_group_read(const struct image_store *store, __u64 descriptor, struct image_group *ret)
{
	__u32 bitmap = image_descriptor_bitmap(descriptor);
	const __u32 *run = &store->run[image_descriptor_base(descriptor)];

	for (unsigned slot = 0; slot < GROUP_SLOTS; slot++) {
		run += bitmap & 1;
		bitmap >>= 1;
		ret->entry[slot] = *run;
	}
}

unsigned image_group_runs(const struct image_group *group, __u32 run[GROUP_SLOTS], __u32 *ret_bitmap)
{
	__u32 bitmap = 0;
	unsigned count = 1;

	run[0] = group->entry[0];
	for (unsigned slot = 1; slot < GROUP_SLOTS; slot++) {
		__u32 starts = group->entry[slot] != group->entry[slot - 1];

		bitmap |= starts << slot;
		if (starts)
			run[count++] = group->entry[slot];
	}
	*ret_bitmap = bitmap;
	return count;
}

void image_line_read(const struct image_line *line, struct image_runs *ret)
{
	ret->count = 1;
	ret->start[0] = 0;
	ret->entry[0] = line->entry[0];
	for (unsigned i = 0; i < LINE_STARTS; i++) {
		__u32 start = line->start[i / 3] >> LANE_SHIFT(i % 3) & LANE_UNUSED;

		/* An unused lane looks like a start at the last slot, with the entry of the run before. */
		if (start == LANE_UNUSED && line->entry[i + 1] == line->entry[i])
			return;
		ret->start[ret->count] = start;
		ret->entry[ret->count++] = line->entry[i + 1];
	}
}

void image_line_write(const struct image_runs *runs, struct image_line *ret)
{
	for (unsigned i = 0; i < 3; i++)
		ret->start[i] = 0;
	for (unsigned i = 0; i < LINE_STARTS; i++) {
		__u64 start = i + 1 < runs->count ? runs->start[i + 1] : LANE_UNUSED;

		ret->start[i / 3] |= start << LANE_SHIFT(i % 3);
	}
	for (unsigned i = 0; i <= LINE_STARTS; i++)
		ret->entry[i] = runs->entry[i < runs->count ? i : runs->count - 1];
}

void image_line_store(struct image_line *line, const struct image_runs *runs)
{
	struct image_line new;

	image_line_write(runs, &new);
	for (unsigned i = 0; i <= LINE_STARTS; i++)
		image_store_cell(&line->entry[i], new.entry[i]);
}

static __u32 line_entry(const struct image_line *line, __u32 slot)
{
	struct image_runs runs;
	unsigned i;

	image_line_read(line, &runs);
	for (i = runs.count - 1; runs.start[i] > slot; i--)
		;
	return runs.entry[i];
}

static __u32 bitmap_entry(const struct image_store *store, __u32 entry, __u32 slot)
{
	__u64 descriptor = *image_node_descriptor(store, entry, slot / GROUP_SLOTS);
	__u32 upto = image_descriptor_bitmap(descriptor) << (31 - slot % GROUP_SLOTS);

	return store->run[image_descriptor_base(descriptor) + __builtin_popcount(upto)];
}

__u32 image_node_entry(const struct image_store *store, __u32 entry, __u32 slot)
{
	switch (entry_kind(entry)) {
	case NODE_DIRECT:
		return *image_node_cell(store, entry, slot);
	case NODE_LINE:
		return line_entry(image_node_line(store, entry), slot);
	default:
		return bitmap_entry(store, entry, slot);
	}
}

__u32 image_node_units(__u32 entry)
{
	switch (entry_kind(entry)) {
	case NODE_DIRECT:
		return 1u << entry_bits(entry);
	case NODE_LINE:
		return 1;
	default:
		return 1u << (entry_bits(entry) - 8);
	}
}
