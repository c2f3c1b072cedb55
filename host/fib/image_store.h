// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The arrays of the image, as memory the writer can write and readers can read.
 *
 * Two places: plain memory (engines of user space without the kernel, replay, tests), or BPF maps, each an
 * ARRAY of one element with BPF_F_MMAPABLE, which the kernel's program and this process share. An engine
 * hands the fds to its skeleton with bpf_map__reuse_fd() before it loads, and the sizes as constants, so that
 * the verifier sees a power of two to mask with.
 *
 * A new store is all zero, which means: not IMAGE_VERSION, no interface, no route; every packet punts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "xdp/image.h"

struct fib_limits;

struct image_store {
	__u64 *node;
	__u32 *run;
	struct image_tables *tables;
	__u32 node_chunks; /* power of two */
	__u32 run_cells;   /* power of two */
	int node_fd;       /* map fds; -1 in plain memory */
	int run_fd;
	int tables_fd;
};

/* Sizes of the maps' only values in bytes. */
size_t image_store_node_size(const struct image_store *store);
size_t image_store_run_size(const struct image_store *store);

/* limits NULL: the defaults. -EINVAL: a size is not a power of two or out of range. -ENOMEM. */
int image_store_memory(const struct fib_limits *limits, struct image_store **ret);
/* The same in BPF maps. -EPERM: CAP_BPF or the RLIMIT_MEMLOCK of kernels before 5.11 is missing. */
int image_store_maps(const struct fib_limits *limits, struct image_store **ret);
/* Unmaps and closes; maps live on as long as programs or pins hold them. NULL is fine. */
void image_store_free(struct image_store *store);
