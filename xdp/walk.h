// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Longest prefix match where room for code is scarcer than time: one loop for any bitmap nodes and both
 * families. The address stays where it is, in the packet or elsewhere, as Linux has it; each step takes one
 * to three bytes of it. All cells are entries, there are neither direct nodes, u16 leaves nor a summary.
 */
#pragma once

#include "xdp/image.h"
#include "xdp/target.h"
#include "xdp/words.h"

#define WALK_STEPS 16 /* of a byte each: the longest address */

/* The same as route_ones(), for machines where constants and multiplications are long. */
static __always_inline __u32 walk_ones(__u32 x)
{
	__u32 mask = 0x77777777, half = x;

	asm volatile("" : "+r"(mask)); /* in a register */
	half = half >> 1 & mask;
	x -= half;
	half = half >> 1 & mask;
	x -= half;
	half = half >> 1 & mask;
	x -= half;
	x = (x + (x >> 4)) & 0x0f0f0f0f; /* the ones of each byte */
	x += x >> 16;
	return (x + (x >> 8)) & 0x3f;
}

static __always_inline __u32 walk_cell(const struct target *t, __u32 entry, __u32 slot)
{
	__u32 chunk = entry << 8; /* without what is above it, */
	__u64 descriptor;

	asm("" : "+r"(chunk)); /* by shifts: a mask is long, too */
	descriptor = target_node(t, (chunk >> 5) + (slot >> 5));
	return (__u32)(descriptor >> 32) + walk_ones((__u32)descriptor << (~slot & 31));
}

_Static_assert(ENTRY_CHUNK_MASK << 8 == 0xffffff00 && NODE_CHUNK_WORDS == 8, "the shifts of walk_cell()");

/*
 * The leaf for the address whose bytes begin at `at`; the four before them can be read, too. `entry` is where
 * the search begins; 0: use the VRF's fallback.
 */
static __always_inline __u32 walk_find(const struct target *t, __u32 entry, const void *at)
{
	for (int i = 0; i <= WALK_STEPS; i++) {
		__u32 bits = entry_bits(entry), slot;

		if (!(entry & ENTRY_NODE))
			return entry;
		at += bits / 8;
		if (!target_reads(t, at))
			break;
		slot = swap32(load32(at - 4)) & ((1u << bits) - 1);
		entry = target_run(t, walk_cell(t, entry, slot));
	}
	return REASON_NO_ROUTE;
}
