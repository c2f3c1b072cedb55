// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/mirror/objects.h"

#define IDS     16
#define GROUPS  8
#define DEVICES 3

static struct objects *objects;
static struct nexthop_message message;
static struct route_path path[ROUTE_PATHS];
static int told[64], gone[64];

static void changed(void *arg, __u32 id, bool is_gone)
{
	told[id % 64]++;
	gone[id % 64] += is_gone;
}

static void setup(void)
{
	cr_assert_eq(objects_new(changed, NULL, &objects), 0);
}

static void teardown(void)
{
	objects_free(objects);
}

TestSuite(objects, .init = setup, .fini = teardown);

static void single(__u32 id, __u32 ifindex, __u8 gateway)
{
	message = (struct nexthop_message){ .id = id, .family = AF_INET };
	message.path = (struct route_path){ .ifindex = ifindex, .family = AF_INET, .weight = 1 };
	message.path.gateway[3] = gateway;
	cr_assert_eq(objects_apply(objects, &message), 0);
}

static void group_of(__u32 id, __u32 count, const __u32 *member, const __u16 *weight)
{
	message = (struct nexthop_message){ .id = id, .group = true, .member_count = count };
	for (__u32 i = 0; i < count; i++)
		message.member[i] = (struct nexthop_member){ .id = member[i], .weight = weight[i] };
	cr_assert_eq(objects_apply(objects, &message), 0);
}

static void delete (__u32 id)
{
	message = (struct nexthop_message){ .id = id, .deleted = true };
	cr_assert_eq(objects_apply(objects, &message), 0);
}

Test(objects, states)
{
	__u32 count;

	cr_expect_eq(objects_resolve(objects, 1, path, &count), OBJECTS_UNKNOWN);
	single(1, 2, 9);
	cr_expect_eq(objects_resolve(objects, 1, path, &count), OBJECTS_PATHS);
	cr_expect(count == 1 && path[0].ifindex == 2 && path[0].gateway[3] == 9);
	message = (struct nexthop_message){ .id = 2, .blackhole = true };
	cr_assert_eq(objects_apply(objects, &message), 0);
	cr_expect_eq(objects_resolve(objects, 2, path, &count), OBJECTS_REJECTS);
	message = (struct nexthop_message){ .id = 3, .encap = true };
	cr_assert_eq(objects_apply(objects, &message), 0);
	cr_expect_eq(objects_resolve(objects, 3, path, &count), OBJECTS_ENCAPS);
	message = (struct nexthop_message){ .id = 4, .fdb = true };
	cr_assert_eq(objects_apply(objects, &message), 0);
	cr_expect_eq(objects_resolve(objects, 4, path, &count), OBJECTS_OTHER);
	/* A group is what its members are. */
	group_of(20, 2, (__u32[]){ 1, 3 }, (__u16[]){ 1, 1 });
	cr_expect_eq(objects_resolve(objects, 20, path, &count), OBJECTS_ENCAPS);
	group_of(20, 2, (__u32[]){ 1, 7 }, (__u16[]){ 1, 1 });
	cr_expect_eq(objects_resolve(objects, 20, path, &count), OBJECTS_UNKNOWN);
	group_of(20, 1, (__u32[]){ 1 }, (__u16[]){ 5 });
	cr_expect_eq(objects_resolve(objects, 20, path, &count), OBJECTS_PATHS);
	cr_expect(count == 1 && path[0].weight == 5);
}

Test(objects, groups_hear_of_their_members)
{
	single(1, 2, 9);
	group_of(20, 1, (__u32[]){ 1 }, (__u16[]){ 1 });
	memset(told, 0, sizeof(told));
	single(1, 2, 9); /* nothing new */
	cr_expect(!told[1] && !told[20]);
	single(1, 3, 9);
	cr_expect(told[1] == 1 && told[20] == 1 && !gone[1]);
	delete (1);
	cr_expect(gone[1] == 1 && gone[20] == 1);
}

