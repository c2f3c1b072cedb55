// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* ECMP groups: shares, resilience, what moves when members come and go, and leaves whose content changes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/grace.h"
#include "host/fib/image_store.h"
#include "tests/unit/fib_fixture.h"

#define SEED    4711
#define MEMBERS 256
#define MAIN    RT_TABLE_MAIN

static struct fixture f;

/* One interface for each member, so that any can go down alone; all gateways resolved unless said otherwise.
 */
static void setup(void)
{
	fixture_new(&f, NULL);
	srandom(SEED);
}

static void teardown(void)
{
	fixture_free(&f);
}

TestSuite(group, .init = setup, .fini = teardown);

struct members {
	struct fib_path path[MEMBERS + 1];
	__u32 count;
};

static void make_ports(__u32 count)
{
	for (__u32 i = 1; i <= count; i++) {
		char gateway[32];

		fixture_port(&f, i);
		snprintf(gateway, sizeof(gateway), "10.0.%u.1", i);
		fixture_neighbour(&f, i, gateway, i);
	}
}

static void add(struct members *members, __u32 ifindex, __u16 weight)
{
	char gateway[32];

	snprintf(gateway, sizeof(gateway), "10.%u.%u.1", ifindex / 256, ifindex % 256);
	members->path[members->count++] = fixture_path(ifindex, gateway, weight);
}

static struct fib_leaf_spec spec_of(const struct members *members)
{
	return (struct fib_leaf_spec){
		.family = AF_INET,
		.path_count = members->count,
		.path = members->path,
	};
}

static __u32 get(const struct members *members)
{
	struct fib_leaf_spec spec = spec_of(members);
	__u32 leaf;

	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	return leaf;
}

static void set_up(__u32 ifindex, bool up)
{
	struct fib_interface interface = fixture_ethernet(ifindex);

	interface.up = up;
	fixture_set(&f, &interface);
}

/* The buckets of a group as the egress interfaces' indices (a port's slot is its ifindex here). */
static __u32 buckets(__u32 leaf, __u16 **ret)
{
	const struct image_nexthop *slot = &f.image->nexthop[leaf];
	__u32 count = slot->bucket_mask + 1;

	cr_assert_eq(slot->kind, NEXTHOP_GROUP);
	*ret = calloc(count, sizeof(**ret));
	for (__u32 i = 0; i < count; i++)
		(*ret)[i] = f.image->nexthop[f.image->bucket[slot->bucket + i]].interface;
	return count;
}

static __u32 count_of(const __u16 *bucket, __u32 count, __u16 interface)
{
	__u32 found = 0;

	for (__u32 i = 0; i < count; i++)
		found += bucket[i] == interface;
	return found;
}

/* Every member's number of buckets is within 5 % of its weight's share. */
static void check_shares(const __u16 *bucket, __u32 count, const struct members *members)
{
	double total = 0;

	for (__u32 i = 0; i < members->count; i++)
		total += members->path[i].weight;
	for (__u32 i = 0; i < members->count; i++) {
		double share = count * members->path[i].weight / total;
		double has = count_of(bucket, count, members->path[i].ifindex);

		cr_assert(has >= share * 0.95 && has <= share * 1.05, "member %u of %u, weight %u: %g not %g",
			  i, members->count, members->path[i].weight, has, share);
	}
}

Test(group, shares_follow_weights)
{
	make_ports(64);
	for (int round = 0; round < 60; round++) {
		struct members members = { .count = 0 };
		__u32 count = 2 + random() % 63, n, leaf;
		__u16 *bucket;

		/* weights that 16384 buckets can tell apart to 5 % */
		for (__u32 i = 1; i <= count; i++)
			add(&members, i, round % 3 ? 1 + random() % 12 : 7);
		leaf = get(&members);
		n = buckets(leaf, &bucket);
		check_shares(bucket, n, &members);
		free(bucket);
		fib_leaf_put(f.fib, leaf);
		fixture_settle(&f);
	}
}

Test(group, extreme_weights_keep_everybody)
{
	struct members members = { .count = 0 };
	__u16 *bucket;
	__u32 n, leaf;

	make_ports(64);
	add(&members, 1, 1);
	for (__u32 i = 2; i <= 64; i++)
		add(&members, i, 256);
	leaf = get(&members);
	n = buckets(leaf, &bucket);
	cr_assert_eq(n, 16384);
	for (__u32 i = 1; i <= 64; i++)
		cr_assert(count_of(bucket, n, i) >= 1);
	free(bucket);
	fib_leaf_put(f.fib, leaf);
}

