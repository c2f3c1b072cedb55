// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/card_bed.h"

#define LARGE 2048000 /* elements */
#define DELAY 1000000 /* nanoseconds */

static void follow_changes(__u32 elements, __u64 seed, __u32 prefixes, unsigned rounds)
{
	struct card_bed *bed = card_bed_new(seed, elements, 0);
	struct card_usage usage;

	model_pool(bed->model, prefixes, CARD_BED_VRFS);
	cr_assert_eq(card_bed_pass(bed), 0);
	for (unsigned i = 0; i < rounds; i++) {
		card_bed_change(bed, 1 + random_below(&bed->model->random, 12));
		cr_assert_eq(card_bed_pass(bed), 0);
		cr_assert(card_bed_live(bed));
		cr_assert_eq(card_bed_compare(bed), 0);
		if (i % 8 == 0)
			image_update_settle(bed->model->update);
	}
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.punted, 0);
	cr_assert(bed->looks > rounds * 8, "the test has become weak");
	cr_assert(bed->punts < bed->looks / 4, "too much was left to the kernel");
	card_bed_free(bed);
}

/* Each answer between any two writes is that from before or from after. */
Test(card, every_write_leaves_it_right)
{
	follow_changes(LARGE, CARD_BED_SEED, 300, 40);
}

/* The same where a root of 24 bits has no room, so that it is cut. */
Test(card, every_write_leaves_a_small_one_right)
{
	struct card_sizes sizes;

	cr_assert_eq(card_sizes_fit(400000, &sizes), 0);
	cr_assert(sizes.split);
	for (__u64 seed = CARD_BED_SEED; seed < CARD_BED_SEED + 3; seed++)
		follow_changes(400000, seed, 400, 100);
}

/* Large tables; small tables that grow large roots in the other VRF. */
Test(card, large_tables)
{
	follow_changes(LARGE, CARD_BED_SEED + 1, 20000, 12);
}

/* What has no room punts, is counted, and comes back when there is room. */
Test(card, full)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 2, 40000, 0);
	struct card_usage usage;
	__u32 full;

	model_pool(bed->model, 20000, CARD_BED_VRFS);
	card_bed_load(bed);
	cr_assert_eq(card_bed_pass(bed), 0);
	full = card_bed_compare(bed);
	card_usage(bed->card, &usage);
	cr_assert(usage.punted > 0 && full > 100, "it was to be full: %u", full);
	cr_assert(full < bed->model->pool_count, "nothing is on the card");
	for (__u32 i = 0; i < bed->model->pool_count; i++)
		if (i % 256)
			model_change(bed->model, &bed->model->pool[i], 0);
	model_settle(bed->model);
	cr_assert_eq(card_bed_pass(bed), 0);
	card_usage(bed->card, &usage);
	cr_assert_eq(card_bed_compare(bed), 0);
	cr_assert_eq(usage.punted, 0);
	card_bed_free(bed);
}

/* Nothing is written anew while a packet may still be on its way through it. */
Test(card, waits_for_packets_under_way)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 3, 100000, 3600000000000ull);
	struct card_usage first, last, before;
	__u32 full = 0;

	model_pool(bed->model, 200, CARD_BED_VRFS);
	card_bed_load(bed);
	for (unsigned i = 0; i < 20; i++)
		cr_assert_geq(card_pass(bed->card), 0);
	cr_assert_eq(card_bed_compare(bed), 0);
	card_usage(bed->card, &first);
	last = first;
	bed->device->look = NULL;
	for (unsigned i = 0; i < 1000; i++) {
		before = last;
		card_bed_change(bed, 40);
		cr_assert_geq(card_pass(bed->card), 0);
		full = card_bed_compare(bed);
		card_usage(bed->card, &last);
		cr_assert(last.punted ||
				  (last.node_used >= before.node_used && last.run_used >= before.run_used),
			  "memory came back too early");
	}
	cr_assert_eq(first.punted, 0);
	cr_assert(last.punted > 0 && full > 0, "memory was reused: %u of %u cells, %u of %u words",
		  last.run_used, last.run_total, last.node_used, last.node_total);
	cr_assert(last.run_used > first.run_used + (last.run_total - first.run_used) / 2);
	card_bed_free(bed);
}

