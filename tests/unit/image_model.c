// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/fib/fib.h"
#include "tests/unit/image_model.h"
#include "tests/unit/image_reader.h"

static unsigned width_of(__u8 family)
{
	return family == IMAGE_IPV4 ? 32 : 128;
}

static __u16 naive(const struct image_model *model, __u16 vrf, __u8 family, enum prefix_layer layer,
		   const __u8 *address)
{
	__u32 value;

	return lpm_lookup(model->table[vrf][family][layer], address, &value, NULL) ? value : 0;
}

static const char *text(__u8 family, const __u8 *address)
{
	static char buffer[64];
	unsigned at = 0;

	for (unsigned i = 0; i < width_of(family) / 8; i++)
		at += snprintf(buffer + at, sizeof(buffer) - at, "%02x%s", address[i], i % 2 ? ":" : "");
	return buffer;
}

/* --- addresses --- */

static void check_near(struct image_model *model, const struct image_prefix *prefix, bool last, int step)
{
	unsigned width = width_of(prefix->family);
	struct prefix_key key = prefix->key;
	__u8 address[16];

	model_address(&key, address);
	for (unsigned i = prefix->length; last && i < width; i++)
		address[i / 8] |= 0x80 >> i % 8;
	for (unsigned i = width / 8; step && i-- > 0;) {
		address[i] += step;
		if (address[i] != (step > 0 ? 0 : 0xff))
			break;
	}
	model_check_address(model, prefix->vrf, prefix->family, address);
}

static void check_inside(struct image_model *model, const struct image_prefix *prefix)
{
	__u8 address[16], noise[16];

	model_address(&prefix->key, address);
	random_bytes(&model->random, noise, 16);
	for (unsigned i = prefix->length; i < width_of(prefix->family); i++)
		address[i / 8] |= noise[i / 8] & 0x80 >> i % 8;
	model_check_address(model, prefix->vrf, prefix->family, address);
}

/* --- memory --- */

struct reached {
	__u32 chunks, cells;
};

static void reach(const struct image_store *store, __u32 entry, struct reached *sum);

/* A group of the root of a large IPv4 table with nothing but leaves in it. */
static void reach_leaves(const struct image_store *store, __u32 base, unsigned count, struct reached *sum)
{
	const __u16 *leaf = (const __u16 *)store->run + base;

	if (count == 1)
		cr_assert(base >= LEAVES_IDENTITY && *leaf == base - LEAVES_IDENTITY, "not the leaf's own");
	else
		sum->cells += (count + 1) / 2;
}

/* What the summary says of each /16 must be what its eight groups say. */
static void check_summary(const __u64 *descriptor)
{
	const __u16 *summary = (const __u16 *)(descriptor + ROOT4_WORDS);

	for (__u32 slot = 0; slot < 1u << SUMMARY_BITS; slot++) {
		const __u64 *group = descriptor + 8 * slot;
		bool same = (__u32)group[0] == 0;

		for (unsigned i = 1; i < 8; i++)
			same &= group[i] == group[0];
		cr_assert_eq(summary[slot], same ? group[0] >> 32 & 0xffff : SUMMARY_NONE, "summary of %u.%u",
			     slot >> 8, slot & 255);
	}
}

static void reach_bitmap(const struct image_store *store, __u32 entry, struct reached *sum)
{
	const __u64 *descriptor = &store->node[entry_chunk(entry) * NODE_CHUNK_WORDS];
	bool root4 = entry_bits(entry) == ROOT4_BITS;

	sum->chunks += (1u << (entry_bits(entry) - 8)) + (root4 ? 2048 : 0);
	if (root4)
		check_summary(descriptor);
	for (__u32 group = 0; group < 1u << (entry_bits(entry) - 5); group++) {
		unsigned cells = __builtin_popcount((__u32)descriptor[group]) + 1;

		if (descriptor[group] & 1)
			cr_assert_fail("bit 0 of a bitmap is set");
		if (root4 && descriptor[group] >> 63) {
			reach_leaves(store, descriptor[group] >> 32 & ~DESCRIPTOR_LEAVES, cells, sum);
			continue;
		}
		if (root4 && (__u32)descriptor[group] == 0)
			cr_assert_fail("a group of one leaf in the root is not of the short kind");
		if ((__u32)descriptor[group] == 0 && descriptor[group] >> 32 >= IMAGE_NEXTHOPS)
			cr_assert_fail("a group without runs has no leaf");
		if ((__u32)descriptor[group] == 0)
			continue;
		sum->cells += cells;
		for (unsigned i = 0; i < cells; i++)
			reach(store, store->run[(descriptor[group] >> 32) + i], sum);
	}
}

