// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Numbers of slots in a table of the image (interfaces, ports, VLAN tables, VRFs): handed out, given back,
 * and handed out again only when no reader can still mean the one before.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct grace;

struct pool {
	const struct grace *grace;
	__u32 *free;                  /* stack of numbers */
	struct pool_waiting *waiting; /* ring of numbers given back, oldest at head */
	__u32 free_count, waiting_count, head;
	__u32 size; /* how many numbers there are */
};

/* Numbers first .. first + size - 1, all free; the lowest come first. -ENOMEM. */
int pool_init(struct pool *pool, const struct grace *grace, __u32 first, __u32 size);
void pool_exit(struct pool *pool);

/* -ENOSPC: all are in use or wait. */
int pool_take(struct pool *pool, __u32 *ret_number);
/* The number must have been taken; the image may no longer lead to its slot. */
void pool_give(struct pool *pool, __u32 number);
/* Whether pool_take() would find one. */
bool pool_has(struct pool *pool);
/* How many are in use or wait. */
__u32 pool_used(const struct pool *pool);
/* Whether a number waits for a grace period. */
bool pool_waits(const struct pool *pool);
