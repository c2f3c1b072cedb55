// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Leaves that no prefix leads to any more, on their way to another meaning: first the changes of the image
 * that may concern them are to be done, then a grace period is to pass.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/image_queue.h"

struct retired_leaf;

/* All zero: none. */
struct image_retired {
	struct retired_leaf *leaf; /* ring of room, a power of two */
	__u32 first, count, room;
	__u32 dated; /* the first of them have begun their grace period */
};

void image_retired_release(struct image_retired *retired);
/* ticket: of the changes that may still have to remove it from the image. -ENOMEM. */
int image_retired_add(struct image_retired *retired, __u16 leaf, __u64 ticket);
/* The grace period of those whose changes are done begins in this epoch. */
void image_retired_date(struct image_retired *retired, const struct image_queue *changes, __u64 epoch);
/* The latest epoch that one of them waits for; 0: none does. */
__u64 image_retired_newest(const struct image_retired *retired);
/* Takes out a leaf whose grace period has passed; false: there is none. */
bool image_retired_take(struct image_retired *retired, __u64 passed, __u16 *ret_leaf);
