// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

// A histogram of times that loses at most 1 part in 32: as HDR histograms, buckets are linear within each
// power of two. Nanoseconds below 64 have a bucket each; what is longer than HISTOGRAM_MOST counts as that.
//
// The sink in the kernel fills it, so this file is C for eBPF, too.

#define HISTOGRAM_BITS    5
#define HISTOGRAM_MOST    ((1ull << 36) - 1) // 68 s
#define HISTOGRAM_BUCKETS ((36 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

// The number of the highest bit that is set; value is not 0. eBPF has no instruction for it.
static inline __attribute__((always_inline)) __u32 histogram_highest(__u64 value)
{
	__u32 bit = 0;

	for (__u32 step = 32; step; step >>= 1)
		if (value >> step) {
			value >>= step;
			bit += step;
		}
	return bit;
}

static inline __attribute__((always_inline)) __u32 histogram_bucket(__u64 value)
{
	__u32 shift;

	if (value > HISTOGRAM_MOST)
		value = HISTOGRAM_MOST;
	if (value < 2u << HISTOGRAM_BITS)
		return value;
	shift = histogram_highest(value) - HISTOGRAM_BITS;
	return (shift << HISTOGRAM_BITS) + (__u32)(value >> shift);
}

// The largest value that falls into a bucket.
__u64 histogram_value(__u32 bucket);

// The smallest value that at least this part (0 to 1) of all is not above; 0 for an empty histogram.
__u64 histogram_percentile(const __u64 counts[HISTOGRAM_BUCKETS], double part);
