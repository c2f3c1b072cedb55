// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_node.h"

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

static __u32 bitmap_entry(const struct image_store *store, __u32 entry, __u32 slot)
{
	__u64 descriptor = *image_node_descriptor(store, entry, slot / GROUP_SLOTS);
	__u32 upto = image_descriptor_bitmap(descriptor) << (31 - slot % GROUP_SLOTS);

	return store->run[image_descriptor_base(descriptor) + __builtin_popcount(upto)];
}

__u32 image_node_entry(const struct image_store *store, __u32 entry, __u32 slot)
{
	if (entry_kind(entry) == NODE_DIRECT)
		return *image_node_cell(store, entry, slot);
	return bitmap_entry(store, entry, slot);
}

__u32 image_node_units(__u32 entry)
{
	return 1u << (entry_kind(entry) == NODE_DIRECT ? entry_bits(entry) : entry_bits(entry) - 8);
}
