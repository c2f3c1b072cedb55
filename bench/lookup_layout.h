// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

// What the lookup programs and the bench agree on.

// Addresses of a trace; a run goes round and round over them. Enough that what a large table reads for them
// does not stay in the caches until they come again.
#define LOOKUP_ADDRESSES  (1u << 20)
// Lookups in one run of a program.
#define LOOKUP_BATCH      512
// Of them, in one call of a function.
#define LOOKUP_STRIDE     16
// Groups of 256 entries for what is longer than /24 in DIR-24-8.
#define LOOKUP_DIR_GROUPS (1u << 14)
#define LOOKUP_DIR_GROUP  0x80000000u
// Prefixes that an LPM_TRIE may hold.
#define LOOKUP_PREFIXES   (1u << 22)

struct lookup_key4 {
	__u32 length;
	__u8 address[4];
};

struct lookup_key6 {
	__u32 length;
	__u8 address[16];
};

struct lookup_dir {
	__u32 first[1u << 24];
	__u32 group[LOOKUP_DIR_GROUPS * 256];
};

struct lookup_trace {
	__u8 bytes[LOOKUP_ADDRESSES * 16];
};

struct lookup_results {
	__u32 result[LOOKUP_ADDRESSES];
};
