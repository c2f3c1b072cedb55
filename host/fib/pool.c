// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/pool.h"

#include <errno.h>
#include <stdlib.h>

#include "host/fib/grace.h"

struct pool_waiting {
	__u64 epoch; /* of its giving back */
	__u32 number;
};

static void harvest(struct pool *pool)
{
	__u64 passed = grace_passed(pool->grace);

	while (pool->waiting_count && pool->waiting[pool->head].epoch <= passed) {
		pool->free[pool->free_count++] = pool->waiting[pool->head].number;
		pool->head = (pool->head + 1) % pool->size;
		pool->waiting_count--;
	}
}

int pool_init(struct pool *pool, const struct grace *grace, __u32 first, __u32 size)
{
	*pool = (struct pool){ .grace = grace, .size = size };
	pool->free = calloc(size, sizeof(*pool->free));
	pool->waiting = calloc(size, sizeof(*pool->waiting));
	if (!pool->free || !pool->waiting) {
		pool_exit(pool);
		return -ENOMEM;
	}
	for (__u32 i = size; i > 0; i--)
		pool->free[pool->free_count++] = first + i - 1;
	return 0;
}

void pool_exit(struct pool *pool)
{
	free(pool->free);
	free(pool->waiting);
	*pool = (struct pool){ 0 };
}

int pool_take(struct pool *pool, __u32 *ret_number)
{
	if (!pool_has(pool))
		return -ENOSPC;
	*ret_number = pool->free[--pool->free_count];
	return 0;
}

void pool_give(struct pool *pool, __u32 number)
{
	__u32 tail = (pool->head + pool->waiting_count++) % pool->size;

	pool->waiting[tail] = (struct pool_waiting){ .epoch = grace_epoch(pool->grace), .number = number };
}

bool pool_has(struct pool *pool)
{
	if (!pool->free_count)
		harvest(pool);
	return pool->free_count > 0;
}

__u32 pool_used(const struct pool *pool)
{
	return pool->size - pool->free_count;
}

bool pool_waits(const struct pool *pool)
{
	return pool->waiting_count && pool->waiting[pool->head].epoch > grace_passed(pool->grace);
}
