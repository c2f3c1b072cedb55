// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/image_search.h"

#include "host/engine/target_user.h"
#include "xdp/route.h"

static __u32 image_search_one4(const struct target *target, const struct image_vrf *vrf, __u32 address)
{
	struct route_key key = { .high = (__u64)address << 32 };

	return route_leaf(target, vrf, 0, key, 32);
}

void image_search4(const struct image_store *store, const struct image_vrf *vrf, const __u32 *address,
		   unsigned int count, __u32 *ret_leaf)
{
	struct target target;

	target_init(&target, store);
	for (unsigned int i = 0; i < count; i++)
		ret_leaf[i] = image_search_one4(&target, vrf, address[i]);
}

void image_search6(const struct image_store *store, const struct image_vrf *vrf,
		   const struct route_key *address, unsigned int count, __u32 *ret_leaf)
{
	struct target target;

	target_init(&target, store);
	for (unsigned int i = 0; i < count; i++)
		ret_leaf[i] = route_leaf(&target, vrf, 1, address[i], 128);
}

void image_search_chain4(const struct image_store *store, const struct image_vrf *vrf, const __u32 *address,
			 unsigned int count, __u32 nothing, __u32 last, __u32 *ret_leaf)
{
	struct target target;

	target_init(&target, store);
	for (unsigned int i = 0; i < count; i++)
		ret_leaf[i] = last = image_search_one4(&target, vrf, address[i] ^ (last & nothing));
}

void image_search_chain6(const struct image_store *store, const struct image_vrf *vrf,
			 const struct route_key *address, unsigned int count, __u32 nothing, __u32 last,
			 __u32 *ret_leaf)
{
	struct target target;

	target_init(&target, store);
	for (unsigned int i = 0; i < count; i++) {
		struct route_key key = address[i];

		key.high ^= (__u64)(last & nothing) << 32;
		ret_leaf[i] = last = route_leaf(&target, vrf, 1, key, 128);
	}
}
