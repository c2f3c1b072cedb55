// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/image_model.h"

/* --- room --- */

static void fill(struct image_model *model)
{
	for (__u32 i = 0; i < model->pool_count; i++) {
		model_change(model, &model->pool[i], 100 + random_below(&model->random, 40));
		if (i % 64 == 0)
			image_update_settle(model->update);
	}
}

static void thin_out(struct image_model *model, unsigned keep)
{
	for (__u32 i = 0; i < model->pool_count; i++) {
		if (i % keep)
			model_change(model, &model->pool[i], 0);
		if (i % 64 == 0)
			image_update_settle(model->update);
	}
}

/* A full array: what cannot be written punts, nothing else does, and all is well again when there is room. */
static void full_and_healed(__u64 seed, unsigned rounds, __u32 prefixes, __u32 chunks, __u32 cells)
{
	struct image_model *model = model_new(seed, chunks, cells);
	struct image_usage usage;

	model_pool(model, prefixes, MODEL_VRFS);
	for (unsigned round = 0; round < rounds; round++) {
		fill(model);
		model_check_all(model);
		image_update_usage(model->update, &usage);
		cr_assert_gt(usage.punted_ranges, 0, "the table was never full");
		cr_assert_gt(usage.punted_routes, 0);
		cr_assert_gt(usage.full, 0);
		model_check_memory(model);
		for (unsigned i = 0; i < 3000; i++)
			model_check_prefix(model, model_random_change(model));
		thin_out(model, 128);
		model_settle(model);
		image_update_usage(model->update, &usage);
		cr_assert_eq(usage.punted_ranges, 0, "seed %llu: %u parts still punt", seed,
			     usage.punted_ranges);
		cr_assert_eq(usage.punted_routes, 0);
		model_check_all(model);
		model_check_memory(model);
	}
	model_free(model);
}

Test(image_spaces, full_nodes_punt_and_heal)
{
	full_and_healed(1, 2, 10000, 1u << 13, 0);
}

Test(image_spaces, full_runs_punt_and_heal)
{
	full_and_healed(2, 1, 80000, 0, 1u << 17);
}

Test(image_spaces, both_full_punt_and_heal)
{
	full_and_healed(3, 1, 30000, 1u << 14, 1u << 17);
}

/* So little room that not even the roots fit. */
Test(image_spaces, tiny_arrays_never_lie)
{
	struct image_model *model = model_new(4, 1u << 8, 1u << 17);

	model_pool(model, 2000, MODEL_VRFS);
	for (unsigned i = 0; i < 6000; i++) {
		model_check_prefix(model, model_random_change(model));
		if (i % 64 == 0)
			image_update_settle(model->update);
	}
	model_check_all(model);
	model_check_memory(model);
	model_free(model);
}

/* A prefix that cannot be remembered: all of the VRF and family punts, nothing else. */
Test(image_spaces, lost_prefix_punts_all)
{
	struct image_model *model = model_new(5, 1u << 18, 0);
	struct prefix_tree *tree = (struct prefix_tree *)image_update_tree(model->update, 1, IMAGE_IPV4);
	struct image_prefix prefix = { .vrf = 1, .family = IMAGE_IPV4, .length = 32 };
	__u8 address[16] = { 10 };
	__u16 old;

	tree->limit = tree->bytes;
	for (unsigned i = 0; i < 1000; i++) {
		prefix.key.word[0] = i * 0x9e3779b1u;
		if (image_update_set(model->update, &prefix, 200, &old) == -ENOMEM)
			break;
		cr_assert_lt(i, 999);
	}
	cr_assert_eq(image_update_set(model->update, &prefix, 200, &old), -ENOMEM);
	cr_assert_eq(model_answer(model, 1, IMAGE_IPV4, address), REASON_TABLE_FULL);
	cr_assert_eq(model_answer(model, 2, IMAGE_IPV4, address), REASON_NO_ROUTE);
	cr_assert_eq(model_answer(model, 1, IMAGE_IPV6, address), REASON_NO_ROUTE);
	image_update_close(model->update, 1);
	cr_assert_eq(model_answer(model, 1, IMAGE_IPV4, address), REASON_NO_ROUTE);
	cr_assert_eq(image_update_open(model->update, 1, false), 0);
	cr_assert_eq(image_update_set(model->update, &prefix, 200, &old), 0);
	model_address(&prefix.key, address);
	cr_assert_eq(model_answer(model, 1, IMAGE_IPV4, address), 200);
	model_free(model);
}

/* --- VRFs --- */

Test(image_spaces, vrfs_come_and_go)
{
	struct image_model *model = model_new(6, 0, 0);

	model_pool(model, 8000, MODEL_VRFS);
	for (unsigned round = 0; round < 12; round++) {
		unsigned vrf = round % MODEL_VRFS;

		fill(model);
		model_check_all(model);
		image_update_close(model->update, vrf);
		for (__u32 i = 0; i < model->pool_count; i++)
			if (model->pool[i].vrf == vrf)
				model_note(model, &model->pool[i], 0);
		for (unsigned family = 0; family < 2; family++)
			cr_assert_eq(model->store->tables->vrf[vrf].root[family], REASON_NO_ROUTE);
		if (round % 2)
			model_settle(model);
		cr_assert_eq(image_update_open(model->update, vrf, round % 3 == 0), 0);
		model_check_all(model);
	}
	model_settle(model);
	model_check_memory(model);
	model_free(model);
}

