// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/card_device.h"
#include "tests/unit/image_model.h"

#define SEED   20261130
#define PROBES 48
#define VRFS   2
#define LARGE  2048000 /* elements */
#define DELAY  1000000 /* nanoseconds */

/* An address whose answer is watched while the card is written. */
struct probe {
	__u16 vrf;
	__u8 family;
	__u8 address[16];
	__u32 before, after;
};

struct bed {
	struct image_model *model;
	struct card_sizes sizes;
	struct card_device *device;
	struct card *card;
	struct probe probe[PROBES];
	unsigned probes;
	bool late;          /* the image does not wait any more: what could not be read punts */
	__u64 looks, punts; /* answers that were looked at; that were the kernel's meanwhile */
};

static __u32 on_card(const struct bed *bed, __u32 leaf)
{
	return leaf < bed->sizes.entries[CARD_HOP] ? leaf : REASON_TABLE_FULL;
}

static void look_at(struct bed *bed, const struct card_device *device, const struct probe *probe)
{
	__u32 leaf = card_device_leaf(device, probe->vrf, probe->family, probe->address);

	bed->looks++;
	if (leaf == REASON_NO_ROUTE && leaf != probe->after) {
		bed->punts++; /* the fallback changes */
		return;
	}
	if (leaf == REASON_TABLE_FULL && bed->late)
		return;
	if (leaf != probe->before && leaf != probe->after)
		cr_assert_fail("seed %llu, write %llu: leaf %u, which is neither %u nor %u", bed->model->seed,
			       device->writes, leaf, probe->before, probe->after);
	if (memcmp(card_device_hop(device, leaf), &bed->model->store->tables->nexthop[leaf],
		   sizeof(struct image_nexthop)) != 0)
		cr_assert_fail("seed %llu, write %llu: the card does not know next hop %u yet",
			       bed->model->seed, device->writes, leaf);
}

static void look(void *arg, const struct card_device *device)
{
	struct bed *bed = arg;

	if (card_device_held(device))
		return;
	for (unsigned i = 0; i < bed->probes; i++)
		look_at(bed, device, &bed->probe[i]);
}

static void release(struct bed *bed, bool held)
{
	struct image_control *control = &bed->model->store->tables->control;

	control->version = IMAGE_VERSION;
	control->held = held;
}

static struct bed *bed_new(__u64 seed, __u32 elements, __u64 delay)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct card_writer writer;

	cr_assert(bed);
	bed->model = model_new(seed, 0, 0);
	release(bed, false);
	cr_assert_eq(card_sizes_fit(elements, &bed->sizes), 0);
	bed->device = card_device_new(&bed->sizes);
	writer = card_device_writer(bed->device);
	cr_assert_eq(card_new(bed->model->store, &bed->sizes, &writer, delay, &bed->card), 0);
	bed->device->look = look;
	bed->device->arg = bed;
	return bed;
}

static void bed_free(struct bed *bed)
{
	card_free(bed->card);
	card_device_free(bed->device);
	model_free(bed->model);
	free(bed);
}

/* Next hops that forward, told apart by their MAC; they are made when the first route leads to them. */
static void make_hop(struct bed *bed, __u32 leaf)
{
	struct image_nexthop *hop = &bed->model->store->tables->nexthop[leaf];

	if (leaf >= REASON_MAX)
		*hop = (struct image_nexthop){ .kind = NEXTHOP_FORWARD, .mac0 = leaf, .mtu = 1500 };
}

static void watch(struct bed *bed, const struct image_prefix *prefix)
{
	struct probe *probe = &bed->probe[bed->probes];

	if (bed->probes == PROBES || prefix->vrf >= VRFS)
		return;
	probe->vrf = prefix->vrf;
	probe->family = prefix->family;
	model_address(&prefix->key, probe->address);
	probe->before = card_device_leaf(bed->device, probe->vrf, probe->family, probe->address);
	bed->probes++;
}

