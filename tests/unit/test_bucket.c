// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Blocks of buckets never overlap, wait for readers, and join again to one when all are back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/fib/bucket.h"
#include "host/fib/grace.h"
#include "host/fib/pool.h"

#define SEED   1
#define SIZE   (1u << 14)
#define BLOCKS 512

struct block {
	__u32 first;
	unsigned order; /* 0: none */
};

static void mark(unsigned char *taken, const struct block *block, int value)
{
	for (__u32 i = 0; i < 1u << block->order; i++) {
		cr_assert_neq(taken[block->first + i], value, "bucket %u twice", block->first + i);
		taken[block->first + i] = value;
	}
}

static void pass(struct grace *grace, struct buckets *buckets)
{
	while (buckets_settle(buckets))
		grace_poll(grace, true);
}

Test(bucket, blocks)
{
	static unsigned char taken[SIZE];
	static struct block block[BLOCKS];
	struct buckets *buckets;
	struct grace *grace;
	__u32 used, total, expected = 0;

	srandom(SEED);
	cr_assert_eq(grace_new(&grace), 0);
	cr_assert_eq(buckets_new(grace, SIZE, &buckets), 0);
	for (int step = 0; step < 20000; step++) {
		struct block *at = &block[random() % BLOCKS];

		if (at->order) {
			mark(taken, at, 0);
			bucket_give(buckets, at->first, at->order);
			expected -= 1u << at->order;
			at->order = 0;
		} else {
			at->order = BUCKET_ORDER_MIN + random() % 5;
			if (bucket_take(buckets, at->order, &at->first) < 0) {
				cr_assert_lt(buckets_room(buckets), (int)at->order);
				at->order = 0;
				continue;
			}
			cr_assert_eq(at->first % (1u << at->order), 0);
			mark(taken, at, 1);
			expected += 1u << at->order;
		}
		if (step % 3 == 0)
			pass(grace, buckets);
	}
	pass(grace, buckets);
	buckets_usage(buckets, &used, &total);
	cr_assert_eq(used, expected);
	cr_assert_eq(total, SIZE);
	for (int i = 0; i < BLOCKS; i++)
		if (block[i].order)
			bucket_give(buckets, block[i].first, block[i].order);
	pass(grace, buckets);
	cr_assert_eq(buckets_room(buckets), 14);
	buckets_free(buckets);
	grace_free(grace);
}

Test(bucket, sizes)
{
	struct buckets *buckets;
	struct grace *grace;

	cr_assert_eq(grace_new(&grace), 0);
	cr_assert_eq(buckets_new(grace, 0, &buckets), -EINVAL);
	cr_assert_eq(buckets_new(grace, 32, &buckets), -EINVAL);
	cr_assert_eq(buckets_new(grace, 100, &buckets), -EINVAL);
	cr_assert_eq(buckets_new(grace, 64, &buckets), 0);
	cr_assert_eq(buckets_room(buckets), 6);
	buckets_free(buckets);
	grace_free(grace);
}

Test(pool, numbers_come_again_after_a_grace_period)
{
	struct grace_reader *reader;
	struct grace *grace;
	struct pool pool;
	__u32 number[3], again;

	cr_assert_eq(grace_new(&grace), 0);
	cr_assert_eq(grace_reader_add(grace, &reader), 0);
	cr_assert_eq(pool_init(&pool, grace, 10, 3), 0);
	for (__u32 i = 0; i < 3; i++) {
		cr_assert_eq(pool_take(&pool, &number[i]), 0);
		cr_assert_eq(number[i], 10 + i);
	}
	cr_assert_eq(pool_take(&pool, &again), -ENOSPC);
	grace_reader_online(reader);
	pool_give(&pool, 11);
	grace_poll(grace, pool_waits(&pool));
	cr_assert(pool_waits(&pool));
	cr_assert(!pool_has(&pool));
	grace_reader_quiescent(reader);
	grace_poll(grace, true);
	cr_assert(!pool_waits(&pool));
	cr_assert_eq(pool_take(&pool, &again), 0);
	cr_assert_eq(again, 11);
	pool_exit(&pool);
	grace_free(grace);
}