Test(group, neighbouring_buckets_spread)
{
	struct members members = { .count = 0 };
	__u16 *bucket;
	__u32 n, leaf;

	make_ports(4);
	for (__u32 i = 1; i <= 4; i++)
		add(&members, i, 1);
	leaf = get(&members);
	n = buckets(leaf, &bucket);
	for (__u32 i = 0; i + 4 <= n; i += 4)
		for (__u32 member = 1; member <= 4; member++)
			cr_assert_eq(count_of(bucket + i, 4, member), 1);
	free(bucket);
	fib_leaf_put(f.fib, leaf);
}

Test(group, only_the_dead_members_buckets_move_and_come_back)
{
	struct members members = { .count = 0 }, others = { .count = 0 };
	__u16 *before, *after, *again;
	__u32 n, leaf, victim = 5;

	make_ports(8);
	for (__u32 i = 1; i <= 8; i++) {
		add(&members, i, i);
		if (i != victim)
			add(&others, i, i);
	}
	leaf = get(&members);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", leaf, false);
	n = buckets(leaf, &before);
	set_up(victim, false);
	cr_assert_eq(buckets(leaf, &after), n);
	for (__u32 i = 0; i < n; i++) {
		if (before[i] == victim)
			cr_assert_neq(after[i], victim);
		else
			cr_assert_eq(after[i], before[i], "bucket %u moved", i);
	}
	check_shares(after, n, &others);
	set_up(victim, true);
	cr_assert_eq(buckets(leaf, &again), n);
	cr_assert_arr_eq(again, before, n * sizeof(*before));
	free(before);
	free(after);
	free(again);
	fib_leaf_put(f.fib, leaf);
}

Test(group, survivors_keep_their_own_buckets_whatever_happens)
{
	struct members members = { .count = 0 };
	bool up[13];
	__u16 *home, *now;
	__u32 n, leaf, alive = 12;

	make_ports(12);
	for (__u32 i = 1; i <= 12; i++) {
		add(&members, i, 1 + i % 3);
		up[i] = true;
	}
	leaf = get(&members);
	n = buckets(leaf, &home);
	for (int step = 0; step < 300; step++) {
		__u32 i = 1 + random() % 12;

		if (up[i] && alive == 1)
			continue;
		up[i] = !up[i];
		alive += up[i] ? 1 : -1;
		set_up(i, up[i]);
		cr_assert_eq(buckets(leaf, &now), n);
		for (__u32 b = 0; b < n; b++) {
			cr_assert(up[now[b]]);
			cr_assert(!up[home[b]] || now[b] == home[b]);
		}
		free(now);
	}
	free(home);
	fib_leaf_put(f.fib, leaf);
}

Test(group, all_dead)
{
	struct members members = { .count = 0 };
	const struct image_nexthop *slot;
	__u16 *now;
	__u32 n, leaf;

	make_ports(3);
	for (__u32 i = 1; i <= 3; i++)
		add(&members, i, 1);
	leaf = get(&members);
	slot = &f.image->nexthop[leaf];
	for (__u32 i = 1; i <= 3; i++)
		set_up(i, false);
	cr_assert_eq(slot->kind, NEXTHOP_PUNT);
	cr_assert_eq(slot->reason, REASON_EGRESS_DOWN);
	cr_assert(slot->flags & NEXTHOP_UNICAST);
	set_up(2, true);
	n = buckets(leaf, &now);
	cr_assert_eq(count_of(now, n, 2), n);
	free(now);
	fib_leaf_put(f.fib, leaf);
}

Test(group, members_that_punt_keep_their_buckets)
{
	struct members members = { .count = 0 };
	__u16 *before, *after;
	__u32 n, leaf;

	make_ports(3);
	add(&members, 1, 1);
	add(&members, 2, 1);
	members.path[members.count++] = fixture_path(3, NULL, 1); /* on link */
	leaf = get(&members);
	n = buckets(leaf, &before);
	check_shares(before, n, &members);
	fixture_neighbour(&f, 2, "10.0.2.1", -1);
	cr_assert_eq(buckets(leaf, &after), n);
	cr_assert_arr_eq(before, after, n * sizeof(*before));
	for (__u32 i = 0; i < n; i++) {
		const struct image_nexthop *member =
			&f.image->nexthop[f.image->bucket[f.image->nexthop[leaf].bucket + i]];

		cr_assert_eq(member->kind, member->interface == 1 ? NEXTHOP_FORWARD : NEXTHOP_PUNT);
		cr_assert_eq(member->reason, member->interface == 1 ? REASON_FORWARDED : REASON_NEIGHBOUR);
	}
	free(before);
	free(after);
	fib_leaf_put(f.fib, leaf);
}