static void change_some(struct bed *bed, unsigned count)
{
	struct image_model *model = bed->model;

	bed->probes = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct image_prefix *prefix =
			&model->pool[random_below(&model->random, model->pool_count)];
		__u16 leaf = random_below(&model->random, 3) ? 100 + random_below(&model->random, 400) : 0;

		watch(bed, prefix);
		make_hop(bed, leaf);
		model_change(model, prefix, leaf);
	}
	for (unsigned i = 0; i < PROBES / 2; i++)
		watch(bed, &model->pool[random_below(&model->random, model->pool_count)]);
	for (unsigned i = 0; i < bed->probes; i++) {
		struct probe *probe = &bed->probe[i];

		probe->after = on_card(bed, model_answer(model, probe->vrf, probe->family, probe->address));
	}
}

/* Until the card needs no more passes; errors end it. */
static int pass_all(struct bed *bed)
{
	int error;

	for (unsigned i = 0; (error = card_pass(bed->card)) == 1; i++) {
		cr_assert(i < 100000, "seed %llu: passes have no end", bed->model->seed);
		nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	}
	return error;
}

/* Returns the number of answers that are TABLE_FULL for want of room. */
static __u32 compare(struct bed *bed)
{
	__u32 full = 0;

	for (__u32 i = 0; i < bed->model->pool_count; i++) {
		const struct image_prefix *prefix = &bed->model->pool[i];
		__u32 leaf, right;
		__u8 address[16];

		model_address(&prefix->key, address);
		leaf = card_device_leaf(bed->device, prefix->vrf, prefix->family, address);
		right = on_card(bed, model_answer(bed->model, prefix->vrf, prefix->family, address));
		full += leaf != right;
		if (leaf != right && leaf != REASON_TABLE_FULL)
			cr_assert_fail("seed %llu, prefix %u: leaf %u instead of %u", bed->model->seed, i,
				       leaf, right);
	}
	return full;
}

static bool live(const struct bed *bed)
{
	struct card_usage usage;

	card_usage(bed->card, &usage);
	cr_assert_eq(usage.live, !card_device_held(bed->device));
	return usage.live;
}

static void follow_changes(__u32 elements, __u64 seed, __u32 prefixes, unsigned rounds)
{
	struct bed *bed = bed_new(seed, elements, 0);
	struct card_usage usage;

	model_pool(bed->model, prefixes, VRFS);
	cr_assert_eq(pass_all(bed), 0);
	for (unsigned i = 0; i < rounds; i++) {
		change_some(bed, 1 + random_below(&bed->model->random, 12));
		cr_assert_eq(pass_all(bed), 0);
		cr_assert(live(bed));
		cr_assert_eq(compare(bed), 0);
		if (i % 8 == 0)
			image_update_settle(bed->model->update);
	}
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.punted, 0);
	cr_assert(bed->looks > rounds * 8, "the test has become weak");
	cr_assert(bed->punts < bed->looks / 4, "too much was left to the kernel");
	bed_free(bed);
}

/* Each answer between any two writes is that from before or from after. */
Test(card, every_write_leaves_it_right)
{
	follow_changes(LARGE, SEED, 300, 40);
}

/* The same where a root of 24 bits has no room, so that it is cut. */
Test(card, every_write_leaves_a_small_one_right)
{
	struct card_sizes sizes;

	cr_assert_eq(card_sizes_fit(400000, &sizes), 0);
	cr_assert(sizes.split);
	for (__u64 seed = SEED; seed < SEED + 3; seed++)
		follow_changes(400000, seed, 400, 100);
}

/* Large tables; small tables that grow large roots in the other VRF. */
Test(card, large_tables)
{
	follow_changes(LARGE, SEED + 1, 20000, 12);
}

static void load(struct bed *bed)
{
	struct image_model *model = bed->model;

	for (__u32 i = 0; i < model->pool_count; i++) {
		__u16 leaf = 100 + random_below(&model->random, 400);

		make_hop(bed, leaf);
		model_change(model, &model->pool[i], leaf);
		if (i % 64 == 0)
			image_update_settle(model->update);
	}
	model_settle(model);
}