static void fail_somewhere(struct card_bed *bed, enum card_fault fault)
{
	card_bed_change(bed, 30);
	bed->device->fault = fault;
	bed->device->fault_at = bed->device->writes + 1 + random_below(&bed->model->random, 40);
}

/* The first thing that is written after a failure holds the card; it forwards again when all is right. */
static void first_look(void *arg, const struct card_device *device)
{
	struct card_bed *bed = arg;

	cr_assert(card_device_held(device), "seed %llu: a card that failed was written while it forwards",
		  bed->model->seed);
	bed->device->look = NULL;
}

static void fail_and_recover(enum card_fault fault)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 4, 100000, 0);
	struct card_usage usage;
	unsigned failures = 0;

	model_pool(bed->model, 500, CARD_BED_VRFS);
	card_bed_load(bed);
	for (unsigned i = 0; i < 40; i++) {
		int error;

		fail_somewhere(bed, fault);
		bed->device->look = NULL;
		error = card_bed_pass(bed);
		if (error) {
			cr_assert_eq(error, -ETIMEDOUT);
			failures++;
			bed->device->look = first_look;
			cr_assert_eq(card_bed_pass(bed), 0);
		}
		cr_assert(card_bed_live(bed));
		cr_assert_eq(card_bed_compare(bed), 0);
	}
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.failures, failures);
	cr_assert(failures > 20, "the test has become weak");
	card_bed_free(bed);
}

Test(card, elements_that_are_lost)
{
	fail_and_recover(CARD_FAULT_LOST);
}

Test(card, answers_that_are_lost)
{
	fail_and_recover(CARD_FAULT_UNTOLD);
}

/* Holding the image holds the card before anything else, and releasing it comes last. */
Test(card, held)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 5, 100000, 0);

	model_pool(bed->model, 100, CARD_BED_VRFS);
	card_bed_load(bed);
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert(card_bed_live(bed));
	card_bed_change(bed, 20);
	card_bed_release(bed, true);
	bed->device->look = first_look;
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_not(card_bed_live(bed));
	card_bed_release(bed, false);
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert(card_bed_live(bed));
	card_bed_free(bed);
}

static bool pause_until_passed(struct grace *grace, __u64 epoch)
{
	for (unsigned i = 0; i < 10000 && grace_passed(grace) < epoch; i++) {
		grace_poll(grace, grace_passed(grace) < epoch);
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
	return grace_passed(grace) >= epoch;
}

/* The image's grace period ends after a pass and the delay; a card that does not answer is not waited for. */
Test(card, grace)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 6, 100000, DELAY);
	struct grace *grace = bed->model->grace;
	struct card_usage usage;
	__u64 epoch;

	model_pool(bed->model, 100, CARD_BED_VRFS);
	card_bed_load(bed);
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(grace_add(grace, &card_wait, bed->card), 0);

	epoch = grace_epoch(grace);
	grace_poll(grace, true);
	cr_assert(card_wanted(bed->card));
	cr_assert_lt(grace_passed(grace), epoch);
	cr_assert_geq(card_pass(bed->card), 0);
	cr_assert_not(card_wanted(bed->card));
	cr_assert(pause_until_passed(grace, epoch));
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.overruns, 0);

	epoch = grace_epoch(grace);
	card_bed_change(bed, 20);
	cr_assert(pause_until_passed(grace, epoch), "the card blocks the image");
	bed->device->look = first_look;
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert(card_bed_live(bed));
	cr_assert_eq(card_bed_compare(bed), 0);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.overruns, 1);
	grace_remove(grace, &card_wait, bed->card);
	card_bed_free(bed);
}

/* A route and the fallback change in one go, either first: the answer is never that of both old, or both new.
 */
Test(card, fallback)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 10, 400000, 0);
	struct image_prefix all = { .family = IMAGE_IPV4, .layer = PREFIX_ROUTE };
	struct image_prefix prefix = { .family = IMAGE_IPV4, .length = 8, .layer = PREFIX_ROUTE };

	prefix.key.word[0] = 10u << 24;
	for (__u16 i = 0; i < 100; i++) {
		bed->probes = 0;
		card_bed_watch(bed, &prefix);
		card_bed_hop(bed, 100 + i);
		model_change(bed->model, &prefix, i & 1 ? 0 : 300);
		card_bed_hop(bed, 300);
		model_change(bed->model, &all, 100 + i);
		bed->probe[0].after = i & 1 ? 100 + i : 300;
		cr_assert_eq(card_bed_pass(bed), 0);
		cr_assert_eq(card_device_leaf(bed->device, 0, IMAGE_IPV4, bed->probe[0].address),
			     bed->probe[0].after);
	}
	cr_assert(bed->punts, "the kernel is not asked meanwhile");
	card_bed_free(bed);
}

