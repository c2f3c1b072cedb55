// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/zipf.h"

#include <assert.h>
#include <stdlib.h>

// Walker's alias method: each of count equal cells holds its own rank up to a threshold and one other rank
// above it, so that a draw is one multiplication and one read, whatever the count.

struct zipf_cell {
	__u32 threshold; // of 2^32
	__u32 alias;
};

struct zipf {
	__u32 count;
	struct zipf_cell cells[];
};

static struct zipf_cell zipf_cell(double share, __u32 alias)
{
	return (struct zipf_cell){ share < 1 ? (__u32)(share * 0x1p32) : 0xffffffff, alias };
}

// share[i] is count times the chance of rank i and falls with i, so the first ranks have more than a cell and
// give what is over to the last ones. A giver that sinks below one cell is filled up by the next giver.
static void zipf_fill(struct zipf *zipf, double *share)
{
	__u32 giver = 0;

	for (__u32 taker = zipf->count - 1; taker > giver; taker--) {
		zipf->cells[taker] = zipf_cell(share[taker], giver);
		share[giver] -= 1 - share[taker];
		for (; share[giver] < 1 && giver + 1 < taker; giver++) {
			zipf->cells[giver] = zipf_cell(share[giver], giver + 1);
			share[giver + 1] -= 1 - share[giver];
		}
	}
	zipf->cells[giver] = zipf_cell(1, giver);
}

struct zipf *zipf_new(__u32 count)
{
	struct zipf *zipf = malloc(sizeof(*zipf) + count * sizeof(*zipf->cells));
	double *share = calloc(count, sizeof(*share)), sum = 0;

	assert(count);
	if (!zipf || !share) {
		free(share);
		free(zipf);
		return NULL;
	}
	for (__u32 i = 0; i < count; i++)
		sum += 1.0 / (i + 1);
	for (__u32 i = 0; i < count; i++)
		share[i] = count / (sum * (i + 1));
	zipf->count = count;
	zipf_fill(zipf, share);
	free(share);
	return zipf;
}

void zipf_free(struct zipf *zipf)
{
	free(zipf);
}

__u32 zipf_rank(const struct zipf *zipf, __u64 bits)
{
	unsigned __int128 product = (unsigned __int128)bits * zipf->count;
	__u32 cell = product >> 64, rest = (__u64)product >> 32;

	return rest < zipf->cells[cell].threshold ? cell : zipf->cells[cell].alias;
}