Test(objects, sweep_removes_what_a_dump_did_not_show)
{
	__u32 groups;

	for (__u32 id = 1; id <= 4; id++)
		single(id, 2, (__u8)id);
	group_of(20, 2, (__u32[]){ 1, 2 }, (__u16[]){ 1, 1 });
	group_of(21, 2, (__u32[]){ 3, 4 }, (__u16[]){ 1, 1 });
	objects_sync_begin(objects);
	single(1, 2, 1);
	single(2, 2, 2);
	group_of(20, 2, (__u32[]){ 1, 2 }, (__u16[]){ 1, 1 });
	cr_expect_eq(objects_sync_end(objects), 3);
	cr_expect_eq(objects_count(objects, &groups), 3);
	cr_expect_eq(groups, 1);
}

/* A naive copy of what the kernel keeps. */
static struct {
	bool there;
	__u32 ifindex, members;
	__u32 member[4];
} model[IDS + GROUPS + 1];

static void model_remove(__u32 id)
{
	model[id].there = false;
	for (__u32 group = IDS + 1; id <= IDS && group <= IDS + GROUPS; group++) {
		__u32 kept = 0;

		for (__u32 i = 0; model[group].there && i < model[group].members; i++)
			if (model[group].member[i] != id)
				model[group].member[kept++] = model[group].member[i];
		if (model[group].there && kept != model[group].members) {
			model[group].members = kept;
			model[group].there = kept;
		}
	}
}

static void expect_model(unsigned seed, int step)
{
	__u32 count, there = 0;

	for (__u32 id = 1; id <= IDS + GROUPS; id++) {
		enum objects_state state = objects_resolve(objects, id, path, &count);

		there += model[id].there;
		cr_assert_eq(state == OBJECTS_PATHS, model[id].there, "seed %u, step %d, id %u", seed, step,
			     id);
		if (!model[id].there)
			continue;
		cr_assert_eq(count, id <= IDS ? 1 : model[id].members, "seed %u, step %d, id %u", seed, step,
			     id);
		for (__u32 i = 0; i < count; i++)
			cr_assert_eq(path[i].ifindex, model[id <= IDS ? id : model[id].member[i]].ifindex);
	}
	cr_assert_eq(objects_count(objects, NULL), there, "seed %u, step %d", seed, step);
}

static void random_group(unsigned *dice)
{
	__u32 id = IDS + 1 + (__u32)rand_r(dice) % GROUPS, member[4], count = 0;
	__u16 weight[4];

	for (__u32 i = 1; i <= IDS && count < 4; i++)
		if (model[i].there && rand_r(dice) % 3 == 0)
			member[count++] = i;
	if (!count)
		return;
	for (__u32 i = 0; i < count; i++)
		weight[i] = (__u16)(1 + rand_r(dice) % 5);
	group_of(id, count, member, weight);
	model[id].there = true;
	model[id].members = count;
	memcpy(model[id].member, member, sizeof(member));
}

Test(objects, random_changes_agree_with_a_model)
{
	unsigned seed = 20261130, dice = seed;

	for (int step = 0; step < 20000; step++) {
		__u32 id = 1 + (__u32)rand_r(&dice) % IDS, ifindex = 1 + (__u32)rand_r(&dice) % DEVICES;

		switch (rand_r(&dice) % 8) {
		case 0:
			id = 1 + (__u32)rand_r(&dice) % (IDS + GROUPS);
			delete (id);
			model_remove(id);
			break;
		case 1:
			if (rand_r(&dice) % 10)
				break;
			objects_link_lost(objects, ifindex);
			for (__u32 i = 1; i <= IDS; i++)
				if (model[i].there && model[i].ifindex == ifindex)
					model_remove(i);
			break;
		case 2:
		case 3:
			random_group(&dice);
			break;
		default:
			single(id, ifindex, (__u8)id);
			model[id].there = true;
			model[id].ifindex = ifindex;
		}
		expect_model(seed, step);
	}
}
