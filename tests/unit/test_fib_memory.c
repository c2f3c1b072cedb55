// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Allocations that fail, one after the other: nothing crashes, nothing is lost or freed twice, and a fib that
 * could not store what it was told holds itself. The linker leads calloc, malloc and realloc of the fib here.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/image_store.h"
#include "tests/unit/fib_fixture.h"

#define SEED   7
#define ROUNDS 200
#define STEPS  250
#define OWNED  3
#define MAIN   RT_TABLE_MAIN

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Allocations until the first one that fails, then every second one does for a while; 0: none fails. */
static unsigned countdown, failures;

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	if (failures) {
		failures--;
		countdown = 2;
	}
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static struct fixture f;

static unsigned draw(unsigned limit)
{
	return (unsigned)random() % limit;
}

static struct fib_path draw_path(void)
{
	char gateway[32];

	snprintf(gateway, sizeof(gateway), "10.9.8.%u", draw(12));
	return fixture_path(1 + draw(4), draw(3) ? gateway : NULL, 1 + draw(3));
}

static struct fib_prefix draw_prefix(void)
{
	__u8 length = 24 + draw(9);

	return (struct fib_prefix){
		.family = AF_INET,
		.length = length,
		.address = { 10, 9, 8, draw(16) & (0xff00 >> (length - 24)) },
	};
}

static void change_route(const __u32 *owned)
{
	static const __u32 table[4] = { MAIN, 100, RT_TABLE_LOCAL, 101 };
	struct fib_path path[2] = { draw_path(), draw_path() };
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 1 + draw(2), .path = path };
	struct fib_prefix prefix = draw_prefix();
	unsigned which = draw(4);
	__u32 leaf = REASON_LOCAL;

	if (draw(3) == 0) {
		fib_route_delete(f.fib, table[which], &prefix);
		return;
	}
	if (which != 2 && draw(3) == 0)
		leaf = owned[draw(OWNED)];
	else if (which != 2 && fib_leaf_get(f.fib, &spec, &leaf) < 0)
		cr_assert_eq(leaf, REASON_TABLE_FULL);
	if (fib_route_set(f.fib, table[which], &prefix, leaf, which == 2) == -ENOMEM)
		cr_assert(fib_held(f.fib), "a route is missing and packets flow");
	if (leaf >= REASON_MAX && leaf != owned[0] && leaf != owned[1] && leaf != owned[2])
		fib_leaf_put(f.fib, leaf);
}

static void change_owned(const __u32 *owned)
{
	struct fib_path path[3] = { draw_path(), draw_path(), draw_path() };
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 1 + draw(3), .path = path };
	__u32 leaf = owned[draw(OWNED)];

	if (leaf >= REASON_MAX && fib_leaf_change(f.fib, leaf, &spec) < 0)
		cr_assert_eq(f.image->nexthop[leaf].reason, REASON_TABLE_FULL,
			     "old content after a failed change");
}

static void change_interface(void)
{
	__u32 ifindex = 1 + draw(4);
	struct fib_interface interface =
		ifindex == 4 ? fixture_vlan(4, 3, ETH_P_8021Q, 10 + draw(2)) : fixture_ethernet(ifindex);
	__u16 port;

	if (draw(6) == 0) {
		fib_interface_delete(f.fib, ifindex);
		return;
	}
	interface.up = draw(4) != 0;
	interface.table = draw(3) ? MAIN : 100 + draw(2);
	if (fib_interface_set(f.fib, &interface) == -ENOMEM)
		cr_assert(fib_held(f.fib));
	else if (ifindex < 4 && fib_port_add(f.fib, ifindex, &port) == 0)
		fib_port_egress(f.fib, port, true, false);
}

static void change_neighbour(void)
{
	__u8 address[16] = { 10, 9, 8, draw(16) }, mac[6] = { 2, 1, 1, 1, 1, draw(256) };

	(void)fib_neighbour_set(f.fib, 1 + draw(4), AF_INET, address, draw(3) ? mac : NULL);
}

static void take_all_back(const __u32 *owned)
{
	static const __u32 table[4] = { MAIN, 100, RT_TABLE_LOCAL, 101 };

	for (int i = 0; i < 4; i++) {
		for (int length = 24; length <= 32; length++) {
			for (int last = 0; last < 16; last++) {
				struct fib_prefix prefix = {
					.family = AF_INET,
					.length = length,
					.address = { 10, 9, 8, last & (0xff00 >> (length - 24)) },
				};

				fib_route_delete(f.fib, table[i], &prefix);
			}
		}
	}
	for (int i = 0; i < OWNED; i++)
		fib_leaf_put(f.fib, owned[i]);
	for (__u16 port = 0; port < 3; port++)
		fib_port_delete(f.fib, port);
	for (__u32 ifindex = 1; ifindex <= 4; ifindex++)
		fib_interface_delete(f.fib, ifindex);
}

/* Returns whether the fib had lost something. */
static bool check_empty(unsigned round)
{
	struct fib_stats stats;

	fixture_settle(&f);
	fib_stats(f.fib, &stats);
	cr_assert_eq(stats.leaves + stats.groups + stats.neighbours + stats.interfaces, 0, "round %u", round);
	cr_assert_eq(stats.routes[0] + stats.bucket_used, 0, "round %u", round);
	cr_assert_eq(stats.nexthop_used, REASON_MAX, "round %u", round);
	cr_assert_eq(stats.lost, fib_held(f.fib));
	return stats.lost;
}

static bool run(unsigned round)
{
	__u32 owned[OWNED];
	bool lost;

	srandom(SEED + round);
	fixture_new(&f, NULL);
	countdown = 1 + round;
	failures = draw(40);
	for (int i = 0; i < OWNED; i++) {
		struct fib_leaf_spec spec = { .reason = REASON_PROHIBIT, .family = AF_INET };

		(void)fib_leaf_new(f.fib, &spec, &owned[i]);
	}
	for (int step = 0; step < STEPS; step++) {
		unsigned what = draw(10);

		if (what < 5)
			change_route(owned);
		else if (what < 6)
			change_owned(owned);
		else if (what < 8)
			change_neighbour();
		else
			change_interface();
		if (draw(4) == 0)
			fib_settle(f.fib);
	}
	take_all_back(owned);
	countdown = 0;
	lost = check_empty(round);
	fixture_free(&f);
	return lost;
}

Test(fib_memory, any_allocation_may_fail)
{
	unsigned lost = 0;

	for (unsigned round = 0; round < ROUNDS; round++)
		lost += run(round);
	cr_assert(lost > ROUNDS / 10 && lost < ROUNDS, "%u of %u rounds lost something", lost, ROUNDS);
}

Test(fib_memory, no_fib_at_all)
{
	static const struct fib_limits limits = { .node_chunks = 1 << 17, .run_cells = 1 << 20 };
	unsigned failed = 0;

	for (unsigned first = 1; first < 200; first++) {
		struct image_store *store;
		struct fib *fib;
		int error;

		cr_assert_eq(image_store_memory(&limits, &store), 0);
		countdown = first;
		failures = 0;
		error = fib_new(&limits, store, &fib);
		countdown = 0;
		cr_assert(error == 0 || error == -ENOMEM);
		failed += error != 0;
		if (!error)
			fib_free(fib);
		image_store_free(store);
		if (!error)
			break;
	}
	cr_assert_gt(failed, 10);
}
