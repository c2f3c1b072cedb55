// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/workload/random.h"
#include "host/fib/fib.h"
#include "host/fib/image_memory.h"

#define BLOCKS 4000

struct block {
	__u32 index, units;
};

struct place {
	struct image_store *store;
	struct grace *grace;
	struct image_memory *memory;
};

static struct place place_new(__u32 chunks, __u32 cells)
{
	struct fib_limits limits = { .node_chunks = chunks, .run_cells = cells };
	struct place place;

	cr_assert_eq(image_store_memory(&limits, &place.store), 0);
	cr_assert_eq(grace_new(&place.grace), 0);
	cr_assert_eq(image_memory_new(place.store, place.grace, IMAGE_NEXTHOPS, &place.memory), 0);
	return place;
}

static void place_free(struct place *place)
{
	image_memory_free(place->memory);
	grace_free(place->grace);
	image_store_free(place->store);
}

static void check_sum(struct place *place, enum image_array array, __u32 used)
{
	struct image_memory_usage usage;

	image_memory_usage(place->memory, array, &usage);
	cr_assert_eq(usage.used, used);
	cr_assert_eq(usage.used + usage.free + usage.limbo, usage.total);
	cr_assert_leq(usage.used + usage.limbo, usage.held);
	cr_assert_leq(usage.held, usage.total);
}

/* No two blocks may have a cell in common, whatever comes and goes: each writes its number into its cells. */
Test(image_memory, blocks_never_overlap)
{
	static const __u32 sizes[] = { 2, 3, 5, 16, 16, 31, 32, 256, 4096 };
	struct place place = place_new(1u << 12, 1u << 18);
	struct block *block = calloc(BLOCKS, sizeof(*block));
	__u32 used = IMAGE_NEXTHOPS, failed = 0;
	struct random random;

	random_seed(&random, 7);
	for (unsigned step = 0; step < 100000; step++) {
		__u32 i = random_below(&random, BLOCKS);

		if (block[i].units) {
			for (__u32 k = 0; k < block[i].units; k++)
				cr_assert_eq(place.store->run[block[i].index + k], i + 1);
			if (random_below(&random, 2))
				image_memory_give(place.memory, ARRAY_RUN, block[i].index, block[i].units);
			else
				image_memory_retire(place.memory, ARRAY_RUN, block[i].index, block[i].units);
			used -= block[i].units;
			block[i].units = 0;
		} else {
			__u32 units = sizes[random_below(&random, sizeof(sizes) / sizeof(sizes[0]))];
			__u32 index = image_memory_take(place.memory, ARRAY_RUN, units);

			failed += index == MEMORY_NONE;
			if (index == MEMORY_NONE)
				continue;
			cr_assert_geq(index, IMAGE_NEXTHOPS);
			cr_assert_leq(index + units, place.store->run_cells);
			cr_assert(units & (units - 1) || index % (units < 1024 ? units : 1024) == 0);
			block[i] = (struct block){ index, units };
			for (__u32 k = 0; k < units; k++)
				place.store->run[index + k] = i + 1;
			used += units;
		}
		if (step % 1000 == 0) {
			grace_poll(place.grace, true);
			image_memory_recycle(place.memory, ~0u);
			check_sum(&place, ARRAY_RUN, used);
		}
	}
	cr_assert_gt(failed, 0, "the table was never full: the test shows less than it means to");
	for (__u32 i = 0; i < BLOCKS; i++)
		if (block[i].units)
			image_memory_retire(place.memory, ARRAY_RUN, block[i].index, block[i].units);
	grace_poll(place.grace, true);
	image_memory_recycle(place.memory, ~0u);
	cr_assert_eq(image_memory_newest(place.memory), 0);
	check_sum(&place, ARRAY_RUN, IMAGE_NEXTHOPS);
	free(block);
	place_free(&place);
}

