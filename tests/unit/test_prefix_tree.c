// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/workload/random.h"
#include "host/fib/prefix_tree.h"
#include "tests/oracle/lpm.h"

#define POOL 300

struct entry {
	__u8 address[16];
	__u8 length;
	__u8 layer;
};

static void random_entry(struct random *random, unsigned width, struct entry *ret)
{
	memset(ret, 0, sizeof(*ret));
	random_bytes(random, ret->address, width / 8);
	/* Few different beginnings, so that they nest. */
	ret->address[0] &= 0x81;
	ret->address[1] &= 0x01;
	if (random_below(random, 2))
		memset(ret->address + 2, 0, width / 8 - 2);
	ret->length = random_below(random, width + 1);
	ret->layer = random_below(random, 4) == 0;
	for (unsigned bit = ret->length; bit < width; bit++)
		ret->address[bit / 8] &= ~(0x80 >> bit % 8);
}

static void check_match(const struct prefix_tree *tree, struct lpm *const table[2], const __u8 *address)
{
	struct prefix_key key = prefix_key(address, tree->width, tree->width);
	unsigned length, expect_length = 0;
	__u32 expect = 0;
	__u16 leaf = prefix_tree_match(tree, &key, &length);

	if (!lpm_lookup(table[PREFIX_SHADOW], address, &expect, &expect_length) &&
	    !lpm_lookup(table[PREFIX_ROUTE], address, &expect, &expect_length))
		expect = 0;
	cr_assert_eq(leaf, expect);
	if (expect)
		cr_assert_eq(length, expect_length);
}

static void count_values(void *arg, const struct prefix_key *key, unsigned length, enum prefix_layer layer,
			 __u16 value)
{
	__u32 *count = arg;

	cr_assert(value);
	count[layer]++;
}

static void against_oracle(unsigned width, __u64 seed)
{
	struct entry pool[POOL];
	struct prefix_tree *tree;
	struct lpm *table[2] = { lpm_new(width), lpm_new(width) };
	struct random random;

	random_seed(&random, seed);
	cr_assert_eq(prefix_tree_new(width, &tree), 0);
	for (unsigned i = 0; i < POOL; i++)
		random_entry(&random, width, &pool[i]);
	for (unsigned i = 0; i < 4000; i++) {
		const struct entry *entry = &pool[random_below(&random, POOL)];
		struct prefix_key key = prefix_key(entry->address, width, entry->length);
		__u16 old = 0, value = random_below(&random, 3) ? 1 + random_below(&random, 65535) : 0;
		__u32 before = 0, count[2] = {};

		lpm_find(table[entry->layer], entry->address, entry->length, &before);
		cr_assert_eq(prefix_tree_get(tree, &key, entry->length, entry->layer), before);
		if (value) {
			cr_assert_eq(prefix_tree_set(tree, &key, entry->length, entry->layer, value, &old),
				     0);
			lpm_insert(table[entry->layer], entry->address, entry->length, value);
		} else {
			old = prefix_tree_delete(tree, &key, entry->length, entry->layer);
			lpm_delete(table[entry->layer], entry->address, entry->length);
		}
		cr_assert_eq(old, before, "seed %llu step %u", seed, i);
		check_match(tree, table, entry->address);
		check_match(tree, table, pool[random_below(&random, POOL)].address);
		prefix_tree_each(tree, count_values, count);
		for (unsigned layer = 0; layer < 2; layer++) {
			cr_assert_eq(count[layer], lpm_count(table[layer]));
			cr_assert_eq(count[layer], prefix_tree_count(tree, layer));
		}
	}
	/* No node is left behind. */
	for (unsigned i = 0; i < POOL; i++) {
		struct prefix_key key = prefix_key(pool[i].address, width, pool[i].length);

		prefix_tree_delete(tree, &key, pool[i].length, pool[i].layer);
	}
	cr_assert_eq(tree->nodes - tree->free_nodes, 1);
	prefix_tree_free(tree);
	lpm_free(table[0]);
	lpm_free(table[1]);
}

Test(prefix_tree, agrees_with_the_oracle_ipv4)
{
	for (__u64 seed = 1; seed <= 10; seed++)
		against_oracle(32, seed);
}

Test(prefix_tree, agrees_with_the_oracle_ipv6)
{
	for (__u64 seed = 1; seed <= 10; seed++)
		against_oracle(128, seed);
}

static struct entry large_entry(struct random *random, unsigned width)
{
	struct entry entry;

	random_entry(random, width, &entry);
	/* Many first bits, and lengths around those that starts are found by. */
	random_bytes(random, entry.address, 2);
	if (random_below(random, 2))
		entry.length = 8 + random_below(random, 20);
	entry.layer = random_below(random, 8) == 0;
	for (unsigned bit = entry.length; bit < width; bit++)
		entry.address[bit / 8] &= ~(0x80 >> bit % 8);
	return entry;
}

