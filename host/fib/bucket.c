// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/bucket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "host/fib/grace.h"

#define ORDERS  32
#define NO_UNIT (~0u)

enum block_state {
	BLOCK_NONE = 0, /* not the first unit of a block */
	BLOCK_FREE,
	BLOCK_TAKEN,
};

/* What is known of the smallest block: it may be the first unit of a larger one. */
struct unit {
	__u32 previous, next; /* in the list of free blocks of its order */
	__u8 state;           /* enum block_state */
	__u8 order;
};

struct limbo {
	__u64 epoch;
	__u32 unit;
};

struct buckets {
	const struct grace *grace;
	struct unit *unit;
	struct limbo *limbo; /* ring with room for all units */
	__u32 limbo_head, limbo_count;
	__u32 units, used; /* of 2^BUCKET_ORDER_MIN buckets */
	__u32 free[ORDERS];
};

static void list_add(struct buckets *buckets, __u32 at, unsigned order)
{
	struct unit *unit = &buckets->unit[at];

	*unit = (struct unit){
		.previous = NO_UNIT,
		.next = buckets->free[order],
		.state = BLOCK_FREE,
		.order = order,
	};
	if (unit->next != NO_UNIT)
		buckets->unit[unit->next].previous = at;
	buckets->free[order] = at;
}

static void list_remove(struct buckets *buckets, __u32 at)
{
	struct unit *unit = &buckets->unit[at];

	if (unit->previous != NO_UNIT)
		buckets->unit[unit->previous].next = unit->next;
	else
		buckets->free[unit->order] = unit->next;
	if (unit->next != NO_UNIT)
		buckets->unit[unit->next].previous = unit->previous;
	unit->state = BLOCK_NONE;
}

static __u32 order_units(unsigned order)
{
	return 1u << (order - BUCKET_ORDER_MIN);
}

/* Frees a block and joins it with its other half as long as that is free too. */
static void release(struct buckets *buckets, __u32 at)
{
	unsigned order = buckets->unit[at].order;

	buckets->used -= order_units(order);
	for (;; order++) {
		__u32 half = at ^ order_units(order);

		buckets->unit[at].state = BLOCK_NONE;
		if (half >= buckets->units || buckets->unit[half].state != BLOCK_FREE ||
		    buckets->unit[half].order != order)
			break;
		list_remove(buckets, half);
		at = at < half ? at : half;
	}
	list_add(buckets, at, order);
}

int buckets_new(const struct grace *grace, __u32 size, struct buckets **ret)
{
	struct buckets *buckets;

	if (size < 1u << BUCKET_ORDER_MIN || (size & (size - 1)))
		return -EINVAL;
	buckets = calloc(1, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	buckets->grace = grace;
	buckets->units = size >> BUCKET_ORDER_MIN;
	buckets->unit = calloc(buckets->units, sizeof(*buckets->unit));
	buckets->limbo = calloc(buckets->units, sizeof(*buckets->limbo));
	if (!buckets->unit || !buckets->limbo) {
		buckets_free(buckets);
		return -ENOMEM;
	}
	for (int i = 0; i < ORDERS; i++)
		buckets->free[i] = NO_UNIT;
	list_add(buckets, 0, __builtin_ctz(size));
	*ret = buckets;
	return 0;
}

void buckets_free(struct buckets *buckets)
{
	if (!buckets)
		return;
	free(buckets->unit);
	free(buckets->limbo);
	free(buckets);
}

int bucket_take(struct buckets *buckets, unsigned order, __u32 *ret_first)
{
	unsigned larger = order;
	__u32 at;

	while (larger < ORDERS && buckets->free[larger] == NO_UNIT)
		larger++;
	if (larger == ORDERS)
		return -ENOSPC;
	at = buckets->free[larger];
	list_remove(buckets, at);
	while (larger > order) {
		larger--;
		list_add(buckets, at + order_units(larger), larger);
	}
	buckets->unit[at].state = BLOCK_TAKEN;
	buckets->unit[at].order = order;
	buckets->used += order_units(order);
	*ret_first = at << BUCKET_ORDER_MIN;
	return 0;
}

void bucket_give(struct buckets *buckets, __u32 first, unsigned order)
{
	__u32 unit = first >> BUCKET_ORDER_MIN;

	assert(buckets->unit[unit].state == BLOCK_TAKEN && buckets->unit[unit].order == order);
	buckets->limbo[(buckets->limbo_head + buckets->limbo_count++) % buckets->units] =
		(struct limbo){ .epoch = grace_epoch(buckets->grace), .unit = unit };
}

bool buckets_settle(struct buckets *buckets)
{
	__u64 passed = grace_passed(buckets->grace);

	while (buckets->limbo_count && buckets->limbo[buckets->limbo_head].epoch <= passed) {
		release(buckets, buckets->limbo[buckets->limbo_head].unit);
		buckets->limbo_head = (buckets->limbo_head + 1) % buckets->units;
		buckets->limbo_count--;
	}
	return buckets->limbo_count > 0;
}

int buckets_room(const struct buckets *buckets)
{
	for (int order = ORDERS - 1; order >= BUCKET_ORDER_MIN; order--)
		if (buckets->free[order] != NO_UNIT)
			return order;
	return -1;
}

void buckets_usage(const struct buckets *buckets, __u32 *ret_used, __u32 *ret_total)
{
	*ret_used = buckets->used << BUCKET_ORDER_MIN;
	*ret_total = buckets->units << BUCKET_ORDER_MIN;
}
