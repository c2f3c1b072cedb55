// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "bench/dir24.h"
#include "bench/lookup.h"
#include "bench/lookup_layout.h"
#include "bench/workload/addresses.h"
#include "bench/workload/table_generate.h"
#include "host/fib/fib.h"
#include "host/fib/grace.h"
#include "host/fib/image_update.h"

// The image searched in eBPF, DIR-24-8 and the kernel's LPM_TRIE know the same routes and answer the same.

static void put_routes(struct image_update *update, const struct table *table)
{
	image_update_begin(update, 0);
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		bool ipv6 = route->family == AF_INET6;
		struct image_prefix prefix = { .family = ipv6 ? IMAGE_IPV6 : IMAGE_IPV4,
					       .layer = PREFIX_ROUTE,
					       .length = route->len,
					       .key = prefix_key(route->addr, ipv6 ? 128 : 32, route->len) };
		__u16 old;

		cr_assert_eq(image_update_set(update, &prefix, route->nexthop, &old), 0);
	}
	image_update_end(update, 0);
}

static void load(struct lookup *lookup, const struct table *table)
{
	struct dir24 *dir24;

	cr_assert_eq(dir24_new(lookup_dir(lookup), &dir24), 0);
	for (size_t i = 0; i < table->count; i++) {
		if (table->routes[i].family == AF_INET)
			cr_assert_eq(dir24_set(dir24, &table->routes[i]), 0);
		cr_assert_eq(lookup_trie_set(lookup, &table->routes[i]), 0);
	}
	dir24_free(dir24);
}

static void compare(struct lookup *lookup, const struct table *table, __u8 family)
{
	struct addresses_options options = { .kind = ADDRESSES_PREFIXES, .family = family, .seed = 7 };
	static __u32 image[LOOKUP_ADDRESSES];
	struct addresses *addresses;
	const __u32 *results;

	cr_assert_eq(addresses_new(table, &options, &addresses), 0);
	addresses_fill(addresses, lookup_trace(lookup), LOOKUP_ADDRESSES);
	addresses_free(addresses);
	results = lookup_results(lookup, LOOKUP_IMAGE, family);
	cr_assert(results);
	memcpy(image, results, sizeof(image));
	for (enum lookup_structure structure = LOOKUP_DIR; structure <= LOOKUP_TRIE; structure++) {
		if (structure == LOOKUP_DIR && family == AF_INET6)
			continue;
		results = lookup_results(lookup, structure, family);
		cr_assert(results);
		for (__u32 i = 0; i < LOOKUP_ADDRESSES; i++)
			if (results[i] != image[i])
				cr_assert_fail("structure %u, address %u: %u, the image says %u", structure,
					       i, results[i], image[i]);
	}
}

Test(lookup, structures_agree)
{
	struct table_generate_options options = { .seed = 3, .ipv4 = 30000, .ipv6 = 10000, .nexthops = 500 };
	struct fib_limits limits = { .node_chunks = 1u << 18, .run_cells = 1u << 20 };
	struct image_update *update;
	struct image_store *store;
	struct lookup *lookup;
	struct grace *grace;
	struct table *table;
	int error = image_store_maps(&limits, &store);

	if (error == -EPERM)
		cr_skip_test("needs root: no permission to make BPF maps");
	cr_assert_eq(error, 0);
	cr_assert_eq(grace_new(&grace), 0);
	cr_assert_eq(image_update_new(store, grace, &update), 0);
	cr_assert_eq(image_update_open(update, 0, true), 0);
	cr_assert_eq(table_generate(&options, &table), 0);
	/* Leaves below 64 are reasons. */
	for (size_t i = 0; i < table->count; i++)
		table->routes[i].nexthop += 64;
	put_routes(update, table);
	cr_assert_eq(lookup_new(store, &lookup), 0);
	load(lookup, table);
	lookup_roots(lookup, 0);
	compare(lookup, table, AF_INET);
	compare(lookup, table, AF_INET6);
	lookup_free(lookup);
	image_update_free(update);
	grace_free(grace);
	image_store_free(store);
	table_free(table);
}
