// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An image and, beside it, the naive tables that it must agree with.
 */
#pragma once

#include <stdbool.h>

#include "bench/workload/random.h"
#include "host/fib/image_update.h"
#include "tests/oracle/lpm.h"

#define MODEL_VRFS 4

struct image_model {
	struct random random;
	__u64 seed;
	struct image_store *store;
	struct grace *grace;
	struct image_update *update;
	struct lpm *table[MODEL_VRFS][2][PREFIX_LAYERS]; /* by VRF, family, layer */
	/* Prefixes that may be in, to pick from: random ones would never be met again. */
	struct image_prefix *pool;
	__u32 pool_count;
	__u64 checked;
};

/* chunks, cells 0: plenty. Ends the test if something is missing. */
struct image_model *model_new(__u64 seed, __u32 chunks, __u32 cells);
/* Over a store of the caller's, which then belongs to the model. */
struct image_model *model_new_in(__u64 seed, struct image_store *store);
void model_free(struct image_model *model);

/* A pool of prefixes that nest and neighbour each other, in some VRFs and families. */
void model_pool(struct image_model *model, __u32 count, unsigned vrfs);
struct image_prefix model_random_prefix(struct image_model *model, unsigned vrfs);

/* The change, in both, and done when it returns. leaf 0: delete. Returns what the image said. */
int model_change(struct image_model *model, const struct image_prefix *prefix, __u16 leaf);
/* Only in the naive tables. */
void model_note(struct image_model *model, const struct image_prefix *prefix, __u16 leaf);
/* A random one with a prefix of the pool; returns the prefix. */
const struct image_prefix *model_random_change(struct image_model *model);

/* The first address of a prefix, in network order. */
void model_address(const struct prefix_key *key, __u8 address[16]);
/* The right answer, and what the image gives (by the shipped search). */
__u16 model_expect(const struct image_model *model, __u16 vrf, __u8 family, const __u8 *address);
__u16 model_answer(const struct image_model *model, __u16 vrf, __u8 family, const __u8 *address);

/* Each ends the test at the first address with a wrong answer. Parts that found no room may punt. */
void model_check_address(struct image_model *model, __u16 vrf, __u8 family, const __u8 *address);
/* The edges of a prefix, both sides, and something inside. */
void model_check_prefix(struct image_model *model, const struct image_prefix *prefix);
/* All prefixes of the pool and random addresses. */
void model_check_all(struct image_model *model);
/* Everything that is used can be reached, and all memory is accounted for. */
void model_check_memory(struct image_model *model);
/* Until nothing is left to do. */
void model_settle(struct image_model *model);
