// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "host/fib/image_store.h"

// The image in user space, searched one address at a time by the program's own search (xdp/route.h).
// Addresses are in host order, results are leaves.

// Looks up count addresses; they do not wait for each other.
void image_search4(const struct image_store *store, const struct image_vrf *vrf, const __u32 *address,
		   unsigned int count, __u32 *ret_leaf);
void image_search6(const struct image_store *store, const struct image_vrf *vrf,
		   const struct route_key *address, unsigned int count, __u32 *ret_leaf);

// Does the same, but each address is changed by the result before (`last` in the beginning) and `nothing`,
// which must be 0: so each lookup waits for the one before.
void image_search_chain4(const struct image_store *store, const struct image_vrf *vrf, const __u32 *address,
			 unsigned int count, __u32 nothing, __u32 last, __u32 *ret_leaf);
void image_search_chain6(const struct image_store *store, const struct image_vrf *vrf,
			 const struct route_key *address, unsigned int count, __u32 nothing, __u32 last,
			 __u32 *ret_leaf);
