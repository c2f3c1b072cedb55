// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The bulk lookup, in every way that this CPU has, against the naive tables.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "host/fib/bulk.h"
#include "tests/unit/image_model.h"

#define UNTOUCHED 0xdeadbeefu

/* Addresses of one VRF and family, and what the naive tables say. */
struct questions {
	const struct image_model *model;
	__u16 vrf;
	__u8 family;
	unsigned count;
	__u8 address[BULK_MOST][16]; /* network order */
	__u32 expect[BULK_MOST];
};

static unsigned bytes_of(__u8 family)
{
	return family == IMAGE_IPV4 ? 4 : 16;
}

/* The first or last address of a prefix, one before or behind it, or one somewhere inside. */
static void near_prefix(struct random *random, const struct image_prefix *prefix, __u8 *address)
{
	unsigned bytes = bytes_of(prefix->family), kind = random_below(random, 5);
	__u8 noise[16];

	random_bytes(random, noise, sizeof(noise));
	for (unsigned i = 0; i < bytes; i++)
		address[i] = prefix->key.word[i / 4] >> (24 - i % 4 * 8);
	for (unsigned bit = prefix->length; bit < bytes * 8; bit++)
		if (kind == 1 || kind == 2 || (kind == 4 && noise[bit / 8] & 0x80 >> bit % 8))
			address[bit / 8] |= 0x80 >> bit % 8;
	for (unsigned i = bytes; kind == 2 && i-- > 0 && !++address[i];)
		;
	for (unsigned i = bytes; kind == 3 && i-- > 0 && !address[i]--;)
		;
}

static void draw(struct image_model *model, struct questions *questions)
{
	const struct image_prefix *prefix;
	unsigned tries = 0;

	questions->model = model;
	questions->vrf = random_below(&model->random, MODEL_VRFS);
	questions->family = random_below(&model->random, 2);
	questions->count = 1 + random_below(&model->random, BULK_MOST);
	for (unsigned i = 0; i < questions->count; i++) {
		__u8 *address = questions->address[i];

		do
			prefix = &model->pool[random_below(&model->random, model->pool_count)];
		while ((prefix->vrf != questions->vrf || prefix->family != questions->family) &&
		       ++tries % 64);
		random_bytes(&model->random, address, 16);
		if (prefix->family == questions->family)
			near_prefix(&model->random, prefix, address);
		questions->expect[i] = model_expect(model, questions->vrf, questions->family, address);
	}
}

static __u64 word_of(const __u8 *bytes, unsigned count)
{
	__u64 word = 0;

	for (unsigned i = 0; i < count; i++)
		word = word << 8 | bytes[i];
	return word;
}

static void ask(const struct bulk *bulk, const struct questions *questions, __u32 leaf[BULK_MOST])
{
	const struct image_vrf *vrf = &questions->model->store->tables->vrf[questions->vrf];
	struct route_key key[BULK_MOST];
	__u32 address[BULK_MOST];

	for (unsigned i = 0; i < BULK_MOST; i++)
		leaf[i] = UNTOUCHED;
	for (unsigned i = 0; i < questions->count; i++) {
		address[i] = word_of(questions->address[i], 4);
		key[i].high = word_of(questions->address[i], 8);
		key[i].low = word_of(questions->address[i] + 8, 8);
	}
	if (questions->family == IMAGE_IPV4)
		bulk_lookup4(bulk, vrf, address, questions->count, leaf);
	else
		bulk_lookup6(bulk, vrf, key, questions->count, leaf);
}

static void check(enum bulk_way way, const struct questions *questions)
{
	struct bulk bulk;
	__u32 leaf[BULK_MOST];

	bulk_init_way(&bulk, questions->model->store, way);
	ask(&bulk, questions, leaf);
	for (unsigned i = 0; i < BULK_MOST; i++) {
		__u32 expect = i < questions->count ? questions->expect[i] : UNTOUCHED;

		if (leaf[i] != expect)
			cr_assert_fail(
				"seed %llu, %s: lane %u of %u, IPv%u address %016llx:%016llx in VRF %u "
				"is %u, not %u",
				questions->model->seed, bulk_way_name(way), i, questions->count,
				questions->family ? 6 : 4, word_of(questions->address[i], 8),
				word_of(questions->address[i] + 8, 8), questions->vrf, leaf[i], expect);
	}
}

static void check_bursts(struct image_model *model, unsigned bursts)
{
	struct questions questions;

	for (unsigned i = 0; i < bursts; i++) {
		draw(model, &questions);
		for (enum bulk_way way = 0; way < BULK_WAYS; way++)
			if (bulk_way_works(way))
				check(way, &questions);
	}
}

Test(bulk, small_tables)
{
	for (__u64 seed = 1; seed <= 12; seed++) {
		struct image_model *model = model_new(seed, 1u << 18, 0);

		model_pool(model, 60, MODEL_VRFS);
		check_bursts(model, 20);
		for (unsigned i = 0; i < 200; i++) {
			model_random_change(model);
			check_bursts(model, 4);
		}
		model_free(model);
	}
}

Test(bulk, large_tables)
{
	struct image_model *model = model_new(1, 0, 0);

	model_pool(model, 30000, MODEL_VRFS);
	for (unsigned i = 0; i < model->pool_count; i++)
		model_change(model, &model->pool[i], 100 + random_below(&model->random, 1000));
	model_settle(model);
	check_bursts(model, 30000);
	model_free(model);
}

Test(bulk, ways_that_were_tested)
{
	cr_assert(bulk_way_works(BULK_PLAIN));
	for (enum bulk_way way = 0; way < BULK_WAYS; way++)
		if (!bulk_way_works(way))
			fprintf(stderr, "not tested, this CPU or build lacks it: %s\n", bulk_way_name(way));
}
