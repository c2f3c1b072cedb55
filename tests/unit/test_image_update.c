// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/image_model.h"

#define SEEDS 12

/* Everything after every change, for few prefixes: nothing hides. */
Test(image_update, small_tables)
{
	for (__u64 seed = 1; seed <= SEEDS; seed++) {
		struct image_model *model = model_new(seed, 1u << 18, 0);

		model_pool(model, 40, 2);
		for (unsigned i = 0; i < 300; i++) {
			model_random_change(model);
			model_check_all(model);
			if (i % 16 == 0)
				image_update_settle(model->update);
			model_check_memory(model);
		}
		model_free(model);
	}
}

static void change_many(struct image_model *model, unsigned changes)
{
	for (unsigned i = 0; i < changes; i++) {
		model_check_prefix(model, model_random_change(model));
		if (i % 64 == 0)
			image_update_settle(model->update);
	}
	model_settle(model);
	model_check_all(model);
	model_check_memory(model);
}

static void withdraw_all(struct image_model *model)
{
	for (__u32 i = 0; i < model->pool_count; i++) {
		model_change(model, &model->pool[i], 0);
		if (i % 64 == 0)
			image_update_settle(model->update);
		if (i % 8 == 0)
			model_check_prefix(model,
					   &model->pool[random_below(&model->random, model->pool_count)]);
	}
	model_settle(model);
	model_check_all(model);
	model_check_memory(model);
}

/* Thousands of prefixes: roots grow, node kinds change; then all goes again. */
Test(image_update, large_tables)
{
	for (__u64 seed = 1; seed <= SEEDS / 4; seed++) {
		struct image_model *model = model_new(seed, 0, 0);

		model_pool(model, 20000, MODEL_VRFS);
		change_many(model, 60000);
		withdraw_all(model);
		model_free(model);
	}
}

/* An image that has been through many changes answers as one that is built from the outcome. */
Test(image_update, changed_image_answers_as_a_fresh_one)
{
	struct image_model *model = model_new(21, 0, 0), *fresh = model_new(22, 0, 0);

	model_pool(model, 8000, 2);
	change_many(model, 30000);
	for (unsigned vrf = 0; vrf < 2; vrf++)
		image_update_begin(fresh->update, vrf);
	for (__u32 i = 0; i < model->pool_count; i++) {
		const struct image_prefix *prefix = &model->pool[i];
		__u16 leaf = prefix_tree_get(image_update_tree(model->update, prefix->vrf, prefix->family),
					     &prefix->key, prefix->length, prefix->layer);

		if (leaf)
			model_change(fresh, prefix, leaf);
	}
	for (unsigned vrf = 0; vrf < 2; vrf++)
		image_update_end(fresh->update, vrf);
	model_settle(fresh);
	model_check_memory(fresh);
	for (unsigned i = 0; i < 200000; i++) {
		struct image_prefix prefix = model_random_prefix(model, 2);
		__u8 address[16];

		model_address(&prefix.key, address);
		if (model_answer(model, prefix.vrf, prefix.family, address) !=
		    model_answer(fresh, prefix.vrf, prefix.family, address))
			cr_assert_fail("the images differ after change %u", i);
	}
	model_free(model);
	model_free(fresh);
}

/* While a large change goes on, each address has its answer from before or from after it. */
static void in_steps(struct image_model *model, const struct image_prefix *prefix, __u16 leaf)
{
	enum { ADDRESSES = 2000 };
	static struct image_prefix where[ADDRESSES];
	static __u16 before[ADDRESSES];
	unsigned steps = 0, moved = 0;
	__u8 address[16];
	__u16 old;

	for (unsigned i = 0; i < ADDRESSES; i++) {
		where[i] = model->pool[random_below(&model->random, model->pool_count)];
		where[i].vrf = prefix->vrf;
		where[i].family = prefix->family;
		model_address(&where[i].key, address);
		before[i] = model_expect(model, prefix->vrf, prefix->family, address);
	}
	model_note(model, prefix, leaf);
	if (leaf)
		image_update_set(model->update, prefix, leaf, &old);
	else
		image_update_delete(model->update, prefix);
	do {
		moved = 0;
		for (unsigned i = 0; i < ADDRESSES; i++) {
			__u16 answer, after;

			model_address(&where[i].key, address);
			answer = model_answer(model, prefix->vrf, prefix->family, address);
			after = model_expect(model, prefix->vrf, prefix->family, address);
			moved += answer == after;
			if (answer != before[i] && answer != after)
				cr_assert_fail("step %u: %u, not %u or %u", steps, answer, before[i], after);
		}
		steps++;
	} while (image_update_busy(model->update) && (image_update_settle(model->update), true));
	cr_assert_eq(moved, ADDRESSES);
}

