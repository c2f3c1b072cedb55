// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/image_queue.h"

static bool same_space(const struct image_part *a, const struct image_part *b)
{
	return a->vrf == b->vrf && a->family == b->family;
}

static bool same_key(struct prefix_key a, struct prefix_key b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool contains(const struct image_part *outer, const struct image_part *inner)
{
	return same_space(outer, inner) && outer->length <= inner->length &&
	       same_key(outer->key, prefix_key_cut(inner->key, outer->length));
}

/* The smallest part that contains both. */
static struct image_part join(const struct image_part *a, const struct image_part *b)
{
	struct image_part part = *a;

	if (b->length < part.length)
		part.length = b->length;
	while (!same_key(prefix_key_cut(a->key, part.length), prefix_key_cut(b->key, part.length)))
		part.length--;
	part.key = prefix_key_cut(a->key, part.length);
	return part;
}

static struct image_part *at(const struct image_queue *queue, __u32 index)
{
	return &queue->part[queue->first + index];
}

static void take_out(struct image_queue *queue, __u32 index)
{
	memmove(at(queue, index), at(queue, index + 1),
		(queue->count - index - 1) * sizeof(struct image_part));
	queue->count--;
}

/* Makes room for one: joins two waiting parts of one space. There are more places than spaces. */
static void condense(struct image_queue *queue)
{
	for (__u32 i = queue->count - 1; i > 1; i--) {
		for (__u32 j = i - 1; j > 0; j--) {
			if (!same_space(at(queue, i), at(queue, j)))
				continue;
			*at(queue, j) = join(at(queue, i), at(queue, j));
			take_out(queue, i);
			return;
		}
	}
	assert(false);
}

int image_queue_init(struct image_queue *queue)
{
	/* Twice the room: parts move to the front only when the end is reached. */
	*queue = (struct image_queue){ .part = calloc(2 * IMAGE_QUEUE_LIMIT, sizeof(struct image_part)) };
	return queue->part ? 0 : -ENOMEM;
}

void image_queue_release(struct image_queue *queue)
{
	free(queue->part);
}

void image_queue_add(struct image_queue *queue, const struct image_part *part)
{
	for (__u32 i = 1; i < queue->count; i++)
		if (contains(at(queue, i), part))
			return;
	for (__u32 i = queue->count; i-- > 1;)
		if (contains(part, at(queue, i)))
			take_out(queue, i);
	if (queue->count == IMAGE_QUEUE_LIMIT)
		condense(queue);
	if (queue->first + queue->count == 2 * IMAGE_QUEUE_LIMIT) {
		memmove(queue->part, at(queue, 0), queue->count * sizeof(struct image_part));
		queue->first = 0;
	}
	*at(queue, queue->count++) = *part;
}

const struct image_part *image_queue_oldest(const struct image_queue *queue)
{
	return queue->count ? at(queue, 0) : NULL;
}

void image_queue_drop_oldest(struct image_queue *queue)
{
	queue->first++;
	queue->count--;
	queue->taken++;
	if (!queue->count)
		queue->first = 0;
}

void image_queue_forget(struct image_queue *queue, __u16 vrf)
{
	for (__u32 i = queue->count; i-- > 0;)
		if (at(queue, i)->vrf == vrf)
			take_out(queue, i);
}
