// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Parts of the address space that have something to be done with them: large changes under way, and ranges
 * that punt for want of room. Doing a part twice, or more than is needed, does no harm; so a queue that is
 * full joins parts into larger ones instead of refusing any. It holds no two parts that contain each other,
 * but for the oldest, which may be half done.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/prefix_tree.h"
#include "xdp/image.h"

#define IMAGE_QUEUE_LIMIT (IMAGE_VRFS * 4)

struct image_part {
	__u16 vrf;
	__u8 family;
	__u8 length;
	struct prefix_key key;
};

struct image_queue {
	struct image_part *part; /* the oldest is part[first] */
	__u32 first, count;
	__u64 taken; /* grows by one when the oldest is taken out */
};

/* Makes an empty queue. -ENOMEM. */
int image_queue_init(struct image_queue *queue);
void image_queue_release(struct image_queue *queue);
void image_queue_add(struct image_queue *queue, const struct image_part *part);
/* The oldest, NULL: empty. */
const struct image_part *image_queue_oldest(const struct image_queue *queue);
void image_queue_drop_oldest(struct image_queue *queue);
/* Takes out all parts of a VRF. */
void image_queue_forget(struct image_queue *queue, __u16 vrf);

/* Whether all that was in the queue when its ticket was taken has gone. */
static inline __u64 image_queue_ticket(const struct image_queue *queue)
{
	return queue->taken + queue->count;
}

static inline bool image_queue_done(const struct image_queue *queue, __u64 ticket)
{
	return !queue->count || queue->taken >= ticket;
}
