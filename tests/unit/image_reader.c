// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "tests/unit/image_reader.h"

#define TARGET_HAS_CLOCK 0

struct target {
	const struct image_store *store;
	__u32 node_mask, run_mask;
};

static inline __u64 target_node(const struct target *t, __u32 index)
{
	return __atomic_load_n(&t->store->node[index & t->node_mask], __ATOMIC_RELAXED);
}

static inline __u32 target_run(const struct target *t, __u32 index)
{
	return __atomic_load_n(&t->store->run[index & t->run_mask], __ATOMIC_RELAXED);
}

static inline __u16 target_leaf(const struct target *t, __u32 index)
{
	return __atomic_load_n(&((__u16 *)t->store->run)[index & (2 * t->run_mask + 1)], __ATOMIC_RELAXED);
}

#include "xdp/route.h"

struct route_key image_reader_key(enum image_family family, const __u8 *address)
{
	__be64 half[2];
	__be32 word;

	if (family == IMAGE_IPV4) {
		memcpy(&word, address, 4);
		return route_key4(word);
	}
	memcpy(half, address, 16);
	return route_key6(half[0], half[1]);
}

__u16 image_reader_leaf(const struct image_store *store, __u16 vrf, enum image_family family,
			const __u8 *address)
{
	struct target target = { .store = store,
				 .node_mask = store->node_chunks * NODE_CHUNK_WORDS - 1,
				 .run_mask = store->run_cells - 1 };
	const struct image_vrf *image = &store->tables->vrf[vrf];
	struct route_key key = image_reader_key(family, address);

	if (family == IMAGE_IPV4)
		return route_leaf(&target, image, IMAGE_IPV4, key, 32);
	return route_leaf(&target, image, IMAGE_IPV6, key, 128);
}
