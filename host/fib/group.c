// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/adjacency.h"
#include "host/fib/bucket.h"

#define ORDER_MIN_OWN 8 /* where members may come and go: less often a new block */
#define ORDER_MAX     14
#define LEAST_BUCKETS 20 /* of the member of the least weight */
#define NOBODY        0xffff

/* How the buckets are to be shared out among the members. */
struct share {
	__u32 weight[GROUP_MEMBERS]; /* 0: gets none */
	__u32 fixed[GROUP_MEMBERS];  /* has at least these */
	__u32 has[GROUP_MEMBERS];
	__u32 target[GROUP_MEMBERS];
	__u64 total; /* of weights */
};

static __u32 bucket_count(const struct group *group)
{
	return 1u << group->order;
}

unsigned group_order(const struct group_path *path, __u32 count, bool shared)
{
	unsigned order = shared ? BUCKET_ORDER_MIN : ORDER_MIN_OWN;
	__u32 least = path[0].weight;
	__u64 total = 0;

	for (__u32 i = 0; i < count; i++) {
		least = path[i].weight < least ? path[i].weight : least;
		total += path[i].weight;
	}
	while (order < ORDER_MAX && (__u64)least << order < total * LEAST_BUCKETS)
		order++;
	return order;
}

/* Buckets above (> 0) or below its exact share that a member would have, in 1/total of a bucket. */
static __s64 excess(const struct share *share, __u32 member, __u32 buckets)
{
	return (__s64)(share->target[member] * share->total) -
	       (__s64)((__u64)buckets * share->weight[member]);
}

/* One bucket more for the member most below its share. */
static void raise_one(struct share *share, __u32 count, __u32 buckets)
{
	__u32 best = NOBODY;

	for (__u32 i = 0; i < count; i++) {
		if (!share->weight[i])
			continue;
		if (best == NOBODY || excess(share, i, buckets) < excess(share, best, buckets))
			best = i;
	}
	share->target[best]++;
}

/* One less for the member most above it. */
static void lower_one(struct share *share, __u32 count, __u32 buckets)
{
	__u32 best = NOBODY;

	for (__u32 i = 0; i < count; i++) {
		if (share->target[i] <= 1 || share->target[i] <= share->fixed[i])
			continue;
		if (best == NOBODY || excess(share, i, buckets) > excess(share, best, buckets))
			best = i;
	}
	share->target[best]--;
}

/*
 * Each member's number of buckets: what it has, as far as that lies within one of its exact share. So no
 * bucket changes hands without need.
 */
static void set_targets(struct share *share, __u32 count, __u32 buckets)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < count; i++) {
		__u64 product = (__u64)buckets * share->weight[i];
		__u32 low = product / share->total, high = low + (product % share->total != 0);

		if (!low && high)
			low = 1;
		share->target[i] = share->has[i] < low ? low : share->has[i] > high ? high : share->has[i];
		if (share->target[i] < share->fixed[i])
			share->target[i] = share->fixed[i];
		sum += share->target[i];
	}
	for (; sum < buckets; sum++)
		raise_one(share, count, buckets);
	for (; sum > buckets; sum--)
		lower_one(share, count, buckets);
}

static __u32 reverse_bits(__u32 value, unsigned bits)
{
	__u32 result = 0;

	for (unsigned i = 0; i < bits; i++)
		result |= (value >> i & 1) << (bits - 1 - i);
	return result;
}

/*
 * Shares the buckets out again: those of members without weight, and of those that have too many, go to the
 * ones that have too few. fixed: buckets that stay whatever happens, by their owner in this array; NULL:
 * none.
 */
