// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_node.h"

static __u16 *leaves_of(const struct image_store *store, __u64 descriptor)
{
	return (__u16 *)store->run + (image_descriptor_base(descriptor) & ~DESCRIPTOR_LEAVES);
}

bool image_runs_short(__u32 node, const __u32 *run, unsigned count)
{
	if (entry_bits(node) != ROOT4_BITS)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (run[i] & ENTRY_NODE)
			return false;
	return true;
}

__u32 image_run(const struct image_store *store, __u64 descriptor, unsigned index)
{
	if (image_descriptor_short(descriptor))
		return leaves_of(store, descriptor)[index];
	return store->run[image_descriptor_base(descriptor) + index];
}

void image_runs_store(const struct image_store *store, __u64 descriptor, const __u32 *run, unsigned count)
{
	__u32 *cell = &store->run[image_descriptor_base(descriptor)];
	__u16 *leaf = leaves_of(store, descriptor);
	bool leaves = image_descriptor_short(descriptor);

	for (unsigned i = 0; i < count; i++) {
		if (!leaves)
			image_store_cell(&cell[i], run[i]);
		else if (leaf[i] != run[i])
			__atomic_store_n(&leaf[i], (__u16)run[i], __ATOMIC_RELEASE);
	}
}

static void read_leaves(const __u16 *leaf, __u32 bitmap, struct image_group *ret)
{
	for (unsigned slot = 0; slot < GROUP_SLOTS; slot++) {
		leaf += bitmap >> slot & 1;
		ret->entry[slot] = *leaf;
	}
}

static void read_entries(const __u32 *run, __u32 bitmap, struct image_group *ret)
{
	for (unsigned slot = 0; slot < GROUP_SLOTS; slot++) {
		run += bitmap >> slot & 1;
		ret->entry[slot] = *run;
	}
}

void image_group_read(const struct image_store *store, __u64 descriptor, struct image_group *ret)
{
	__u32 bitmap = image_descriptor_bitmap(descriptor);

	if (image_descriptor_short(descriptor))
		read_leaves(leaves_of(store, descriptor), bitmap, ret);
	else
		read_entries(&store->run[image_descriptor_base(descriptor)], bitmap, ret);
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

	return image_run(store, descriptor, __builtin_popcount(upto));
}

__u32 image_node_entry(const struct image_store *store, __u32 entry, __u32 slot)
{
	if (entry_kind(entry) == NODE_DIRECT)
		return *image_node_cell(store, entry, slot);
	return bitmap_entry(store, entry, slot);
}

__u32 image_node_units(__u32 entry)
{
	__u32 summary = image_node_summed(entry) ? (1u << SUMMARY_BITS) / 4 / NODE_CHUNK_WORDS : 0;

	return (1u << (entry_kind(entry) == NODE_DIRECT ? entry_bits(entry) : entry_bits(entry) - 8)) +
	       summary;
}

static __u16 *summary_of(const struct image_store *store, __u32 node)
{
	return (__u16 *)(image_node_descriptor(store, node, 0) + ROOT4_WORDS);
}

static __u16 sum_up(const struct image_store *store, __u32 node, __u32 slot)
{
	const unsigned groups = 1u << (ROOT4_BITS - SUMMARY_BITS - 5);
	const __u64 *descriptor = image_node_descriptor(store, node, slot * groups);

	for (unsigned i = 0; i < groups; i++)
		if (image_descriptor_bitmap(descriptor[i]) || descriptor[i] != descriptor[0])
			return SUMMARY_NONE;
	return image_descriptor_leaf(descriptor[0]);
}

void image_summary_follow(const struct image_store *store, __u32 node, __u32 key, unsigned length)
{
	__u32 first = key >> (32 - SUMMARY_BITS), last = first;
	__u16 *summary = summary_of(store, node);

	if (length < SUMMARY_BITS)
		last += (1u << (SUMMARY_BITS - length)) - 1;
	for (__u32 slot = first; slot <= last; slot++) {
		__u16 leaf = sum_up(store, node, slot);

		if (summary[slot] != leaf)
			__atomic_store_n(&summary[slot], leaf, __ATOMIC_RELEASE);
	}
}

__u32 image_summary(const struct image_store *store, __u32 node, __u32 key)
{
	return summary_of(store, node)[key >> (32 - SUMMARY_BITS)];
}

void image_summary_prefetch(const struct image_store *store, __u32 node, __u32 key)
{
	__builtin_prefetch(&summary_of(store, node)[key >> (32 - SUMMARY_BITS)]);
}
