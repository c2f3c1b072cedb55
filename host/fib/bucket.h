// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Room in image_tables.bucket for groups: blocks of 2^order buckets, handed out by a buddy allocator. A block
 * is split in halves until it fits; halves join again when both are free. What is given back waits for a
 * grace period first.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#define BUCKET_ORDER_MIN 6 /* no smaller blocks */

struct buckets;
struct grace;

/* size: buckets in all, a power of two of at least 2^BUCKET_ORDER_MIN. -ENOMEM, -EINVAL. */
int buckets_new(const struct grace *grace, __u32 size, struct buckets **ret);
void buckets_free(struct buckets *buckets);

/* First bucket of a block of 2^order. -ENOSPC. */
int bucket_take(struct buckets *buckets, unsigned order, __u32 *ret_first);
/* No slot may lead to it any more; readers may. */
void bucket_give(struct buckets *buckets, __u32 first, unsigned order);

/* Takes back what no reader can see any more. True: something still waits. */
bool buckets_settle(struct buckets *buckets);
/* The largest order that bucket_take() would find, -1: nothing. */
int buckets_room(const struct buckets *buckets);
/* Buckets in use or waiting, and in all. */
void buckets_usage(const struct buckets *buckets, __u32 *ret_used, __u32 *ret_total);
