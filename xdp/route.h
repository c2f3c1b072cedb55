// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Longest prefix match in the image (see image.h for the format). One search for both families: the width of
 * the address, 32 or 128, is a constant parameter, and the address is a shift register from whose top each
 * node takes its bits.
 *
 * A large IPv4 table takes one read where all of a /16 has one answer, else two dependent reads for any
 * prefix up to /24 (a descriptor of the root and a leaf), two more for longer ones. A large IPv6 table takes
 * three for any prefix up to /32, and two or four more up to /48. The first steps of large tables have
 * constant strides and are predicted well; the loop does the rest.
 */
#pragma once

#include "xdp/image.h"
#include "xdp/target.h"

/* Each step takes at least 8 bits. */
#define ROUTE_STEPS(width) ((width) / 8)

static __always_inline struct route_key route_key4(__be32 address)
{
	struct route_key key = { .high = (__u64)__builtin_bswap32(address) << 32 };

	return key;
}

/* The two halves as they stand in the packet. */
static __always_inline struct route_key route_key6(__be64 high, __be64 low)
{
	struct route_key key = { .high = __builtin_bswap64(high), .low = __builtin_bswap64(low) };

	return key;
}

/* Number of ones. eBPF has no instruction for it; compilers for CPUs that have one recognise this. */
static __always_inline __u32 route_ones(__u32 x)
{
	x -= x >> 1 & 0x55555555;
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f;
	return x * 0x01010101 >> 24;
}

/* Where in run[] the slot's entry is. */
static __always_inline __u32 route_direct_cell(__u32 entry, __u64 slot)
{
	return entry_chunk(entry) * RUN_CHUNK_CELLS + (__u32)slot;
}

static __always_inline __u32 route_bitmap_cell(const struct target *t, __u32 entry, __u64 slot)
{
	__u64 descriptor = target_node(t, entry_chunk(entry) * NODE_CHUNK_WORDS + (__u32)(slot >> 5));

	return (__u32)(descriptor >> 32) + route_ones((__u32)descriptor << (31 - (slot & 31)));
}

static __always_inline __u32 route_bitmap(const struct target *t, __u32 entry, __u64 slot)
{
	return target_run(t, route_bitmap_cell(t, entry, slot));
}

/* What the summary of the root of a large IPv4 table says. */
static __always_inline __u32 route_summary(const struct target *t, __u32 entry, __u64 slot)
{
	__u32 word = entry_chunk(entry) * NODE_CHUNK_WORDS + ROOT4_WORDS + (__u32)(slot >> 2);

	return target_node(t, word) >> (slot & 3) * 16 & 0xffff;
}

/* A bitmap's entry in that root, where most groups hold u16 leaves. */
static __always_inline __u32 route_root4(const struct target *t, __u32 entry, __u64 slot)
{
	__u32 index = route_bitmap_cell(t, entry, slot);

	return likely(index & DESCRIPTOR_LEAVES) ? target_leaf(t, index) : target_run(t, index);
}

static __always_inline struct route_key route_key_shift(struct route_key key, __u32 bits, const int width)
{
	key.high <<= bits;
	if (width > 32) {
		key.high |= key.low >> (64 - bits);
		key.low <<= bits;
	}
	return key;
}

/* What a root of that kind looks like, whatever its chunk. */
static __always_inline bool route_is(__u32 entry, enum node_kind kind, __u32 bits)
{
	return (entry & ~ENTRY_CHUNK_MASK) == entry_node(kind, bits, 0);
}

/* The leaf for an address, searched from a VRF's root entry; 0: use the VRF's fallback. */
static __always_inline __u32 route_find(const struct target *t, __u32 entry, struct route_key key,
					const int width)
{
	if (width == 32 && likely(route_is(entry, NODE_BITMAP, ROOT4_BITS))) {
		__u32 leaf = route_summary(t, entry, key.high >> (64 - SUMMARY_BITS));

		/* The next read does not wait for this one, if the CPU guesses right. */
		if (leaf != SUMMARY_NONE)
			return leaf;
		entry = route_root4(t, entry, key.high >> (64 - ROOT4_BITS));
		key = route_key_shift(key, ROOT4_BITS, width);
	}
	if (width > 32 && likely(route_is(entry, NODE_DIRECT, ROOT6_BITS))) {
		entry = target_run(t, route_direct_cell(entry, key.high >> (64 - ROOT6_BITS)));
		key = route_key_shift(key, ROOT6_BITS, width);
		if (!(entry & ENTRY_NODE))
			return entry;
		entry = route_bitmap(t, entry, key.high >> (64 - SECOND6_BITS));
		key = route_key_shift(key, SECOND6_BITS, width);
	}
	for (int i = 0; i < ROUTE_STEPS(width); i++) {
		__u32 bits = entry_bits(entry);

		if (!(entry & ENTRY_NODE))
			return entry;
		entry = route_bitmap(t, entry, key.high >> (64 - bits));
		key = route_key_shift(key, bits, width);
	}
	return entry & ENTRY_NODE ? REASON_NO_ROUTE : entry;
}

/*
 * The leaf for an address in a VRF; family is 0 or 1 as in struct image_vrf, width is 32 or 128.
 *
 * The search and the fallback are two reads; if the fallback changed in between, what it says may never have
 * been the answer for this address. Then the kernel decides.
 */
static __always_inline __u32 route_leaf(const struct target *t, const struct image_vrf *vrf, const int family,
					struct route_key key, const int width)
{
	__u32 fallback = *(const volatile __u32 *)&vrf->fallback[family];
	__u32 root = *(const volatile __u32 *)&vrf->root[family];
	__u32 leaf = route_find(t, root, key, width);

	if (leaf)
		return leaf;
	return likely(fallback == *(const volatile __u32 *)&vrf->fallback[family]) ? fallback
										   : REASON_NO_ROUTE;
}
