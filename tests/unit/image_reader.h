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

/* The same by a program in the kernel, many addresses at a time, over a store in maps. */
struct image_kernel_reader;
struct reader_batch;
int image_kernel_reader_new(const struct image_store *store, struct image_kernel_reader **ret);
void image_kernel_reader_free(struct image_kernel_reader *reader);
/* To be filled before, and read after a run. */
struct reader_batch *image_kernel_reader_batch(struct image_kernel_reader *reader);
int image_kernel_reader_run(struct image_kernel_reader *reader);
/* An address in network order as the batch wants it. */
struct route_key image_reader_key(enum image_family family, const __u8 *address);