/* Buckets before their group, members before buckets; a group too large for the card punts. */
Test(card, groups)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 7, 40000, 0);
	struct image_tables *tables = bed->model->store->tables;
	const __u32 *buckets = bed->device->map[CARD_BUCKET];
	struct image_prefix prefix = { .family = IMAGE_IPV4, .length = 8, .layer = PREFIX_ROUTE };
	struct card_usage usage;

	prefix.key.word[0] = 10u << 24;
	for (__u32 i = 0; i < 16; i++) {
		tables->bucket[64 + i] = 200 + i % 3;
		card_bed_hop(bed, 200 + i % 3);
	}
	tables->nexthop[300] =
		(struct image_nexthop){ .kind = NEXTHOP_GROUP, .bucket = 64, .bucket_mask = 15 };
	tables->nexthop[301] =
		(struct image_nexthop){ .kind = NEXTHOP_GROUP, .bucket = 2048 - 8, .bucket_mask = 15 };
	model_change(bed->model, &prefix, 300);
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(card_device_hop(bed->device, 300)->kind, NEXTHOP_GROUP);
	for (__u32 i = 0; i < 16; i++)
		cr_assert_eq(buckets[64 + i], 200 + i % 3);
	cr_assert_eq(card_device_hop(bed->device, 301)->bucket_mask, 0);
	cr_assert_eq(buckets[card_device_hop(bed->device, 301)->bucket], REASON_TABLE_FULL);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.groups_punted, 1);
	tables->nexthop[301].bucket = 64;
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(card_device_hop(bed->device, 301)->bucket_mask, 15);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.groups_punted, 0);
	tables->bucket[64 + 3] = 5000; /* a next hop that the card does not have */
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(buckets[64 + 3], REASON_TABLE_FULL);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.punted, 0);
	model_change(bed->model, &prefix, 5000);
	cr_assert_eq(card_bed_pass(bed), 0);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.punted, 1);
	card_bed_free(bed);
}

/* Interfaces, VLANs and the filter of own addresses are copied as they are. */
Test(card, tables)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 8, 40000, 0);
	struct image_tables *tables = bed->model->store->tables;
	__u64 writes;

	tables->interface[3] = (struct image_interface){ .mac = 0x1234, .flags = 3, .vlan = { 1 } };
	tables->vlan[4096 + 7] = 5;
	tables->own[77] = 1;
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(memcmp((struct image_interface *)bed->device->map[CARD_INTERFACE] + 3,
			    &tables->interface[3], sizeof(tables->interface[3])),
		     0);
	cr_assert_eq(((__u32 *)bed->device->map[CARD_VLAN])[4096 + 7], 5);
	cr_assert_eq(((__u32 *)bed->device->map[CARD_OWN])[77], 1);
	writes = bed->device->writes;
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(bed->device->writes, writes, "elements that did not change were written");
	tables->vlan[4096 + 7] = 6;
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert_eq(bed->device->writes, writes + 1);
	card_bed_free(bed);
}

/* Budgets of known firmware; too few elements for any table. */
Test(card, budgets)
{
	static const __u32 budgets[] = { 30000, 100000, 600000, LARGE, 3072000 };
	struct card_sizes sizes;

	for (unsigned i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		__u64 sum = 0;

		cr_assert_eq(card_sizes_fit(budgets[i], &sizes), 0);
		for (int map = 0; map < CARD_MAPS; map++) {
			cr_assert(sizes.entries[map] > 0);
			sum += sizes.entries[map];
		}
		cr_assert(sum <= budgets[i] && sum > budgets[i] - budgets[i] / 5, "%llu of %u", sum,
			  budgets[i]);
		cr_assert_eq(sizes.split, budgets[i] < LARGE);
	}
	cr_assert_eq(card_sizes_fit(1000, &sizes), -ENOSPC);
}
