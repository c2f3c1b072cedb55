// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What is wanted, before anything is asked.

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/loop.h"
#include "host/mirror/resync.h"

#define ROOM  8192  // see WANTED_MAX
#define NEVER 60000 // ms

static struct loop *loop;
static struct resync *resync;

static void setup(void)
{
	static const struct resync_ops none;

	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(resync_new(loop, NULL, NULL, NULL, NULL, &none, NULL, &resync), 0);
}

static void teardown(void)
{
	resync_free(resync);
	loop_free(loop);
}

TestSuite(resync, .init = setup, .fini = teardown);

static struct resync_dump routes(__u32 table, __u32 ifindex)
{
	return (struct resync_dump){
		.kind = RESYNC_ROUTES, .family = AF_INET, .table = table, .ifindex = ifindex
	};
}

static int want(__u32 table, __u32 ifindex)
{
	struct resync_dump dump = routes(table, ifindex);

	return resync_want(resync, &dump, NEVER);
}

static bool wants(__u32 table, __u32 ifindex)
{
	struct resync_dump dump = routes(table, ifindex);

	return resync_wants(resync, &dump);
}

Test(resync, a_whole_table_is_all_of_its_devices)
{
	cr_assert_eq(want(RT_TABLE_MAIN, 3), 0);
	cr_expect(wants(RT_TABLE_MAIN, 3));
	cr_expect_not(wants(RT_TABLE_MAIN, 4));
	cr_expect_not(wants(RT_TABLE_MAIN, 0));
	cr_assert_eq(want(RT_TABLE_MAIN, 0), 0);
	cr_expect(wants(RT_TABLE_MAIN, 4));
	cr_expect_not(wants(RT_TABLE_LOCAL, 4));
}

// More devices than there is room for: of one table all are asked for at once.
Test(resync, a_wish_without_room_becomes_a_larger_one)
{
	for (__u32 i = 0; i < ROOM; i++)
		cr_assert_eq(want(i % 2 ? 100 : 101, 1 + i), 0);
	cr_expect_not(wants(100, 9999));
	cr_expect_eq(want(100, 9999), 0);
	cr_expect(wants(100, 9999));
	for (__u32 i = 0; i < ROOM; i++)
		cr_assert(wants(i % 2 ? 100 : 101, 1 + i), "device %u is forgotten", 1 + i);
	cr_expect_not(wants(101, 9999));
	cr_expect_eq(want(101, 9999), 0);
	cr_expect_not(wants(101, 9998));
}

// Nothing is there that it could stand for, too.
Test(resync, a_wish_of_another_table_is_refused_without_room)
{
	for (__u32 i = 0; i < ROOM; i++)
		cr_assert_eq(want(100, 1 + i), 0);
	cr_expect_eq(want(101, 1), -ENOSPC);
	cr_expect_not(wants(101, 1));
	cr_expect(wants(100, ROOM));
}