static void share_out(const struct group *group, struct share *share, __u16 *owner, const __u16 *fixed)
{
	__u32 buckets = bucket_count(group), next = 0;

	for (__u32 i = 0; i < buckets; i++) {
		if (owner[i] != NOBODY && !share->weight[owner[i]])
			owner[i] = NOBODY;
		if (owner[i] == NOBODY)
			continue;
		share->has[owner[i]]++;
		share->fixed[owner[i]] += fixed && fixed[i] == owner[i];
	}
	set_targets(share, group->count, buckets);
	for (__u32 i = 0; i < buckets; i++) {
		if (owner[i] == NOBODY || share->has[owner[i]] <= share->target[owner[i]] ||
		    (fixed && fixed[i] == owner[i]))
			continue;
		share->has[owner[i]]--;
		owner[i] = NOBODY;
	}
	/* in bit-reversed order a run of buckets is spread evenly over all of them */
	for (__u32 i = 0; i < buckets; i++) {
		__u16 *at = &owner[reverse_bits(i, group->order)];

		if (*at != NOBODY)
			continue;
		while (share->has[next] >= share->target[next])
			next++;
		share->has[next]++;
		*at = next;
	}
}

static void settle_home(struct group *group)
{
	struct share share = { 0 };

	for (__u32 i = 0; i < group->count; i++) {
		share.weight[i] = group->member[i].weight;
		share.total += share.weight[i];
	}
	share_out(group, &share, group->home, NULL);
}

static bool member_alive(const struct group *group, __u16 member)
{
	return member != NOBODY && !adjacency_dead(group->member[member].adjacency);
}

/* now[] from home[]; dead members' buckets by weight among the others. False: all are dead. */
static bool settle_now(struct group *group)
{
	struct share share = { 0 };
	bool displaced = false;

	for (__u32 i = 0; i < group->count; i++) {
		share.weight[i] = member_alive(group, i) ? group->member[i].weight : 0;
		share.total += share.weight[i];
	}
	if (!share.total)
		return false;
	for (__u32 i = 0; i < bucket_count(group); i++) {
		if (member_alive(group, group->home[i]))
			group->now[i] = group->home[i];
		else
			displaced = true;
	}
	if (displaced)
		share_out(group, &share, group->now, group->home);
	return true;
}

/* Notes an egress interface for the reverse path check, each once. */
static void add_reverse(struct image_nexthop *nexthop, __u16 slot)
{
	for (int i = 0; slot && i < NEXTHOP_RPF; i++) {
		if (nexthop->rpf[i] == slot)
			return;
		if (!nexthop->rpf[i]) {
			nexthop->rpf[i] = slot;
			return;
		}
	}
	nexthop->flags |= slot ? NEXTHOP_RPF_MANY : 0;
}

/* Each store is right in itself: a flow goes by the old member or by the new one. */
static void store_buckets(const struct group *group, __u32 *image)
{
	for (__u32 i = 0; i < bucket_count(group); i++) {
		__u32 leaf = group->member[group->now[i]].adjacency->leaf, *at = &image[group->first + i];

		if (*at != leaf)
			__atomic_store_n(at, leaf, __ATOMIC_RELEASE);
	}
}

static struct group_member *members_new(struct group *group, const struct group_path *path, __u32 count)
{
	struct group_member *member = calloc(count, sizeof(*member));

	for (__u32 i = 0; member && i < count; i++)
		member[i] = (struct group_member){
			.group = group,
			.adjacency = path[i].adjacency,
			.weight = path[i].weight,
		};
	return member;
}

static void members_link(struct group *group)
{
	for (__u32 i = 0; i < group->count; i++)
		LIST_INSERT_HEAD(&group->member[i].adjacency->members, &group->member[i], link);
}

static void members_unlink(struct group *group)
{
	for (__u32 i = 0; i < group->count; i++)
		LIST_REMOVE(&group->member[i], link);
}

/* Where a member of the group stands among new paths; NOBODY: not there. */
static __u16 place_of(const struct adjacency *adjacency, const struct group_path *path, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		if (path[i].adjacency == adjacency)
			return i;
	return NOBODY;
}

static void renumber(__u16 *owner, __u32 buckets, const __u16 *place)
{
	for (__u32 i = 0; i < buckets; i++)
		if (owner[i] != NOBODY)
			owner[i] = place[owner[i]];
}

/* Twice the buckets, each flow where it was: the hash has one bit more. */
static void double_owners(__u16 *owner, __u32 buckets, __u32 more)
{
	for (__u32 i = buckets; i < more; i++)
		owner[i] = owner[i % buckets];
}

