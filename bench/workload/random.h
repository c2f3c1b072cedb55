// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

// xoshiro256**: the one source of chance for workloads and tests. The same seed gives the same sequence on
// every machine.
struct random {
	__u64 state[4];
};

// Starts a sequence; every seed, 0 included, gives a good one.
void random_seed(struct random *r, __u64 seed);

static inline __u64 random_rotate(__u64 value, unsigned int by)
{
	return value << by | value >> (64 - by);
}

// Returns 64 random bits.
static inline __u64 random_next(struct random *r)
{
	__u64 *s = r->state;
	__u64 result = random_rotate(s[1] * 5, 7) * 9;
	__u64 t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = random_rotate(s[3], 45);
	return result;
}

// Returns a number below bound, which is not 0. The bias is below bound / 2^64.
static inline __u64 random_below(struct random *r, __u64 bound)
{
	return (unsigned __int128)random_next(r) * bound >> 64;
}

// Fills bytes with chance.
void random_bytes(struct random *r, void *bytes, unsigned int count);

// Mixes 64 bits into 64 others (splitmix64): a repeatable draw that depends on a key and not on the order of
// draws.
__u64 random_mix(__u64 key);
