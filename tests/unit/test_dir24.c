// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// DIR-24-8 against the naive match, while routes come and go.

#include "bench/dir24.h"
#include "bench/lookup_layout.h"
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "tests/oracle/lpm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SEED  20261130
#define POOL  400
#define STEPS 6000

static struct lookup_dir *arrays;
static struct dir24 *dir24;
static struct lpm *naive;
static struct random random_state;
static struct table_route pool[POOL];

// Nested routes, some longer than /24, in few places.
static void draw_pool(void)
{
	for (unsigned int i = 0; i < POOL; i++) {
		pool[i] =
			(struct table_route){ .family = AF_INET, .len = 9 + random_below(&random_state, 24) };
		pool[i].addr[0] = 10 + random_below(&random_state, 2);
		pool[i].addr[1] = random_below(&random_state, 2) * 128;
		pool[i].addr[2] = random_below(&random_state, 4);
		pool[i].addr[3] = random_next(&random_state);
		prefix_clear_host_bits(pool[i].addr, pool[i].len, 32);
	}
}

static __u32 find(const __u8 *address)
{
	__u32 entry = arrays->first[address[0] << 16 | address[1] << 8 | address[2]];

	return entry & LOOKUP_DIR_GROUP ? arrays->group[(entry & ~LOOKUP_DIR_GROUP) * 256 + address[3]]
					: entry;
}

static void check(const __u8 *address)
{
	__u32 expect = 0;

	lpm_lookup(naive, address, &expect, NULL);
	cr_assert_eq(find(address), expect, "%u.%u.%u.%u is %u, not %u", address[0], address[1], address[2],
		     address[3], find(address), expect);
}

// The ends of a route and what is beside them.
static void check_around(const struct table_route *route)
{
	__u32 first =
		(__u32)route->addr[0] << 24 | route->addr[1] << 16 | route->addr[2] << 8 | route->addr[3];
	__u32 last = first | (__u32)((1ull << (32 - route->len)) - 1);
	__u32 near[] = { first, last, first - 1, last + 1, first + (last - first) / 2 };

	for (unsigned int i = 0; i < 5; i++) {
		__u8 address[4] = { near[i] >> 24, near[i] >> 16, near[i] >> 8, near[i] };

		check(address);
	}
}

static void change(const struct table_route *route)
{
	struct table_route changed = *route;
	bool there = lpm_find(naive, route->addr, route->len, &changed.nexthop);

	if (there && random_below(&random_state, 2)) {
		cr_assert_eq(dir24_delete(dir24, route), 0);
		lpm_delete(naive, route->addr, route->len);
		return;
	}
	if (!there)
		cr_assert_eq(dir24_delete(dir24, route), -ENOENT);
	changed.nexthop = 1 + random_below(&random_state, 65535);
	cr_assert_eq(dir24_set(dir24, &changed), 0);
	cr_assert_eq(lpm_insert(naive, route->addr, route->len, changed.nexthop), 0);
}

Test(dir24, follows_routes_that_come_and_go)
{
	arrays = mmap(NULL, sizeof(*arrays), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cr_assert_neq(arrays, MAP_FAILED);
	cr_assert_eq(dir24_new(arrays, &dir24), 0);
	naive = lpm_new(32);
	random_seed(&random_state, SEED);
	draw_pool();
	for (unsigned int i = 0; i < STEPS; i++) {
		change(&pool[random_below(&random_state, POOL)]);
		for (unsigned int k = 0; k < 8; k++)
			check_around(&pool[random_below(&random_state, POOL)]);
	}
	dir24_free(dir24);
	lpm_free(naive);
	munmap(arrays, sizeof(*arrays));
}