/* More buckets in another block; the old one goes when readers have left it. */
static int grow(struct buckets *buckets, struct group *group, unsigned order)
{
	__u32 old = bucket_count(group), new = 1u << order, first;
	__u16 *home = realloc(group->home, new * sizeof(*home));
	__u16 *now;
	int error;

	if (!home)
		return -ENOMEM;
	group->home = home;
	now = realloc(group->now, new * sizeof(*now));
	if (!now)
		return -ENOMEM;
	group->now = now;
	error = bucket_take(buckets, order, &first);
	if (error)
		return error;
	bucket_give(buckets, group->first, group->order);
	double_owners(home, old, new);
	double_owners(now, old, new);
	group->order = order;
	group->first = first;
	return 0;
}

int group_new(struct buckets *buckets, __u32 *image, const struct group_path *path, __u32 count, __u32 leaf,
	      bool shared, struct group **ret)
{
	struct group *group = calloc(1, sizeof(*group));
	int error = -ENOMEM;

	if (!group)
		return -ENOMEM;
	*group = (struct group){
		.leaf = leaf,
		.shared = shared,
		.count = count,
		.order = group_order(path, count, shared),
	};
	group->member = members_new(group, path, count);
	group->home = malloc(bucket_count(group) * sizeof(*group->home));
	group->now = malloc(bucket_count(group) * sizeof(*group->now));
	if (!group->member || !group->home || !group->now)
		goto free_memory;
	error = bucket_take(buckets, group->order, &group->first);
	if (error)
		goto free_memory;
	memset(group->home, 0xff, bucket_count(group) * sizeof(*group->home));
	members_link(group);
	settle_home(group);
	memcpy(group->now, group->home, bucket_count(group) * sizeof(*group->now));
	settle_now(group);
	store_buckets(group, image);
	*ret = group;
	return 0;

free_memory:
	free(group->member);
	free(group->home);
	free(group->now);
	free(group);
	return error;
}

void group_free(struct buckets *buckets, struct group *group)
{
	members_unlink(group);
	bucket_give(buckets, group->first, group->order);
	free(group->member);
	free(group->home);
	free(group->now);
	free(group);
}

int group_change(struct buckets *buckets, __u32 *image, struct group *group, const struct group_path *path,
		 __u32 count)
{
	unsigned order = group_order(path, count, group->shared);
	struct group_member *member = members_new(group, path, count);
	__u16 place[GROUP_MEMBERS];
	int error = 0;

	if (!member)
		return -ENOMEM;
	if (order > group->order)
		error = grow(buckets, group, order);
	if (error) {
		free(member);
		return error;
	}
	for (__u32 i = 0; i < group->count; i++)
		place[i] = place_of(group->member[i].adjacency, path, count);
	members_unlink(group);
	free(group->member);
	group->member = member;
	group->count = count;
	members_link(group);
	renumber(group->home, bucket_count(group), place);
	renumber(group->now, bucket_count(group), place);
	settle_home(group);
	group_refresh(image, group);
	return 0;
}

void group_refresh(__u32 *image, struct group *group)
{
	if (settle_now(group))
		store_buckets(group, image);
}

void group_content(const struct group *group, struct image_nexthop *ret)
{
	bool alive = false;

	*ret = (struct image_nexthop){ .flags = NEXTHOP_UNICAST };
	for (__u32 i = 0; i < group->count; i++) {
		alive = alive || member_alive(group, i);
		add_reverse(ret, group->member[i].adjacency->slot);
	}
	ret->kind = alive ? NEXTHOP_GROUP : NEXTHOP_PUNT;
	ret->reason = alive ? REASON_FORWARDED : REASON_EGRESS_DOWN;
	ret->bucket = group->first;
	ret->bucket_mask = bucket_count(group) - 1;
}

bool group_same(const struct group *group, const struct group_path *path, __u32 count)
{
	if (group->count != count)
		return false;
	for (__u32 i = 0; i < count; i++)
		if (group->member[i].adjacency != path[i].adjacency ||
		    group->member[i].weight != path[i].weight)
			return false;
	return true;
}