static void reach(const struct image_store *store, __u32 entry, struct reached *sum)
{
	if (!(entry & ENTRY_NODE))
		return;
	switch (entry_kind(entry)) {
	case NODE_BITMAP:
		reach_bitmap(store, entry, sum);
		break;
	case NODE_DIRECT:
		sum->cells += 1u << entry_bits(entry);
		for (__u32 i = 0; i < 1u << entry_bits(entry); i++)
			reach(store, store->run[entry_chunk(entry) * RUN_CHUNK_CELLS + i], sum);
		break;
	}
}

/* --- public --- */

struct image_model *model_new_in(__u64 seed, struct image_store *store)
{
	struct image_model *model = calloc(1, sizeof(*model));

	cr_assert(model);
	model->seed = seed;
	random_seed(&model->random, seed);
	model->store = store;
	cr_assert_eq(grace_new(&model->grace), 0);
	cr_assert_eq(image_update_new(model->store, model->grace, &model->update), 0);
	for (unsigned i = 0; i < MODEL_VRFS * 2 * PREFIX_LAYERS; i++)
		(&model->table[0][0][0])[i] = lpm_new(width_of(i / PREFIX_LAYERS % 2));
	for (unsigned vrf = 0; vrf < MODEL_VRFS; vrf++)
		cr_assert_eq(image_update_open(model->update, vrf, vrf == 0), 0);
	return model;
}

struct image_model *model_new(__u64 seed, __u32 chunks, __u32 cells)
{
	struct fib_limits limits = { .node_chunks = chunks, .run_cells = cells };
	struct image_store *store;

	cr_assert_eq(image_store_memory(&limits, &store), 0);
	return model_new_in(seed, store);
}

void model_free(struct image_model *model)
{
	image_update_free(model->update);
	grace_free(model->grace);
	image_store_free(model->store);
	for (unsigned i = 0; i < MODEL_VRFS * 2 * PREFIX_LAYERS; i++)
		lpm_free((&model->table[0][0][0])[i]);
	free(model->pool);
	free(model);
}

struct image_prefix model_random_prefix(struct image_model *model, unsigned vrfs)
{
	struct random *random = &model->random;
	struct image_prefix prefix = { .vrf = random_below(random, vrfs),
				       .family = random_below(random, 2),
				       .layer = random_below(random, 8) ? PREFIX_ROUTE : PREFIX_SHADOW };
	unsigned width = width_of(prefix.family), same;
	__u32 base = random_below(random, 6);

	/* One of a few addresses, with chance behind some bit: so they share beginnings of all lengths. */
	prefix.length = random_below(random, 3) ? random_below(random, width + 1)
						: width * (2 + random_below(random, 7)) / 8;
	same = random_below(random, prefix.length + 1);
	for (unsigned i = 0; i < width / 32; i++)
		prefix.key.word[i] = random_mix(base * 4 + i);
	if (base == 0)
		prefix.key.word[0] = 0;
	if (base == 1)
		memset(&prefix.key, 0xff, width / 8);
	for (unsigned bit = same; bit < prefix.length; bit++)
		if (random_below(random, 2))
			prefix.key.word[bit / 32] ^= 0x80000000u >> bit % 32;
	prefix.key = prefix_key_cut(prefix.key, prefix.length);
	return prefix;
}

void model_pool(struct image_model *model, __u32 count, unsigned vrfs)
{
	model->pool = calloc(count, sizeof(*model->pool));
	cr_assert(model->pool);
	model->pool_count = count;
	for (__u32 i = 0; i < count; i++)
		model->pool[i] = model_random_prefix(model, vrfs);
}

void model_note(struct image_model *model, const struct image_prefix *prefix, __u16 leaf)
{
	struct lpm *table = model->table[prefix->vrf][prefix->family][prefix->layer];
	__u8 address[16];

	model_address(&prefix->key, address);
	if (leaf)
		cr_assert_eq(lpm_insert(table, address, prefix->length, leaf), 0);
	else
		lpm_delete(table, address, prefix->length);
}

int model_change(struct image_model *model, const struct image_prefix *prefix, __u16 leaf)
{
	struct lpm *table = model->table[prefix->vrf][prefix->family][prefix->layer];
	__u32 before = 0;
	__u8 address[16];
	__u16 old = 0;
	int error = 0;

	model_address(&prefix->key, address);
	lpm_find(table, address, prefix->length, &before);
	model_note(model, prefix, leaf);
	if (leaf)
		error = image_update_set(model->update, prefix, leaf, &old);
	else
		old = image_update_delete(model->update, prefix);
	cr_assert_eq(old, before, "seed %llu: the image remembered another leaf", model->seed);
	while (image_update_busy(model->update))
		image_update_settle(model->update);
	return error;
}

