// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A reader of an image in memory: the shipped xdp/route.h with the smallest target there can be.
 */
#pragma once

#include "host/fib/image_store.h"
#include "host/fib/image_update.h"

/* The leaf for an address (network order) after the fallback. */
__u16 image_reader_leaf(const struct image_store *store, __u16 vrf, enum image_family family,
			const __u8 *address);