/* Small VRFs are cheap: hundreds of them fit where one large root would not. */
Test(image_spaces, hundreds_of_small_vrfs)
{
	struct image_model *model = model_new(7, 1u << 17, 1u << 18);
	struct image_usage usage;
	__u16 old;

	for (unsigned vrf = MODEL_VRFS; vrf < IMAGE_VRFS; vrf++) {
		struct image_prefix prefix = {
			.vrf = vrf, .family = IMAGE_IPV4, .length = 24, .key = { { 0x0a000000u | vrf << 8 } }
		};

		cr_assert_eq(image_update_open(model->update, vrf, false), 0);
		cr_assert_eq(image_update_set(model->update, &prefix, vrf + 100, &old), 0);
	}
	for (unsigned vrf = MODEL_VRFS; vrf < IMAGE_VRFS; vrf++) {
		__u8 inside[16] = { 10, vrf >> 8, vrf, 9 }, outside[16] = { 10, vrf >> 8, vrf + 1, 9 };

		cr_assert_eq(model_answer(model, vrf, IMAGE_IPV4, inside), vrf + 100);
		cr_assert_eq(model_answer(model, vrf, IMAGE_IPV4, outside), REASON_NO_ROUTE);
	}
	image_update_usage(model->update, &usage);
	/* But for the large root of the first. */
	cr_assert_leq(usage.node_used, (1u << 16) + 3 * IMAGE_VRFS);
	cr_assert_eq(usage.punted_ranges, 0);
	model_free(model);
}

/* --- loading --- */

Test(image_spaces, load_shows_at_its_end)
{
	struct image_model *model = model_new(8, 0, 0);
	struct image_prefix prefix = { .family = IMAGE_IPV4, .length = 8, .key = { { 0x0a000000u } } };
	__u8 address[16] = { 10, 1, 2, 3 };
	__u16 old;

	cr_assert_eq(image_update_set(model->update, &prefix, 300, &old), 0);
	image_update_begin(model->update, 0);
	cr_assert_eq(image_update_set(model->update, &prefix, 301, &old), 0);
	cr_assert_eq(old, 300);
	prefix.length = 0;
	prefix.key.word[0] = 0;
	cr_assert_eq(image_update_set(model->update, &prefix, 302, &old), 0);
	model_settle(model);
	cr_assert_eq(model_answer(model, 0, IMAGE_IPV4, address), 300);
	address[0] = 11;
	cr_assert_eq(model_answer(model, 0, IMAGE_IPV4, address), REASON_NO_ROUTE);
	image_update_end(model->update, 0);
	cr_assert_eq(model_answer(model, 0, IMAGE_IPV4, address), 302);
	address[0] = 10;
	cr_assert_eq(model_answer(model, 0, IMAGE_IPV4, address), 301);
	model_settle(model);
	model_check_memory(model);
	model_free(model);
}

/* What was loaded is built step by step, while more changes come. */
Test(image_spaces, load_shows_after_steps)
{
	struct image_model *model = model_new(10, 0, 0);
	unsigned steps = 0;

	model_pool(model, 40000, 1);
	image_update_begin(model->update, 0);
	for (unsigned i = 0; i < 60000; i++)
		model_random_change(model);
	image_update_end_in_steps(model->update, 0);
	for (; image_update_busy(model->update); steps++) {
		image_update_settle(model->update);
		model_random_change(model);
	}
	cr_assert_gt(steps, 0);
	model_check_all(model);
	for (unsigned i = 0; i < 60000; i++)
		model_random_change(model);
	model_settle(model);
	model_check_all(model);
	model_check_memory(model);
	model_free(model);
}

/* --- retired leaves --- */

static unsigned reused;

static void count_reuse(void *arg, __u16 leaf)
{
	cr_assert_eq(leaf, *(const __u16 *)arg);
	reused++;
}

/* A leaf comes back only when no reader can meet it: not before the large change that removes it is done, nor
 * while a reader is inside. */
Test(image_spaces, retired_leaf_waits)
{
	struct image_model *model = model_new(9, 0, 0);
	struct image_prefix prefix = { .family = IMAGE_IPV4, .length = 1 };
	struct grace_reader *reader;
	__u8 low[16] = {}, high[16] = { 127, 255, 255, 255 };
	__u16 leaf = 500, old;

	model_pool(model, 8000, 1);
	fill(model);
	image_update_on_reuse(model->update, count_reuse, &leaf);
	cr_assert_eq(grace_reader_add(model->grace, &reader), 0);
	grace_reader_online(reader);
	cr_assert_eq(image_update_set(model->update, &prefix, leaf, &old), 0);
	while (image_update_busy(model->update)) {
		image_update_settle(model->update);
		grace_reader_quiescent(reader);
	}
	cr_assert_eq(image_update_delete(model->update, &prefix), leaf);
	cr_assert_eq(image_update_retire(model->update, leaf), 0);
	while (image_update_busy(model->update)) {
		cr_assert_eq(reused, 0);
		image_update_settle(model->update);
		grace_reader_quiescent(reader);
	}
	cr_assert_neq(model_answer(model, 0, IMAGE_IPV4, low), leaf);
	cr_assert_neq(model_answer(model, 0, IMAGE_IPV4, high), leaf);
	grace_reader_online(reader);
	for (unsigned i = 0; i < 10; i++)
		image_update_settle(model->update);
	grace_reader_quiescent(reader);
	for (unsigned i = 0; i < 10; i++) {
		image_update_settle(model->update);
		grace_reader_quiescent(reader);
	}
	cr_assert_eq(reused, 1);
	model_free(model);
}