/* What has no room punts, is counted, and comes back when there is room. */
Test(card, full)
{
	struct bed *bed = bed_new(SEED + 2, 40000, 0);
	struct card_usage usage;
	__u32 full;

	model_pool(bed->model, 20000, VRFS);
	load(bed);
	cr_assert_eq(pass_all(bed), 0);
	full = compare(bed);
	card_usage(bed->card, &usage);
	cr_assert(usage.punted > 0 && full > 100, "it was to be full: %u", full);
	cr_assert(full < bed->model->pool_count, "nothing is on the card");
	for (__u32 i = 0; i < bed->model->pool_count; i++)
		if (i % 256)
			model_change(bed->model, &bed->model->pool[i], 0);
	model_settle(bed->model);
	cr_assert_eq(pass_all(bed), 0);
	card_usage(bed->card, &usage);
	cr_assert_eq(compare(bed), 0);
	cr_assert_eq(usage.punted, 0);
	bed_free(bed);
}

/* Nothing is written anew while a packet may still be on its way through it. */
Test(card, waits_for_packets_under_way)
{
	struct bed *bed = bed_new(SEED + 3, 100000, 3600000000000ull);
	struct card_usage first, last, before;
	__u32 full = 0;

	model_pool(bed->model, 200, VRFS);
	load(bed);
	for (unsigned i = 0; i < 20; i++)
		cr_assert_geq(card_pass(bed->card), 0);
	cr_assert_eq(compare(bed), 0);
	card_usage(bed->card, &first);
	last = first;
	bed->device->look = NULL;
	for (unsigned i = 0; i < 1000; i++) {
		before = last;
		change_some(bed, 40);
		cr_assert_geq(card_pass(bed->card), 0);
		full = compare(bed);
		card_usage(bed->card, &last);
		cr_assert(last.punted ||
				  (last.node_used >= before.node_used && last.run_used >= before.run_used),
			  "memory came back too early");
	}
	cr_assert_eq(first.punted, 0);
	cr_assert(last.punted > 0 && full > 0, "memory was reused: %u of %u cells, %u of %u words",
		  last.run_used, last.run_total, last.node_used, last.node_total);
	cr_assert(last.run_used > first.run_used + (last.run_total - first.run_used) / 2);
	bed_free(bed);
}

static void fail_somewhere(struct bed *bed, enum card_fault fault)
{
	change_some(bed, 30);
	bed->device->fault = fault;
	bed->device->fault_at = bed->device->writes + 1 + random_below(&bed->model->random, 40);
}

/* The first thing that is written after a failure holds the card; it forwards again when all is right. */
static void first_look(void *arg, const struct card_device *device)
{
	struct bed *bed = arg;

	cr_assert(card_device_held(device), "seed %llu: a card that failed was written while it forwards",
		  bed->model->seed);
	bed->device->look = NULL;
}

static void fail_and_recover(enum card_fault fault)
{
	struct bed *bed = bed_new(SEED + 4, 100000, 0);
	struct card_usage usage;
	unsigned failures = 0;

	model_pool(bed->model, 500, VRFS);
	load(bed);
	for (unsigned i = 0; i < 40; i++) {
		int error;

		fail_somewhere(bed, fault);
		bed->device->look = NULL;
		error = pass_all(bed);
		if (error) {
			cr_assert_eq(error, -ETIMEDOUT);
			failures++;
			bed->device->look = first_look;
			cr_assert_eq(pass_all(bed), 0);
		}
		cr_assert(live(bed));
		cr_assert_eq(compare(bed), 0);
	}
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.failures, failures);
	cr_assert(failures > 20, "the test has become weak");
	bed_free(bed);
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
	struct bed *bed = bed_new(SEED + 5, 100000, 0);

	model_pool(bed->model, 100, VRFS);
	load(bed);
	cr_assert_eq(pass_all(bed), 0);
	cr_assert(live(bed));
	change_some(bed, 20);
	release(bed, true);
	bed->device->look = first_look;
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_not(live(bed));
	release(bed, false);
	cr_assert_eq(pass_all(bed), 0);
	cr_assert(live(bed));
	bed_free(bed);
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
	struct bed *bed = bed_new(SEED + 6, 100000, DELAY);
	struct grace *grace = bed->model->grace;
	struct card_usage usage;
	__u64 epoch;

	model_pool(bed->model, 100, VRFS);
	load(bed);
	cr_assert_eq(pass_all(bed), 0);
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
	change_some(bed, 20);
	cr_assert(pause_until_passed(grace, epoch), "the card blocks the image");
	bed->device->look = first_look;
	cr_assert_eq(pass_all(bed), 0);
	cr_assert(live(bed));
	cr_assert_eq(compare(bed), 0);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.overruns, 1);
	grace_remove(grace, &card_wait, bed->card);
	bed_free(bed);
}