Test(image_update, large_changes_in_steps)
{
	struct image_model *model = model_new(31, 0, 0);

	model_pool(model, 20000, 1);
	change_many(model, 40000);
	for (unsigned length = 0; length <= 10; length++) {
		for (unsigned family = 0; family < 2; family++) {
			for (unsigned layer = 0; layer < PREFIX_LAYERS; layer++) {
				struct image_prefix prefix = { .family = family,
							       .layer = layer,
							       .length = length };

				in_steps(model, &prefix, 777);
				in_steps(model, &prefix, 0);
			}
		}
	}
	model_settle(model);
	model_check_all(model);
	model_check_memory(model);
	model_free(model);
}

/* Changes in the middle of larger ones, and more of these than are done at once. */
Test(image_update, large_changes_overlap)
{
	struct image_model *model = model_new(32, 0, 0);

	model_pool(model, 20000, 2);
	change_many(model, 30000);
	for (unsigned i = 0; i < 4000; i++) {
		struct image_prefix prefix = model_random_prefix(model, 2);
		__u16 old;

		if (i % 4 == 0)
			prefix.length %= 9;
		else
			prefix = model->pool[random_below(&model->random, model->pool_count)];
		prefix.key = prefix_key_cut(prefix.key, prefix.length);
		if (i % 3) {
			model_note(model, &prefix, 900 + i % 50);
			image_update_set(model->update, &prefix, 900 + i % 50, &old);
		} else {
			model_note(model, &prefix, 0);
			image_update_delete(model->update, &prefix);
		}
		if (i % 40 == 0)
			image_update_settle(model->update);
	}
	model_settle(model);
	model_check_all(model);
	model_check_memory(model);
	model_free(model);
}

/* Flaps leave holes; compaction keeps them few, and readers never notice. */
Test(image_update, compaction_keeps_the_image_small)
{
	struct image_model *model = model_new(41, 0, 0);
	struct image_usage usage;
	__u64 small;

	/* Eight neighbours in each of many /19s: arrays of runs of all sizes. */
	model->pool_count = 120000;
	model->pool = calloc(model->pool_count, sizeof(*model->pool));
	for (__u32 i = 0; i < model->pool_count; i++)
		model->pool[i] = (struct image_prefix){
			.length = 24,
			.key = { { (i / 8) << 13 | (__u32)random_below(&model->random, 32) << 8 } }
		};
	for (unsigned round = 0; round < 3; round++) {
		for (__u32 i = 0; i < model->pool_count; i++) {
			model_change(model, &model->pool[i], 100 + random_below(&model->random, 40));
			if (i % 64 == 0)
				image_update_settle(model->update);
		}
		for (__u32 i = 0; i < model->pool_count; i++) {
			if (i / 8 % 8)
				model_change(model, &model->pool[i], 0);
			if (i % 64 == 0)
				image_update_settle(model->update);
		}
	}
	model_settle(model);
	image_update_usage(model->update, &usage);
	cr_assert_gt(usage.moved, 0);
	small = (__u64)(usage.node_used + 64 * 256) * 64 + (__u64)(usage.run_used + 64 * 1024) * 4;
	cr_assert_lt(usage.bytes, small + small / 4, "%llu bytes for %llu", usage.bytes, small);
	model_check_all(model);
	model_check_memory(model);
	model_free(model);
}