Test(group, reverse_path_interfaces)
{
	struct members members = { .count = 0 };
	const struct image_nexthop *slot;
	__u32 leaf;

	make_ports(7);
	for (__u32 i = 1; i <= 6; i++)
		add(&members, i, 1);
	members.path[members.count++] = fixture_path(6, "10.0.6.2", 1);
	leaf = get(&members);
	slot = &f.image->nexthop[leaf];
	for (__u32 i = 1; i <= 6; i++) {
		bool found = false;

		for (int k = 0; k < NEXTHOP_RPF; k++)
			found |= slot->rpf[k] == i;
		cr_assert(found, "%u", i);
	}
	cr_assert(!(slot->flags & NEXTHOP_RPF_MANY));
	set_up(3, false);
	cr_assert(slot->rpf[0] && slot->rpf[5], "dead members still count: Linux asks for the route alone");
	fib_leaf_put(f.fib, leaf);
	add(&members, 7, 1);
	leaf = get(&members);
	cr_assert(f.image->nexthop[leaf].flags & NEXTHOP_RPF_MANY);
	fib_leaf_put(f.fib, leaf);
}

Test(group, shared_by_content)
{
	struct members a = { .count = 0 }, b = { .count = 0 }, c = { .count = 0 }, d = { .count = 0 };
	__u32 leaf[4];
	struct fib_stats stats;

	make_ports(3);
	add(&a, 1, 2);
	add(&a, 2, 3);
	add(&b, 2, 3);
	add(&b, 1, 1);
	add(&b, 1, 1); /* twice the same path: one of both weights */
	add(&c, 1, 2);
	add(&c, 2, 4);
	add(&d, 3, 1);
	add(&d, 3, 5);
	leaf[0] = get(&a);
	leaf[1] = get(&b);
	leaf[2] = get(&c);
	leaf[3] = get(&d);
	cr_assert_eq(leaf[0], leaf[1]);
	cr_assert_neq(leaf[0], leaf[2]);
	cr_assert_eq(f.image->nexthop[leaf[3]].kind, NEXTHOP_FORWARD, "one path is no group");
	fib_stats(f.fib, &stats);
	cr_assert_eq(stats.groups, 2);
	cr_assert_eq(stats.leaves, 5);
	for (int i = 0; i < 4; i++)
		fib_leaf_put(f.fib, leaf[i]);
	fixture_settle(&f);
	fib_stats(f.fib, &stats);
	cr_assert_eq(stats.groups + stats.leaves + stats.bucket_used, 0);
}

Test(group, too_many_paths)
{
	struct members members = { .count = 0 };
	struct fib_leaf_spec spec;
	__u32 leaf;

	for (__u32 i = 1; i <= MEMBERS + 1; i++)
		add(&members, i, 1);
	spec = spec_of(&members);
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	cr_assert_eq(leaf, REASON_UNSUPPORTED_ROUTE);
	spec.path_count = MEMBERS;
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	cr_assert_eq(f.image->nexthop[leaf].reason, REASON_EGRESS_DOWN);
	fib_leaf_put(f.fib, leaf);
	spec.path_count = 0;
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	cr_assert_eq(leaf, REASON_UNSUPPORTED_ROUTE);
}

/* --- leaves of their own --- */

static __u32 own(const struct members *members)
{
	struct fib_leaf_spec spec = spec_of(members);
	__u32 leaf;

	cr_assert_eq(fib_leaf_new(f.fib, &spec, &leaf), 0);
	return leaf;
}

static void change(__u32 leaf, const struct members *members)
{
	struct fib_leaf_spec spec = spec_of(members);

	cr_assert_eq(fib_leaf_change(f.fib, leaf, &spec), 0);
}

Test(group, a_changed_member_or_weight_moves_the_least)
{
	struct members members = { .count = 0 };
	__u32 leaf;

	make_ports(32);
	for (__u32 i = 1; i <= 6; i++)
		add(&members, i, 2);
	leaf = own(&members);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", leaf, false);
	for (int round = 0; round < 200; round++) {
		__u16 *before, *after;
		__u32 n = buckets(leaf, &before), moved = 0, least = 0;

		if (round % 2 && members.count > 2) {
			members.path[random() % members.count] = members.path[members.count - 1];
			members.count--;
		} else if (random() % 2) {
			members.path[random() % members.count].weight = 1 + random() % 3;
		} else if (members.count < 8) {
			add(&members, 1 + random() % 32, 1 + random() % 3);
			for (__u32 i = 0; i + 1 < members.count; i++)
				if (members.path[i].ifindex == members.path[members.count - 1].ifindex) {
					members.count--;
					break;
				}
		}
		change(leaf, &members);
		if (buckets(leaf, &after) == n) {
			for (__u32 i = 0; i < n; i++)
				moved += before[i] != after[i];
			for (__u32 i = 1; i <= 32; i++) {
				int had = count_of(before, n, i), has = count_of(after, n, i);

				least += had > has ? had - has : 0;
			}
			cr_assert_eq(moved, least, "round %d", round);
		}
		check_shares(after, f.image->nexthop[leaf].bucket_mask + 1, &members);
		free(before);
		free(after);
	}
	fib_leaf_put(f.fib, leaf);
}

