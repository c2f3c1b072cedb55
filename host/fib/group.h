// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Groups: weighted, resilient ECMP. A group has a block of 2^n buckets in the image; the flow's hash picks a
 * bucket, the bucket names a member's adjacency.
 *
 * Number of buckets: the smallest power of two that gives the member of the least weight 20 of them, at least
 * 64 (a group whose content can change: 256), at most 16384. A member's number of buckets differs from its
 * exact share by less than one, so by less than 5 %; beyond the maximum that can be more, but each has one.
 *
 * Two owners are kept for each bucket. `home` follows from the members and weights alone: a change of these
 * moves as few buckets as can be. `now` is what stands in the image: home, unless that member is dead; then
 * another one, by weight, until home is back. So a member that dies moves only its own buckets, and when it
 * returns its flows return to it. Members that punt for other reasons keep their buckets: their packets go to
 * the kernel, which resolves the neighbour or knows the way.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <linux/types.h>

#include "host/fib/hash.h"
#include "xdp/image.h"

#define GROUP_MEMBERS 256

struct adjacency;
struct buckets;
struct group;

/* What a group is made of; in ascending order of the adjacencies' leaves, each once. */
struct group_path {
	struct adjacency *adjacency;
	__u32 weight; /* not 0 */
};

LIST_HEAD(group_list, group);

struct group_member {
	struct group *group;
	struct adjacency *adjacency;
	__u32 weight;
	LIST_ENTRY(group_member) link; /* of the adjacency */
};

struct group {
	struct hash_node node; /* for whoever looks for a group of the same paths */
	__u32 leaf;            /* its slot */
	bool shared;
	__u32 count;
	struct group_member *member;
	unsigned order;    /* log2 of the number of buckets */
	__u32 first;       /* bucket */
	__u16 *home, *now; /* member of each bucket */
	bool dirty;        /* a member died or returned: waits in a list to be refreshed */
	LIST_ENTRY(group) dirty_link;
};

/* log2 of the number of buckets that a group of these paths begins with. */
unsigned group_order(const struct group_path *path, __u32 count, bool shared);

/* Fills buckets; the slot is group_content()'s matter. -ENOSPC: no buckets. -ENOMEM. */
int group_new(struct buckets *buckets, __u32 *image, const struct group_path *path, __u32 count, __u32 leaf,
	      bool shared, struct group **ret);
void group_free(struct buckets *buckets, struct group *group);

/* Other paths or weights in place. -ENOSPC, -ENOMEM: nothing is changed. */
int group_change(struct buckets *buckets, __u32 *image, struct group *group, const struct group_path *path,
		 __u32 count);

/* Moves the buckets of members that have died or returned. */
void group_refresh(__u32 *image, struct group *group);

/* What the slot says of it. */
void group_content(const struct group *group, struct image_nexthop *ret);

bool group_same(const struct group *group, const struct group_path *path, __u32 count);
