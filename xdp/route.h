// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Longest prefix match in the image (see image.h for the format). One search for both families: the width of
 * the address, 32 or 128, is a constant parameter, and the address is a shift register from whose top each
 * node takes its bits.
 *
 * A large IPv4 table takes two dependent reads for any prefix up to /24: a descriptor of the 24-bit root and
 * a cell of run[]. Longer ones take two more.
 */
#pragma once

#include "xdp/image.h"
#include "xdp/target.h"

/* Each step takes at least 4 bits, except a last line that ends the address. */
#define ROUTE_STEPS(width) ((width) / 4)

/* The entry of the node where IPv4 tables begin when they are large. */
#define ROUTE_TOP_BITS 24

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

static __always_inline __u32 route_bitmap(const struct target *t, __u32 entry, __u64 slot)
{
	__u64 descriptor = target_node(t, entry_chunk(entry) * NODE_CHUNK_WORDS + (__u32)(slot >> 5));

	return target_run(t, (__u32)(descriptor >> 32) + route_ones((__u32)descriptor << (31 - (slot & 31))));
}

#if TARGET_HAS_LINES
/* Adds up, in three lanes at once, for which starts the slot less the start does not borrow. */
static __always_inline __u32 route_line(const struct target *t, __u32 entry, __u64 slot)
{
	const struct image_line *line = target_line(t, entry_chunk(entry));
	const __u32 *run = line->entry;
	const __u64 borrow = LINE_LANES << LINE_BITS;
	__u64 wide = slot * LINE_LANES | borrow, found;

	found = (wide - line->start[0]) & borrow;
	found += (wide - line->start[1]) & borrow;
	found += (wide - line->start[2]) & borrow;
	found = (found >> LINE_BITS) * LINE_LANES >> 42;
	return run[found & 15];
}
#endif

static __always_inline __u32 route_step(const struct target *t, __u32 entry, __u64 slot)
{
	if (entry_kind(entry) == NODE_DIRECT)
		return target_run(t, entry_chunk(entry) * RUN_CHUNK_CELLS + (__u32)slot);
#if TARGET_HAS_LINES
	if (entry_kind(entry) == NODE_LINE)
		return route_line(t, entry, slot);
#endif
	return route_bitmap(t, entry, slot);
}

/* The leaf for an address, searched from a VRF's root entry; 0: use the VRF's fallback. */
static __always_inline __u32 route_find(const struct target *t, __u32 entry, struct route_key key,
					const int width)
{
	if (width == 32 &&
	    likely((entry & ~ENTRY_CHUNK_MASK) == entry_node(NODE_BITMAP, ROUTE_TOP_BITS, 0))) {
		/* opaque, so that 64-bit work stays off the way of the short search */
		__u32 address = key.high >> 32;

		asm volatile("" : "+r"(address));
		entry = route_bitmap(t, entry, address >> (32 - ROUTE_TOP_BITS));
		if (likely(!(entry & ENTRY_NODE)))
			return entry;
		key.high = (__u64)address << (32 + ROUTE_TOP_BITS);
	}
	for (int i = 0; i < ROUTE_STEPS(width); i++) {
		__u32 bits = entry_bits(entry);

		if (!(entry & ENTRY_NODE))
			return entry;
		entry = route_step(t, entry, key.high >> (64 - bits));
		key.high <<= bits;
		if (width > 32) {
			key.high |= key.low >> (64 - bits);
			key.low <<= bits;
		}
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
	__u32 leaf = route_find(t, *(const volatile __u32 *)&vrf->root[family], key, width);

	if (leaf)
		return leaf;
	return likely(fallback == *(const volatile __u32 *)&vrf->fallback[family]) ? fallback
										   : REASON_NO_ROUTE;
}