Test(group, more_buckets_leave_the_flows_where_they_are)
{
	struct members members = { .count = 0 };
	__u16 *before, *after;
	__u32 n, m, leaf, moved = 0;

	make_ports(20);
	for (__u32 i = 1; i <= 12; i++)
		add(&members, i, 1);
	leaf = own(&members);
	n = buckets(leaf, &before);
	for (__u32 i = 13; i <= 20; i++)
		add(&members, i, 1);
	change(leaf, &members);
	cr_assert_eq(f.image->nexthop[leaf].kind, NEXTHOP_PUNT,
		     "not before readers have left the old buckets");
	cr_assert_eq(f.image->nexthop[leaf].reason, REASON_HELD);
	fixture_settle(&f);
	m = buckets(leaf, &after);
	cr_assert_gt(m, n);
	check_shares(after, m, &members);
	for (__u32 i = 0; i < m; i++)
		moved += after[i] != before[i % n];
	for (__u32 i = 13; i <= 20; i++)
		moved -= count_of(after, m, i);
	cr_assert_eq(moved, 0, "buckets go to new members and nowhere else");
	free(before);
	free(after);
	fib_leaf_put(f.fib, leaf);
}

Test(group, content_changes_from_anything_to_anything)
{
	struct members one = { .count = 0 }, other = { .count = 0 }, many = { .count = 0 };
	const struct image_nexthop *slot;
	struct fib_leaf_spec reason = { .reason = REASON_BLACKHOLE, .family = AF_INET };
	struct fib_stats stats;
	__u32 leaf, shared;

	make_ports(4);
	add(&one, 1, 1);
	add(&other, 2, 1);
	add(&many, 3, 1);
	add(&many, 4, 1);
	shared = get(&one);
	leaf = own(&one);
	cr_assert_neq(leaf, shared);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", leaf, false);
	slot = fixture_find(&f, MAIN, "20.0.0.1");
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 1);
	fixture_neighbour(&f, 1, "10.0.1.1", 99);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 99, "its own adjacency follows the neighbour too");

	change(leaf, &other);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_HELD);
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 2);
	change(leaf, &many);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_HELD);
	fixture_settle(&f);
	cr_assert_eq(slot->kind, NEXTHOP_GROUP);
	cr_assert_eq(fib_leaf_change(f.fib, leaf, &reason), 0);
	cr_assert_eq(slot->kind, NEXTHOP_DROP);
	change(leaf, &many);
	fixture_settle(&f);
	cr_assert_eq(slot->kind, NEXTHOP_GROUP);
	change(leaf, &one);
	cr_assert_eq(fib_leaf_change(f.fib, leaf, &reason), 0, "changed again before it was written");
	fixture_settle(&f);
	cr_assert_eq(slot->kind, NEXTHOP_DROP);
	change(leaf, &one);
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 99);
	cr_assert_eq(slot, fixture_find(&f, MAIN, "20.0.0.1"));
	cr_assert_eq(fib_leaf_change(f.fib, shared, &reason), -EINVAL);
	cr_assert_eq(fib_leaf_change(f.fib, REASON_LOCAL, &reason), -EINVAL);

	fib_leaf_put(f.fib, shared);
	fib_leaf_put(f.fib, leaf);
	fixture_route_delete(&f, MAIN, "20.0.0.0/8");
	fixture_settle(&f);
	fib_stats(f.fib, &stats);
	cr_assert_eq(stats.leaves + stats.groups + stats.bucket_used, 0);
}

Test(group, old_buckets_wait_for_readers)
{
	struct members members = { .count = 0 };
	struct grace_reader *reader;
	struct fib_stats stats;
	__u32 leaf;

	make_ports(2);
	add(&members, 1, 1);
	add(&members, 2, 1);
	leaf = get(&members);
	fixture_settle(&f);
	cr_assert_eq(grace_reader_add(fib_grace(f.fib), &reader), 0);
	grace_reader_online(reader);
	fib_leaf_put(f.fib, leaf);
	for (int i = 0; i < 10; i++)
		cr_assert(fib_settle(f.fib));
	fib_stats(f.fib, &stats);
	cr_assert_eq(stats.bucket_used, 64);
	grace_reader_offline(reader);
	fixture_settle(&f);
	fib_stats(f.fib, &stats);
	cr_assert_eq(stats.bucket_used, 0);
	grace_reader_remove(fib_grace(f.fib), reader);
}
