// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/histogram.h"

#include <math.h>

__u64 histogram_value(__u32 bucket)
{
	__u32 shift;

	if (bucket < 2u << HISTOGRAM_BITS)
		return bucket;
	shift = (bucket >> HISTOGRAM_BITS) - 1;
	return (((__u64)(bucket - (shift << HISTOGRAM_BITS)) + 1) << shift) - 1;
}

__u64 histogram_percentile(const __u64 counts[HISTOGRAM_BUCKETS], double part)
{
	__u64 total = 0, wanted, below = 0;

	for (__u32 i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += counts[i];
	wanted = ceil(total * part);
	for (__u32 i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += counts[i];
		if (below && below >= wanted)
			return histogram_value(i);
	}
	return 0;
}