/* Passes in a thread of their own. */
struct feeder {
	struct bed *bed;
	_Atomic bool stop;
	_Atomic int error;
	_Atomic __u64 wrong, unknown;
	bool slow; /* sometimes for longer than the image waits */
};

static void *feed(void *arg)
{
	struct feeder *feeder = arg;
	int error = 0;

	while (!feeder->stop && error >= 0) {
		error = card_pass(feeder->bed->card);
		if (error == 0 && !card_wanted(feeder->bed->card))
			nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
	feeder->error = error < 0 ? error : 0;
	return NULL;
}

/*
 * Addresses with routes of their own, whose answer is the same whatever happens around them; and next hops,
 * which the card knows before any route leads to them.
 */
static void look_at_steady(void *arg, const struct card_device *device)
{
	struct feeder *feeder = arg;
	struct bed *bed = feeder->bed;

	if (feeder->slow && device->writes % 2000 == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
	if (card_device_held(device))
		return;
	for (unsigned i = 0; i < bed->probes; i++) {
		const struct probe *probe = &bed->probe[i];
		__u32 leaf = card_device_leaf(device, probe->vrf, probe->family, probe->address);

		bed->looks++;
		if (leaf >= REASON_MAX)
			feeder->unknown += card_device_hop(device, leaf)->mac0 != leaf;
		if (i < PROBES / 2)
			feeder->wrong += leaf != probe->after && leaf != REASON_TABLE_FULL;
	}
}

static void steady_routes(struct bed *bed)
{
	for (unsigned i = 0; i < PROBES / 2; i++) {
		struct image_prefix prefix = bed->model->pool[i];

		prefix.layer = PREFIX_SHADOW;
		prefix.length = prefix.family == IMAGE_IPV4 ? 32 : 128;
		watch(bed, &prefix);
		bed->probe[i].after = 70 + i;
		make_hop(bed, 70 + i);
		model_change(bed->model, &prefix, 70 + i);
	}
	while (bed->probes < PROBES)
		watch(bed, &bed->model->pool[bed->probes]);
}

/* Each next hop is there just before the first route to it. */
static void change_on(struct bed *bed, unsigned changes)
{
	struct image_model *model = bed->model;

	for (unsigned i = 0; i < changes; i++) {
		struct image_prefix prefix = model->pool[random_below(&model->random, model->pool_count)];
		__u16 leaf = 100 + i * 900 / changes;

		if (prefix.layer == PREFIX_SHADOW && prefix.length >= 32)
			continue;
		make_hop(bed, leaf);
		model_change(model, &prefix, random_below(&model->random, 3) ? leaf : 0);
		if (i % 16 == 0)
			image_update_settle(model->update);
	}
	model_settle(model);
}

static void change_during_passes(bool slow, unsigned changes)
{
	struct bed *bed = bed_new(SEED + 9, 400000, 100000);
	struct feeder feeder = { .bed = bed, .slow = slow };
	struct card_usage usage;
	pthread_t thread;

	model_pool(bed->model, 2000, VRFS);
	steady_routes(bed);
	bed->device->look = NULL;
	cr_assert_eq(pass_all(bed), 0);
	bed->device->look = look_at_steady;
	bed->device->arg = &feeder;
	cr_assert_eq(grace_add(bed->model->grace, &card_wait, bed->card), 0);
	cr_assert_eq(pthread_create(&thread, NULL, feed, &feeder), 0);
	change_on(bed, changes);
	feeder.stop = true;
	pthread_join(thread, NULL);
	cr_assert_eq(feeder.error, 0);
	cr_assert_eq(pass_all(bed), 0);
	cr_assert(live(bed));
	cr_assert_eq(compare(bed), 0);
	cr_assert_eq(feeder.wrong, 0, "%llu wrong answers of %llu", (unsigned long long)feeder.wrong,
		     bed->looks);
	cr_assert_eq(feeder.unknown, 0, "%llu next hops that the card did not know",
		     (unsigned long long)feeder.unknown);
	cr_assert(bed->looks > 10000, "the test has become weak");
	card_usage(bed->card, &usage);
	cr_assert(!slow || usage.overruns > 0, "the card was never late");
	grace_remove(bed->model->grace, &card_wait, bed->card);
	bed_free(bed);
}

/* The image's writer goes on while passes run, and reuses its memory when the card had its grace period. */
Test(card, image_changes_during_passes)
{
	change_during_passes(false, 20000);
}

/* The same where the card is late again and again, and is not waited for. */
Test(card, image_does_not_wait_for_a_slow_card)
{
	change_during_passes(true, 40000);
}

#define GARBAGE 999 /* a leaf that no route leads to */

/* Before a certain write the image gives up waiting, and what it had in run[] has another use. */
struct spoiler {
	struct bed *bed;
	__u64 at;
	__u32 *kept;
};

static void spoil(void *arg, const struct card_device *device)
{
	struct spoiler *spoiler = arg;
	struct image_store *store = spoiler->bed->model->store;

	if (device->writes == spoiler->at) {
		card_wait.begin(spoiler->bed->card);
		while (!card_wait.ended(spoiler->bed->card))
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		memcpy(spoiler->kept, store->run, image_store_run_size(store));
		for (__u32 i = LEAVES_IDENTITY; i < store->run_cells; i++)
			store->run[i] = GARBAGE;
		spoiler->bed->late = true;
	}
	look(spoiler->bed, device);
}

/* Nothing that was read after the image gave up waiting goes to the card. */
Test(card, nothing_is_read_too_late)
{
	struct bed *bed = bed_new(SEED + 11, 400000, 0);
	struct image_store *store = bed->model->store;
	struct spoiler spoiler = { .bed = bed, .kept = malloc(image_store_run_size(store)) };
	struct card_usage usage;

	model_pool(bed->model, 500, VRFS);
	make_hop(bed, GARBAGE);
	load(bed);
	bed->device->look = NULL;
	cr_assert_eq(pass_all(bed), 0);
	bed->device->arg = &spoiler;
	for (unsigned i = 0; i < 16; i++) {
		change_some(bed, 40);
		spoiler.at = bed->device->writes + 1 + random_below(&bed->model->random, 30);
		bed->device->look = spoil;
		cr_assert_eq(card_pass(bed->card), 1);
		cr_assert(bed->device->writes >= spoiler.at, "nothing was spoilt");
		memcpy(store->run, spoiler.kept, image_store_run_size(store));
		bed->device->look = NULL;
		cr_assert_eq(pass_all(bed), 0);
		cr_assert_eq(compare(bed), 0);
	}
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.overruns, 16);
	free(spoiler.kept);
	bed_free(bed);
}

/* A route and the fallback change in one go, either first: the answer is never that of both old, or both new.
 */
Test(card, fallback)
{
	struct bed *bed = bed_new(SEED + 10, 400000, 0);
	struct image_prefix all = { .family = IMAGE_IPV4, .layer = PREFIX_ROUTE };
	struct image_prefix prefix = { .family = IMAGE_IPV4, .length = 8, .layer = PREFIX_ROUTE };

	prefix.key.word[0] = 10u << 24;
	for (__u16 i = 0; i < 100; i++) {
		bed->probes = 0;
		watch(bed, &prefix);
		make_hop(bed, 100 + i);
		model_change(bed->model, &prefix, i & 1 ? 0 : 300);
		make_hop(bed, 300);
		model_change(bed->model, &all, 100 + i);
		bed->probe[0].after = i & 1 ? 100 + i : 300;
		cr_assert_eq(pass_all(bed), 0);
		cr_assert_eq(card_device_leaf(bed->device, 0, IMAGE_IPV4, bed->probe[0].address),
			     bed->probe[0].after);
	}
	cr_assert(bed->punts, "the kernel is not asked meanwhile");
	bed_free(bed);
}

/* Buckets before their group, members before buckets; a group too large for the card punts. */
Test(card, groups)
{
	struct bed *bed = bed_new(SEED + 7, 40000, 0);
	struct image_tables *tables = bed->model->store->tables;
	const __u32 *buckets = bed->device->map[CARD_BUCKET];
	struct image_prefix prefix = { .family = IMAGE_IPV4, .length = 8, .layer = PREFIX_ROUTE };
	struct card_usage usage;

	prefix.key.word[0] = 10u << 24;
	for (__u32 i = 0; i < 16; i++) {
		tables->bucket[64 + i] = 200 + i % 3;
		make_hop(bed, 200 + i % 3);
	}
	tables->nexthop[300] =
		(struct image_nexthop){ .kind = NEXTHOP_GROUP, .bucket = 64, .bucket_mask = 15 };
	tables->nexthop[301] =
		(struct image_nexthop){ .kind = NEXTHOP_GROUP, .bucket = 2048 - 8, .bucket_mask = 15 };
	model_change(bed->model, &prefix, 300);
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_eq(card_device_hop(bed->device, 300)->kind, NEXTHOP_GROUP);
	for (__u32 i = 0; i < 16; i++)
		cr_assert_eq(buckets[64 + i], 200 + i % 3);
	cr_assert_eq(card_device_hop(bed->device, 301)->bucket_mask, 0);
	cr_assert_eq(buckets[card_device_hop(bed->device, 301)->bucket], REASON_TABLE_FULL);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.groups_punted, 1);
	tables->nexthop[301].bucket = 64;
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_eq(card_device_hop(bed->device, 301)->bucket_mask, 15);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.groups_punted, 0);
	tables->bucket[64 + 3] = 5000; /* a next hop that the card does not have */
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_eq(buckets[64 + 3], REASON_TABLE_FULL);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.punted, 0);
	model_change(bed->model, &prefix, 5000);
	cr_assert_eq(pass_all(bed), 0);
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.punted, 1);
	bed_free(bed);
}

/* Interfaces, VLANs and the filter of own addresses are copied as they are. */
Test(card, tables)
{
	struct bed *bed = bed_new(SEED + 8, 40000, 0);
	struct image_tables *tables = bed->model->store->tables;
	__u64 writes;

	tables->interface[3] = (struct image_interface){ .mac = 0x1234, .flags = 3, .vlan = { 1 } };
	tables->vlan[4096 + 7] = 5;
	tables->own[77] = 1;
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_eq(memcmp((struct image_interface *)bed->device->map[CARD_INTERFACE] + 3,
			    &tables->interface[3], sizeof(tables->interface[3])),
		     0);
	cr_assert_eq(((__u32 *)bed->device->map[CARD_VLAN])[4096 + 7], 5);
	cr_assert_eq(((__u32 *)bed->device->map[CARD_OWN])[77], 1);
	writes = bed->device->writes;
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_eq(bed->device->writes, writes, "elements that did not change were written");
	tables->vlan[4096 + 7] = 6;
	cr_assert_eq(pass_all(bed), 0);
	cr_assert_eq(bed->device->writes, writes + 1);
	bed_free(bed);
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