Test(image_memory, limbo_waits_for_the_reader)
{
	struct place place = place_new(1u << 10, 1u << 17);
	struct grace_reader *reader;
	struct image_memory_usage usage;
	__u32 index;

	cr_assert_eq(grace_reader_add(place.grace, &reader), 0);
	grace_reader_online(reader);
	index = image_memory_take(place.memory, ARRAY_NODE, 1);
	image_memory_retire(place.memory, ARRAY_NODE, index, 1);
	for (unsigned i = 0; i < 10; i++) {
		grace_poll(place.grace, true);
		cr_assert_eq(image_memory_recycle(place.memory, ~0u), 0);
	}
	image_memory_usage(place.memory, ARRAY_NODE, &usage);
	cr_assert_eq(usage.limbo, 1);
	grace_reader_quiescent(reader);
	cr_assert(grace_poll(place.grace, false));
	cr_assert_eq(image_memory_recycle(place.memory, ~0u), 1);
	cr_assert_eq(image_memory_take(place.memory, ARRAY_NODE, 1), index);
	place_free(&place);
}

/* Large roots find room beside thousands of small blocks, and full arrays say so. */
Test(image_memory, rows_and_small_blocks_share)
{
	struct place place = place_new(1u << 18, 1u << 17);
	__u32 root[3];

	for (unsigned i = 0; i < 60000; i++)
		cr_assert_neq(image_memory_take(place.memory, ARRAY_NODE, 1), MEMORY_NONE);
	for (unsigned i = 0; i < 3; i++) {
		root[i] = image_memory_take(place.memory, ARRAY_NODE, 1u << 16);
		cr_assert_neq(root[i], MEMORY_NONE);
	}
	cr_assert_eq(image_memory_take(place.memory, ARRAY_NODE, 1u << 16), MEMORY_NONE);
	image_memory_give(place.memory, ARRAY_NODE, root[1], 1u << 16);
	cr_assert_eq(image_memory_take(place.memory, ARRAY_NODE, 1u << 16), root[1]);
	check_sum(&place, ARRAY_NODE, 60000 + (3u << 16));
	place_free(&place);
}

/* After an eviction pass, what was thin has been moved together. */
Test(image_memory, eviction_empties_pages)
{
	struct place place = place_new(1u << 17, 1u << 17);
	static __u32 index[60000];
	struct image_memory_usage before, after;

	for (unsigned i = 0; i < 60000; i++)
		index[i] = image_memory_take(place.memory, ARRAY_NODE, 1);
	cr_assert(!image_memory_holey(place.memory, ARRAY_NODE, false));
	for (unsigned i = 0; i < 60000; i++)
		if (i % 3)
			image_memory_give(place.memory, ARRAY_NODE, index[i], 1);
	cr_assert(image_memory_holey(place.memory, ARRAY_NODE, false));
	image_memory_usage(place.memory, ARRAY_NODE, &before);
	image_memory_evict_begin(place.memory, ARRAY_NODE);
	for (unsigned i = 0; i < 60000; i += 3) {
		__u32 other;

		if (!image_memory_evicted(place.memory, ARRAY_NODE, index[i]))
			continue;
		other = image_memory_take(place.memory, ARRAY_NODE, 1);
		cr_assert_neq(other, MEMORY_NONE);
		cr_assert(!image_memory_evicted(place.memory, ARRAY_NODE, other));
		image_memory_retire(place.memory, ARRAY_NODE, index[i], 1);
	}
	image_memory_evict_end(place.memory, ARRAY_NODE);
	grace_poll(place.grace, true);
	image_memory_recycle(place.memory, ~0u);
	image_memory_usage(place.memory, ARRAY_NODE, &after);
	cr_assert_eq(after.used, before.used);
	cr_assert_lt(after.held, before.held / 2);
	cr_assert(!image_memory_holey(place.memory, ARRAY_NODE, false));
	place_free(&place);
}

Test(image_memory, sizes_are_checked)
{
	struct image_store *store;

	cr_assert_eq(image_store_memory(&(struct fib_limits){ .node_chunks = 1000 }, &store), -EINVAL);
	cr_assert_eq(image_store_memory(&(struct fib_limits){ .node_chunks = 1u << 30 }, &store), -EINVAL);
	cr_assert_eq(image_store_memory(&(struct fib_limits){ .run_cells = 1u << 10 }, &store), -EINVAL);
	cr_assert_eq(image_store_memory(&(struct fib_limits){ .run_cells = 1u << 31 }, &store), -EINVAL);
}
