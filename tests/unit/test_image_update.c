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

/* Thousands of prefixes: roots grow, node kinds change, compaction runs; then all goes again. */
Test(image_update, large_tables)
{
	for (__u64 seed = 1; seed <= SEEDS / 4; seed++) {
		struct image_model *model = model_new(seed, 0, 0);

		model_pool(model, 20000, MODEL_VRFS);
		for (unsigned i = 0; i < 60000; i++) {
			model_check_prefix(model, model_random_change(model));
			if (i % 64 == 0)
				image_update_settle(model->update);
		}
		model_settle(model);
		model_check_all(model);
		model_check_memory(model);
		for (__u32 i = 0; i < model->pool_count; i++) {
			model_change(model, &model->pool[i], 0);
			if (i % 64 == 0)
				image_update_settle(model->update);
			if (i % 8 == 0)
				model_check_prefix(
					model, &model->pool[random_below(&model->random, model->pool_count)]);
		}
		model_settle(model);
		model_check_all(model);
		model_check_memory(model);
		model_free(model);
	}
}
