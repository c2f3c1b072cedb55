// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <string.h>

#include "bench/workload/addresses.h"
#include "bench/workload/table_generate.h"
#include "bench/workload/updates.h"
#include "host/fib/image_update.h"
#include "tests/unit/image_reader.h"

/*
 * A table of the shape of the Internet's goes through all kinds of updates; cut off anywhere, the image that
 * was changed in place answers exactly as one that is built from what the table has become.
 */

#define UPDATES   400000
#define ADDRESSES 4000000 /* compared, half of each family */

struct side {
	struct image_store *store;
	struct grace *grace;
	struct image_update *update;
};

static struct side side_new(void)
{
	struct side side;

	cr_assert_eq(image_store_memory(NULL, &side.store), 0);
	cr_assert_eq(grace_new(&side.grace), 0);
	cr_assert_eq(image_update_new(side.store, side.grace, &side.update), 0);
	cr_assert_eq(image_update_open(side.update, 0, true), 0);
	return side;
}

static void side_free(struct side *side)
{
	image_update_free(side->update);
	grace_free(side->grace);
	image_store_free(side->store);
}

static struct image_prefix prefix_of(const struct table_route *route)
{
	bool ipv6 = route->family == AF_INET6;

	return (struct image_prefix){ .family = ipv6 ? IMAGE_IPV6 : IMAGE_IPV4,
				      .layer = PREFIX_ROUTE,
				      .length = route->len,
				      .key = prefix_key(route->addr, ipv6 ? 128 : 32, route->len) };
}

static void set(struct side *side, const struct table_route *route)
{
	struct image_prefix prefix = prefix_of(route);
	__u16 old;

	/* Leaves below 64 are reasons. */
	cr_assert_eq(image_update_set(side->update, &prefix, 64 + route->nexthop, &old), 0);
}

static void load(struct side *side, const struct table *table)
{
	image_update_begin(side->update, 0);
	for (size_t i = 0; i < table->count; i++)
		set(side, &table->routes[i]);
	image_update_end(side->update, 0);
}

static void replay(struct side *side, const struct table *table)
{
	struct updates_options options = { .seed = 5, .count = UPDATES * 2 };
	struct updates *updates;
	struct update update;

	cr_assert_eq(updates_mixture(table, &options, 500, &updates), 0);
	for (unsigned i = 0; i < UPDATES && updates_next(updates, &update) == 1; i++) {
		if (update.withdraw) {
			struct image_prefix prefix = prefix_of(&update.route);

			cr_assert_neq(image_update_delete(side->update, &prefix), 0);
		} else {
			set(side, &update.route);
		}
		if (i % 64 == 0)
			image_update_settle(side->update);
	}
	updates_free(updates);
	while (image_update_settle(side->update))
		;
}

struct copy {
	struct image_update *update;
	enum image_family family;
};

static void copy_prefix(void *arg, const struct prefix_key *key, unsigned length, enum prefix_layer layer,
			__u16 value)
{
	struct copy *copy = arg;
	struct image_prefix prefix = {
		.family = copy->family, .layer = layer, .length = length, .key = *key
	};
	__u16 old;

	cr_assert_eq(image_update_set(copy->update, &prefix, value, &old), 0);
}

static void build_from(struct side *fresh, const struct side *other)
{
	image_update_begin(fresh->update, 0);
	for (unsigned family = 0; family < 2; family++) {
		struct copy copy = { fresh->update, family };

		prefix_tree_each(image_update_tree(other->update, 0, family), copy_prefix, &copy);
	}
	image_update_end(fresh->update, 0);
}

static void compare(const struct side *a, const struct side *b, const struct table *table, __u8 family,
		    enum addresses_kind kind, unsigned count)
{
	struct addresses_options options = { .kind = kind, .family = family, .seed = 9 };
	enum image_family index = family == AF_INET6 ? IMAGE_IPV6 : IMAGE_IPV4;
	enum { BATCH = 10000 };
	static __u8 address[BATCH * 16];
	unsigned size = family == AF_INET6 ? 16 : 4;
	struct addresses *addresses;

	cr_assert_eq(addresses_new(table, &options, &addresses), 0);
	for (unsigned done = 0; done < count; done += BATCH) {
		addresses_fill(addresses, address, BATCH);
		for (unsigned i = 0; i < BATCH; i++)
			if (image_reader_leaf(a->store, 0, index, address + i * size) !=
			    image_reader_leaf(b->store, 0, index, address + i * size))
				cr_assert_fail("address %u of kind %u, family %u: the images differ",
					       done + i, kind, index);
	}
	addresses_free(addresses);
}

Test(image_replay, ends_equal_to_a_fresh_build)
{
	struct table_generate_options options = {
		.seed = 11, .ipv4 = 150000, .ipv6 = 50000, .nexthops = 500
	};
	struct side changed = side_new(), fresh = side_new();
	struct table *table;

	cr_assert_eq(table_generate(&options, &table), 0);
	load(&changed, table);
	replay(&changed, table);
	build_from(&fresh, &changed);
	compare(&changed, &fresh, table, AF_INET, ADDRESSES_SPACE, ADDRESSES / 4);
	compare(&changed, &fresh, table, AF_INET, ADDRESSES_PREFIXES, ADDRESSES / 4);
	compare(&changed, &fresh, table, AF_INET6, ADDRESSES_PREFIXES, ADDRESSES / 4);
	compare(&changed, &fresh, table, AF_INET6, ADDRESSES_SEQUENTIAL, ADDRESSES / 4);
	side_free(&changed);
	side_free(&fresh);
	table_free(table);
}
