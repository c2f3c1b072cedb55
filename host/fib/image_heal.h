// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The parts of the address space that punt for want of room, and when it makes sense to try them again: when
 * there is more room than at the end of the last try, and not at once, as a try costs time.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/image_memory.h"
#include "host/fib/image_queue.h"

/* How much there is in each array. */
struct image_room {
	__u32 used[IMAGE_ARRAYS]; /* units, without what waits for a grace period */
	__u32 held[IMAGE_ARRAYS]; /* units of pages in use: fewer are longer free pieces */
};

struct image_heal {
	struct image_queue punted;
	bool trying;            /* they are being tried again, or what that took is still in limbo */
	__u32 tries;            /* since there was more room than before */
	struct image_room room; /* when the last try had ended: more is a reason for another */
	__u64 spent;            /* nanoseconds of work since then; counted by the caller */
	__u64 rest;             /* not to be tried again before this time; 0: is being tried */
};

/* No parts. -ENOMEM. */
int image_heal_init(struct image_heal *heal);
void image_heal_release(struct image_heal *heal);
/* Whether there is something to be tried again, now or later. */
bool image_heal_wanted(const struct image_heal *heal, const struct image_memory *memory);
/* True: now; the caller takes the parts out and tries them. To be asked when nothing else is under way. */
bool image_heal_due(struct image_heal *heal, const struct image_memory *memory, __u64 time);