const struct image_prefix *model_random_change(struct image_model *model)
{
	const struct image_prefix *prefix = &model->pool[random_below(&model->random, model->pool_count)];
	__u16 leaf = random_below(&model->random, 3) ? 100 + random_below(&model->random, 40) : 0;

	model_change(model, prefix, leaf);
	return prefix;
}

void model_address(const struct prefix_key *key, __u8 address[16])
{
	for (unsigned i = 0; i < 16; i++)
		address[i] = key->word[i / 4] >> (24 - i % 4 * 8);
}

__u16 model_expect(const struct image_model *model, __u16 vrf, __u8 family, const __u8 *address)
{
	__u16 leaf = naive(model, vrf, family, PREFIX_SHADOW, address);

	if (!leaf)
		leaf = naive(model, vrf, family, PREFIX_ROUTE, address);
	return leaf ? leaf : REASON_NO_ROUTE;
}

__u16 model_answer(const struct image_model *model, __u16 vrf, __u8 family, const __u8 *address)
{
	return image_reader_leaf(model->store, vrf, family, address);
}

void model_check_address(struct image_model *model, __u16 vrf, __u8 family, const __u8 *address)
{
	__u16 expect = model_expect(model, vrf, family, address);
	__u16 answer = model_answer(model, vrf, family, address);
	struct prefix_key key = prefix_key(address, width_of(family), width_of(family));
	unsigned length;
	__u16 said = image_update_match(model->update, vrf, family, &key, &length);
	struct image_usage usage;

	model->checked++;
	if ((said ? said : REASON_NO_ROUTE) != expect)
		cr_assert_fail("seed %llu: %s in VRF %u: the tree says %u, not %u", model->seed,
			       text(family, address), vrf, said, expect);
	if (image_update_lookup(model->update, vrf, family, &key) != answer)
		cr_assert_fail("seed %llu: %s: two readers differ", model->seed, text(family, address));
	if (answer == expect)
		return;
	image_update_usage(model->update, &usage);
	if (answer != REASON_TABLE_FULL || !usage.punted_ranges)
		cr_assert_fail("seed %llu: %s in VRF %u: the image says %u, not %u", model->seed,
			       text(family, address), vrf, answer, expect);
}

void model_check_prefix(struct image_model *model, const struct image_prefix *prefix)
{
	check_near(model, prefix, false, 0);
	check_near(model, prefix, false, -1);
	check_near(model, prefix, true, 0);
	check_near(model, prefix, true, 1);
	check_inside(model, prefix);
}

void model_check_all(struct image_model *model)
{
	for (__u32 i = 0; i < model->pool_count; i++)
		model_check_prefix(model, &model->pool[i]);
	for (__u32 i = 0; i < 200; i++) {
		struct image_prefix prefix = model_random_prefix(model, MODEL_VRFS);

		check_inside(model, &prefix);
	}
}

void model_check_memory(struct image_model *model)
{
	struct reached sum = { .cells = IMAGE_NEXTHOPS + IMAGE_NEXTHOPS / 2 };
	struct image_usage usage;

	for (unsigned vrf = 0; vrf < MODEL_VRFS; vrf++)
		for (unsigned family = 0; family < 2; family++)
			reach(model->store, model->store->tables->vrf[vrf].root[family], &sum);
	image_update_usage(model->update, &usage);
	cr_assert_eq(usage.node_used, sum.chunks, "seed %llu: %u chunks used, %u reached", model->seed,
		     usage.node_used, sum.chunks);
	cr_assert_eq(usage.run_used, sum.cells, "seed %llu: %u cells used, %u reached", model->seed,
		     usage.run_used, sum.cells);
	cr_assert_eq(usage.node_used + usage.node_free + usage.node_limbo, usage.node_total);
	cr_assert_eq(usage.run_used + usage.run_free + usage.run_limbo, usage.run_total);
	cr_assert_eq(usage.node_total, model->store->node_chunks);
	cr_assert_eq(usage.run_total, model->store->run_cells);
}

void model_settle(struct image_model *model)
{
	while (image_update_settle(model->update))
		;
	/* Holes are looked for every 20 ms. */
	usleep(25000);
	while (image_update_settle(model->update))
		;
}
