// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The image changes while it is brought to a card, and does not always wait for that. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/card_bed.h"

/* Passes in a thread of their own. */
struct feeder {
	struct card_bed *bed;
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
	struct card_bed *bed = feeder->bed;

	if (feeder->slow && device->writes % 2000 == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
	if (card_device_held(device))
		return;
	for (unsigned i = 0; i < bed->probes; i++) {
		const struct card_probe *probe = &bed->probe[i];
		__u32 leaf = card_device_leaf(device, probe->vrf, probe->family, probe->address);

		bed->looks++;
		if (leaf >= REASON_MAX)
			feeder->unknown += card_device_hop(device, leaf)->mac0 != leaf;
		if (i < CARD_BED_PROBES / 2)
			feeder->wrong += leaf != probe->after && leaf != REASON_TABLE_FULL;
	}
}

static void steady_routes(struct card_bed *bed)
{
	for (unsigned i = 0; i < CARD_BED_PROBES / 2; i++) {
		struct image_prefix prefix = bed->model->pool[i];

		prefix.layer = PREFIX_SHADOW;
		prefix.length = prefix.family == IMAGE_IPV4 ? 32 : 128;
		card_bed_watch(bed, &prefix);
		bed->probe[i].after = 70 + i;
		card_bed_hop(bed, 70 + i);
		model_change(bed->model, &prefix, 70 + i);
	}
	while (bed->probes < CARD_BED_PROBES)
		card_bed_watch(bed, &bed->model->pool[bed->probes]);
}

/* Each next hop is there just before the first route to it. */
static void change_on(struct card_bed *bed, unsigned changes)
{
	struct image_model *model = bed->model;

	for (unsigned i = 0; i < changes; i++) {
		struct image_prefix prefix = model->pool[random_below(&model->random, model->pool_count)];
		__u16 leaf = 100 + i * 900 / changes;

		if (prefix.layer == PREFIX_SHADOW && prefix.length >= 32)
			continue;
		card_bed_hop(bed, leaf);
		model_change(model, &prefix, random_below(&model->random, 3) ? leaf : 0);
		if (i % 16 == 0)
			image_update_settle(model->update);
	}
	model_settle(model);
}

static void change_during_passes(bool slow, unsigned changes)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 9, 400000, 100000);
	struct feeder feeder = { .bed = bed, .slow = slow };
	struct card_usage usage;
	pthread_t thread;

	model_pool(bed->model, 2000, CARD_BED_VRFS);
	steady_routes(bed);
	bed->device->look = NULL;
	cr_assert_eq(card_bed_pass(bed), 0);
	bed->device->look = look_at_steady;
	bed->device->arg = &feeder;
	cr_assert_eq(grace_add(bed->model->grace, &card_wait, bed->card), 0);
	cr_assert_eq(pthread_create(&thread, NULL, feed, &feeder), 0);
	change_on(bed, changes);
	feeder.stop = true;
	pthread_join(thread, NULL);
	cr_assert_eq(feeder.error, 0);
	cr_assert_eq(card_bed_pass(bed), 0);
	cr_assert(card_bed_live(bed));
	cr_assert_eq(card_bed_compare(bed), 0);
	cr_assert_eq(feeder.wrong, 0, "%llu wrong answers of %llu", (unsigned long long)feeder.wrong,
		     bed->looks);
	cr_assert_eq(feeder.unknown, 0, "%llu next hops that the card did not know",
		     (unsigned long long)feeder.unknown);
	cr_assert(bed->looks > 10000, "the test has become weak");
	card_usage(bed->card, &usage);
	cr_assert(!slow || usage.overruns > 0, "the card was never late");
	grace_remove(bed->model->grace, &card_wait, bed->card);
	card_bed_free(bed);
}

/* The image's writer goes on while passes run, and reuses its memory when the card had its grace period. */
Test(card_changes, image_changes_during_passes)
{
	change_during_passes(false, 20000);
}

/* The same where the card is late again and again, and is not waited for. */
Test(card_changes, image_does_not_wait_for_a_slow_card)
{
	change_during_passes(true, 40000);
}

#define GARBAGE 999 /* a leaf that no route leads to */

/* Before a certain write the image gives up waiting, and what it had in run[] has another use. */
struct spoiler {
	struct card_bed *bed;
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
	card_bed_look(spoiler->bed, device);
}

/* Nothing that was read after the image gave up waiting goes to the card. */
Test(card_changes, nothing_is_read_too_late)
{
	struct card_bed *bed = card_bed_new(CARD_BED_SEED + 11, 400000, 0);
	struct image_store *store = bed->model->store;
	struct spoiler spoiler = { .bed = bed, .kept = malloc(image_store_run_size(store)) };
	struct card_usage usage;

	model_pool(bed->model, 500, CARD_BED_VRFS);
	card_bed_hop(bed, GARBAGE);
	card_bed_load(bed);
	bed->device->look = NULL;
	cr_assert_eq(card_bed_pass(bed), 0);
	bed->device->arg = &spoiler;
	for (unsigned i = 0; i < 16; i++) {
		card_bed_change(bed, 40);
		spoiler.at = bed->device->writes + 1 + random_below(&bed->model->random, 30);
		bed->device->look = spoil;
		cr_assert_eq(card_pass(bed->card), 1);
		cr_assert(bed->device->writes >= spoiler.at, "nothing was spoilt");
		memcpy(store->run, spoiler.kept, image_store_run_size(store));
		bed->device->look = NULL;
		cr_assert_eq(card_bed_pass(bed), 0);
		cr_assert_eq(card_bed_compare(bed), 0);
	}
	card_usage(bed->card, &usage);
	cr_assert_eq(usage.overruns, 16);
	free(spoiler.kept);
	card_bed_free(bed);
}
