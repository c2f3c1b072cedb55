// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Longest prefix match for bursts, in user space: the answers of xdp/route.h, for up to BULK_MOST addresses
 * at a time, so that the waits for memory overlap and vector instructions have something to do.
 *
 * There are several ways, which give the same answers; bulk_init() takes the best one that the CPU has.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/image_store.h"

#define BULK_MOST 64

struct bulk;

/* A way to search; see bulk_lookup4() and bulk_lookup6(). */
struct bulk_search {
	void (*lookup4)(const struct bulk *bulk, const struct image_vrf *vrf, const __u32 *address,
			unsigned count, __u32 *ret_leaf);
	void (*lookup6)(const struct bulk *bulk, const struct image_vrf *vrf, const struct route_key *address,
			unsigned count, __u32 *ret_leaf);
};
extern const struct bulk_search bulk_plain, bulk_avx2, bulk_avx512;

enum bulk_way {
	BULK_PLAIN,  /* any CPU */
	BULK_AVX2,   /* x86-64-v3 */
	BULK_AVX512, /* x86-64-v4 with VPOPCNTDQ */
	BULK_WAYS
};

/* The arrays of an image and how to search them. Read-only: threads may share it. */
struct bulk {
	const __u64 *node;
	const __u32 *run;
	__u32 node_mask; /* u64 words of node[] - 1 */
	__u32 run_mask;  /* cells of run[] - 1 */
	const struct bulk_search *search;
};

const char *bulk_way_name(enum bulk_way way);
/* Whether this build and this CPU have it. */
bool bulk_way_works(enum bulk_way way);

/* The store must outlive it. */
void bulk_init(struct bulk *bulk, const struct image_store *store);
/* The same in a way that works. */
void bulk_init_way(struct bulk *bulk, const struct image_store *store, enum bulk_way way);

/*
 * The leaf of each of count (1..BULK_MOST) addresses, after the fallback; nothing is written behind it. vrf
 * is one of the image's. IPv4 addresses are in host order.
 */
static inline void bulk_lookup4(const struct bulk *bulk, const struct image_vrf *vrf, const __u32 *address,
				unsigned count, __u32 *ret_leaf)
{
	bulk->search->lookup4(bulk, vrf, address, count, ret_leaf);
}

static inline void bulk_lookup6(const struct bulk *bulk, const struct image_vrf *vrf,
				const struct route_key *address, unsigned count, __u32 *ret_leaf)
{
	bulk->search->lookup6(bulk, vrf, address, count, ret_leaf);
}
