// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <assert.h>

#include "host/fib/bulk.h"

static const struct {
	const char *name;
	const struct bulk_search *search;
} ways[BULK_WAYS] = {
	[BULK_PLAIN] = { "plain", &bulk_plain },
#ifdef __x86_64__
	[BULK_AVX2] = { "AVX2", &bulk_avx2 },
	[BULK_AVX512] = { "AVX-512", &bulk_avx512 },
#else
	[BULK_AVX2] = { "AVX2", NULL },
	[BULK_AVX512] = { "AVX-512", NULL },
#endif
};

/* What the compiler was told to use for a way (meson.build), and the operating system saves. */
static bool cpu_has(enum bulk_way way)
{
#ifdef __x86_64__
	if (way == BULK_AVX2)
		return __builtin_cpu_supports("x86-64-v3");
	if (way == BULK_AVX512)
		return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vpopcntdq");
#endif
	return way == BULK_PLAIN;
}

const char *bulk_way_name(enum bulk_way way)
{
	return ways[way].name;
}

bool bulk_way_works(enum bulk_way way)
{
	return ways[way].search && cpu_has(way);
}

void bulk_init_way(struct bulk *bulk, const struct image_store *store, enum bulk_way way)
{
	assert(bulk_way_works(way));
	bulk->node = store->node;
	bulk->run = store->run;
	bulk->node_mask = store->node_chunks * NODE_CHUNK_WORDS - 1;
	bulk->run_mask = store->run_cells - 1;
	bulk->search = ways[way].search;
}

void bulk_init(struct bulk *bulk, const struct image_store *store)
{
	enum bulk_way way = BULK_WAYS - 1;

	while (!bulk_way_works(way))
		way--;
	bulk_init_way(bulk, store, way);
}