static void check_cover(const struct prefix_tree *tree, const struct prefix_cover *cover,
			const struct prefix_key *key, unsigned length)
{
	struct prefix_cover expect = prefix_tree_cover(tree, key, length);

	if (cover->node != expect.node || cover->value[0] != expect.value[0] ||
	    cover->value[1] != expect.value[1])
		cr_assert_fail("a change tells node %u, %u %u, not %u, %u %u", cover->node, cover->value[0],
			       cover->value[1], expect.node, expect.value[0], expect.value[1]);
}

/* One change, in both; its cover is what a search from the root finds. */
static void change_large(struct prefix_tree *tree, struct lpm *const table[2], const struct entry *entry,
			 __u16 value)
{
	struct prefix_key key = prefix_key(entry->address, tree->width, entry->length);
	struct prefix_cover cover;
	__u32 before = 0;
	__u16 old;

	lpm_find(table[entry->layer], entry->address, entry->length, &before);
	if (value) {
		cr_assert_eq(
			prefix_tree_set_cover(tree, &key, entry->length, entry->layer, value, &old, &cover),
			0);
		lpm_insert(table[entry->layer], entry->address, entry->length, value);
	} else {
		old = prefix_tree_delete_cover(tree, &key, entry->length, entry->layer, &cover);
		lpm_delete(table[entry->layer], entry->address, entry->length);
	}
	cr_assert_eq(old, before);
	if (value || old)
		check_cover(tree, &cover, &key, entry->length);
}

/* Trees so large that they know where searches begin. */
static void large_tree(unsigned width, __u64 seed)
{
	enum { ENTRIES = 100000 };
	struct entry *pool = calloc(ENTRIES, sizeof(*pool));
	struct lpm *table[2] = { lpm_new(width), lpm_new(width) };
	struct prefix_tree *tree;
	struct random random;

	random_seed(&random, seed);
	cr_assert_eq(prefix_tree_new(width, &tree), 0);
	for (unsigned i = 0; i < ENTRIES; i++) {
		pool[i] = large_entry(&random, width);
		change_large(tree, table, &pool[i], 1 + random_below(&random, 65535));
	}
	cr_assert_eq(tree->levels, PREFIX_STARTS - (width != 32),
		     "the tree is not large: the test shows less than it means to");
	for (unsigned i = 0; i < 200000; i++) {
		const struct entry *entry = &pool[random_below(&random, ENTRIES)];

		change_large(tree, table, entry,
			     random_below(&random, 2) ? 1 + random_below(&random, 65535) : 0);
		check_match(tree, table, entry->address);
	}
	for (unsigned i = 0; i < ENTRIES; i++)
		change_large(tree, table, &pool[i], 0);
	cr_assert_eq(tree->nodes - tree->free_nodes, 1);
	prefix_tree_free(tree);
	lpm_free(table[0]);
	lpm_free(table[1]);
	free(pool);
}

Test(prefix_tree, large_trees_ipv4)
{
	large_tree(32, 5);
}

Test(prefix_tree, large_trees_ipv6)
{
	large_tree(128, 6);
}

/* What is there can change and go. */
static void change_full(struct prefix_tree *tree)
{
	const struct prefix_key first = { { 0 } };
	__u16 old;

	cr_assert_eq(prefix_tree_set(tree, &first, 32, PREFIX_ROUTE, 9, &old), 0);
	cr_assert_eq(old, 7);
	cr_assert_eq(prefix_tree_get(tree, &first, 32, PREFIX_ROUTE), 9);
	cr_assert_eq(prefix_tree_delete(tree, &first, 32, PREFIX_ROUTE), 9);
}

Test(prefix_tree, full_tree_changes_nothing)
{
	struct prefix_tree *tree;
	__u16 old;

	cr_assert_eq(prefix_tree_new(32, &tree), 0);
	tree->limit = tree->bytes;
	for (__u32 i = 0; i < 1000; i++) {
		struct prefix_key key = { { i * 0x9e3779b1u } };
		__u32 count = prefix_tree_count(tree, PREFIX_ROUTE);

		if (prefix_tree_set(tree, &key, 32, PREFIX_ROUTE, 7, &old) == 0)
			continue;
		cr_assert_eq(prefix_tree_set(tree, &key, 32, PREFIX_ROUTE, 7, &old), -ENOMEM);
		cr_assert_eq(prefix_tree_count(tree, PREFIX_ROUTE), count);
		cr_assert_eq(prefix_tree_get(tree, &key, 32, PREFIX_ROUTE), 0);
	}
	cr_assert_lt(prefix_tree_count(tree, PREFIX_ROUTE), 1000);
	change_full(tree);
	prefix_tree_free(tree);
}
