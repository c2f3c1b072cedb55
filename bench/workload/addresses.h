// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// Endless streams of destination addresses over a table, repeatable from a seed.

enum addresses_kind {
	ADDRESSES_SPACE,      // each covered address with the same chance; IPv4 only
	ADDRESSES_PREFIXES,   // each prefix with the same chance, the bits behind it random
	ADDRESSES_ZIPF,       // zipf(1.0) over a fixed set of destinations that are random over the prefixes
	ADDRESSES_REPEATED,   // each of PREFIXES (IPv4: SPACE) 16 times, one after the other
	ADDRESSES_SEQUENTIAL, // prefix after prefix in the order of the table, the bits behind it random
};

#define ADDRESSES_REPEATS 16

struct addresses_options {
	enum addresses_kind kind;
	__u8 family;
	__u32 destinations; // of ADDRESSES_ZIPF, at least 1
	__u64 seed;
};

struct addresses;

// Sets ret_addresses to a stream over the routes of one family of a sorted table, which must live as long and
// not change. -ENOENT: no routes of this family; -EINVAL: no such kind, SPACE for IPv6, or no destinations;
// -ENOMEM.
int addresses_new(const struct table *table, const struct addresses_options *options,
		  struct addresses **ret_addresses);

// Frees the stream; NULL is fine.
void addresses_free(struct addresses *addresses);

// Writes the next count addresses, packed, 4 or 16 bytes each in network order. All are covered by a route of
// the table.
void addresses_fill(struct addresses *addresses, void *to, size_t count);
