// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Frames in memory that are replayed over and over, to see how fast the program is without a NIC: each is
 * copied into a buffer, as a NIC would write it there, goes through the burst loop, and is counted instead
 * of sent.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "xdp/image.h"

struct image_store;
struct replay_memory;

#define REPLAY_MEMORY_MOST (1ull << 32) /* bytes */

int replay_memory_new(struct replay_memory **ret);
/* NULL is fine. */
void replay_memory_free(struct replay_memory *memory);
/* Keeps a frame; those of a port stay in order. length: on the wire; the program gets zeros for what is
 * missing. -ENOSPC: REPLAY_MEMORY_MOST; -ENOMEM. */
int replay_memory_add(struct replay_memory *memory, __u16 port, const __u8 *bytes, __u32 captured,
		      __u32 length);

struct replay_speed {
	__u64 packets;
	__u64 cpu_ns; /* of this thread */
	struct image_counters counters[IMAGE_PORTS];
};

/* Goes over all frames so many times, or until *stop (NULL: never). -ENOMEM. */
int replay_memory_run(struct replay_memory *memory, const struct image_store *store, __u64 times,
		      const volatile sig_atomic_t *stop, struct replay_speed *ret);
