// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

// Draws ranks 0 .. count-1 with a chance of 1/(rank+1), the zipf(1.0) distribution: how flows share
// destinations and how routes share next hops.
struct zipf;

// Returns a distribution over count ranks (at least 1), or NULL without memory.
struct zipf *zipf_new(__u32 count);

// Frees the distribution; NULL is fine.
void zipf_free(struct zipf *zipf);

// Returns the rank that 64 random bits stand for.
__u32 zipf_rank(const struct zipf *zipf, __u64 bits);
