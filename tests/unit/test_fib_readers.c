// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Threads that read the image as the program does, nonstop, while leaves change under them. Interface i has
 * the source MAC 02:..:i and only neighbours whose MAC ends in 16 * i + something, so a reader sees at once
 * when it is given one interface's fields and another one's, or a slot that has come to somebody else.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/grace.h"
#include "tests/unit/fib_fixture.h"

#define SEED       99
#define CHANGES    10000
#define READERS    2
#define INTERFACES 4
#define MAIN       RT_TABLE_MAIN

static struct fixture f;
static __u16 port_of[INTERFACES + 1];
static atomic_bool stop;

struct reader {
	pthread_t thread;
	struct grace_reader *grace;
	__u32 seed;
	__u64 reads, forwarded, wrong;
};

/* A reader may be interrupted anywhere: there are always some that have seen the old state. */
static void linger(struct reader *reader)
{
	if (rand_r(&reader->seed) % 16 == 0)
		sched_yield();
}

/* The interface that a frame by this slot would leave by; 0: it does not leave; -1: torn. */
static int read_adjacency(struct reader *reader, const struct image_nexthop *slot)
{
	const volatile struct image_nexthop *nexthop = slot;
	__u64 mac0;
	__u32 mac1;
	int interface;

	if (nexthop->kind != NEXTHOP_FORWARD)
		return 0;
	linger(reader);
	mac1 = nexthop->mac1;
	linger(reader);
	mac0 = nexthop->mac0;
	interface = mac1 >> 24;
	if (interface < 1 || interface > INTERFACES || nexthop->port != port_of[interface] ||
	    (int)(mac0 >> 44 & 0xf) != interface)
		return -1;
	/* interface 4 is a sub-interface of 3, with its own tag */
	if (nexthop->tags != (interface == 4) || (interface == 4 && nexthop->tag[0] != htonl(0x8100000a)))
		return -1;
	return interface;
}

static int read_leaf(struct reader *reader, __u32 leaf, __u32 hash)
{
	const volatile struct image_nexthop *nexthop = &f.image->nexthop[leaf];
	__u32 bucket;

	linger(reader);
	if (nexthop->kind != NEXTHOP_GROUP)
		return read_adjacency(reader, &f.image->nexthop[leaf]);
	linger(reader);
	bucket = nexthop->bucket + (hash & nexthop->bucket_mask);
	linger(reader);
	return read_adjacency(reader,
			      &f.image->nexthop[__atomic_load_n(&f.image->bucket[bucket], __ATOMIC_RELAXED)]);
}

/* 10.i.0.0/16 leaves by interface i or not at all; 10.9.0.0/16 by any. */
static void *read_all(void *arg)
{
	struct reader *reader = arg;

	grace_reader_online(reader->grace);
	while (!atomic_load(&stop)) {
		__u32 which = 1 + rand_r(&reader->seed) % (INTERFACES + 1);
		__u8 address[16] = { 10, which > INTERFACES ? 9 : which, 1, 1 };
		int found =
			read_leaf(reader, fib_lookup(f.fib, MAIN, AF_INET, address), rand_r(&reader->seed));

		reader->reads++;
		reader->forwarded += found > 0;
		reader->wrong += found < 0 || (found && which <= INTERFACES && (__u32)found != which);
		grace_reader_quiescent(reader->grace);
	}
	grace_reader_offline(reader->grace);
	return NULL;
}

static struct fib_path draw_path(__u32 ifindex)
{
	char gateway[32];

	snprintf(gateway, sizeof(gateway), "192.168.%u.%u", ifindex, 1 + (unsigned)random() % 3);
	return fixture_path(ifindex, gateway, 1 + random() % 5);
}

/* A route of its own interface to a leaf that is new, or shared with the last one. */
static void change_route(__u32 ifindex)
{
	struct fib_path path[2] = { draw_path(ifindex), draw_path(ifindex) };
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 1 + random() % 2, .path = path };
	struct fib_prefix prefix = { .family = AF_INET, .length = 16, .address = { 10, ifindex } };
	__u32 leaf;

	if (random() % 8 == 0) {
		fib_route_delete(f.fib, MAIN, &prefix);
		return;
	}
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	cr_assert_eq(fib_route_set(f.fib, MAIN, &prefix, leaf, false), 0);
	fib_leaf_put(f.fib, leaf);
}

static void change_owned(__u32 leaf)
{
	struct fib_path path[4];
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 1 + random() % 4, .path = path };

	for (__u32 i = 0; i < spec.path_count; i++)
		path[i] = draw_path(1 + random() % INTERFACES);
	if (random() % 10 == 0)
		spec.reason = REASON_BLACKHOLE;
	cr_assert_eq(fib_leaf_change(f.fib, leaf, &spec), 0);
}

static struct fib_interface interface_of(__u32 ifindex)
{
	return ifindex == 4 ? fixture_vlan(4, 3, ETH_P_8021Q, 10) : fixture_ethernet(ifindex);
}

static void change_interface(void)
{
	struct fib_interface interface = interface_of(1 + random() % INTERFACES);

	interface.up = random() % 4 != 0;
	interface.mtu4 = random() % 2 ? 1500 : 1400;
	fixture_set(&f, &interface);
}

static void change_neighbour(void)
{
	__u32 ifindex = 1 + random() % INTERFACES;
	char gateway[32];

	snprintf(gateway, sizeof(gateway), "192.168.%u.%u", ifindex, 1 + (unsigned)random() % 3);
	fixture_neighbour(&f, ifindex, gateway, random() % 6 ? (int)(16 * ifindex + random() % 16) : -1);
}

static __u32 begin(struct reader *reader)
{
	struct fib_leaf_spec nothing = { .reason = REASON_PROHIBIT, .family = AF_INET };
	struct fib_interface vlan = interface_of(4);
	__u32 owned;

	fixture_new(&f, NULL);
	srandom(SEED);
	for (__u32 i = 1; i <= 3; i++)
		port_of[i] = fixture_port(&f, i);
	fixture_set(&f, &vlan);
	port_of[4] = port_of[3];
	cr_assert_eq(fib_leaf_new(f.fib, &nothing, &owned), 0);
	fixture_route_leaf(&f, MAIN, "10.9.0.0/16", owned, false);
	for (int i = 0; i < READERS; i++) {
		reader[i].seed = SEED + i;
		cr_assert_eq(grace_reader_add(fib_grace(f.fib), &reader[i].grace), 0);
		cr_assert_eq(pthread_create(&reader[i].thread, NULL, read_all, &reader[i]), 0);
	}
	return owned;
}

Test(fib_readers, never_see_what_is_not_whole)
{
	struct reader reader[READERS] = { 0 };
	__u32 owned = begin(reader);

	for (int step = 0; step < CHANGES; step++) {
		unsigned what = random() % 16;

		if (what < 8)
			change_route(1 + random() % INTERFACES);
		else if (what < 12)
			change_owned(owned);
		else if (what < 14)
			change_neighbour();
		else
			change_interface();
		if (step % 2 == 0)
			sched_yield();
		if (step % 4 == 0)
			fib_settle(f.fib);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(reader[i].thread, NULL);
		cr_expect_eq(reader[i].wrong, 0, "%llu of %llu answers wrong", reader[i].wrong,
			     reader[i].reads);
		cr_expect_gt(reader[i].forwarded, 500, "%llu of %llu", reader[i].forwarded, reader[i].reads);
		grace_reader_remove(fib_grace(f.fib), reader[i].grace);
	}
	fib_leaf_put(f.fib, owned);
	fixture_free(&f);
}
