// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/unit/card_bed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static __u32 on_card(const struct card_bed *bed, __u32 leaf)
{
	return leaf < bed->sizes.entries[CARD_HOP] ? leaf : REASON_TABLE_FULL;
}

static void look_at(struct card_bed *bed, const struct card_device *device, const struct card_probe *probe)
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

void card_bed_look(void *arg, const struct card_device *device)
{
	struct card_bed *bed = arg;

	if (card_device_held(device))
		return;
	for (unsigned i = 0; i < bed->probes; i++)
		look_at(bed, device, &bed->probe[i]);
}

void card_bed_release(struct card_bed *bed, bool held)
{
	struct image_control *control = &bed->model->store->tables->control;

	control->version = IMAGE_VERSION;
	control->held = held;
}

struct card_bed *card_bed_new(__u64 seed, __u32 elements, __u64 delay)
{
	struct card_bed *bed = calloc(1, sizeof(*bed));
	struct card_writer writer;

	cr_assert(bed);
	bed->model = model_new(seed, 0, 0);
	card_bed_release(bed, false);
	cr_assert_eq(card_sizes_fit(elements, &bed->sizes), 0);
	bed->device = card_device_new(&bed->sizes);
	writer = card_device_writer(bed->device);
	cr_assert_eq(card_new(bed->model->store, &bed->sizes, &writer, delay, &bed->card), 0);
	bed->device->look = card_bed_look;
	bed->device->arg = bed;
	return bed;
}

void card_bed_free(struct card_bed *bed)
{
	card_free(bed->card);
	card_device_free(bed->device);
	model_free(bed->model);
	free(bed);
}

void card_bed_hop(struct card_bed *bed, __u32 leaf)
{
	struct image_nexthop *hop = &bed->model->store->tables->nexthop[leaf];

	if (leaf >= REASON_MAX)
		*hop = (struct image_nexthop){ .kind = NEXTHOP_FORWARD, .mac0 = leaf, .mtu = 1500 };
}

void card_bed_watch(struct card_bed *bed, const struct image_prefix *prefix)
{
	struct card_probe *probe = &bed->probe[bed->probes];

	if (bed->probes == CARD_BED_PROBES || prefix->vrf >= CARD_BED_VRFS)
		return;
	probe->vrf = prefix->vrf;
	probe->family = prefix->family;
	model_address(&prefix->key, probe->address);
	probe->before = card_device_leaf(bed->device, probe->vrf, probe->family, probe->address);
	bed->probes++;
}

void card_bed_change(struct card_bed *bed, unsigned count)
{
	struct image_model *model = bed->model;

	bed->probes = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct image_prefix *prefix =
			&model->pool[random_below(&model->random, model->pool_count)];
		__u16 leaf = random_below(&model->random, 3) ? 100 + random_below(&model->random, 400) : 0;

		card_bed_watch(bed, prefix);
		card_bed_hop(bed, leaf);
		model_change(model, prefix, leaf);
	}
	for (unsigned i = 0; i < CARD_BED_PROBES / 2; i++)
		card_bed_watch(bed, &model->pool[random_below(&model->random, model->pool_count)]);
	for (unsigned i = 0; i < bed->probes; i++) {
		struct card_probe *probe = &bed->probe[i];

		probe->after = on_card(bed, model_answer(model, probe->vrf, probe->family, probe->address));
	}
}

int card_bed_pass(struct card_bed *bed)
{
	int error;

	for (unsigned i = 0; (error = card_pass(bed->card)) == 1; i++) {
		cr_assert(i < 100000, "seed %llu: passes have no end", bed->model->seed);
		nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	}
	return error;
}

__u32 card_bed_compare(struct card_bed *bed)
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

bool card_bed_live(const struct card_bed *bed)
{
	struct card_usage usage;

	card_usage(bed->card, &usage);
	cr_assert_eq(usage.live, !card_device_held(bed->device));
	return usage.live;
}

void card_bed_load(struct card_bed *bed)
{
	struct image_model *model = bed->model;

	for (__u32 i = 0; i < model->pool_count; i++) {
		__u16 leaf = 100 + random_below(&model->random, 400);

		card_bed_hop(bed, leaf);
		model_change(model, &model->pool[i], leaf);
		if (i % 64 == 0)
			image_update_settle(model->update);
	}
	model_settle(model);
}
