// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The Internet's tables on cards: what they take, how many reads an answer takes, and what cards know that
 * have too little room.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "bench/workload/addresses.h"
#include "bench/workload/table_generate.h"
#include "tests/unit/card_device.h"
#include "tests/unit/image_model.h"

#define SEED  20261212
#define LARGE 2048000 /* elements of the smaller firmware that is known; it holds both tables */
#define COUNT 20000   /* addresses that are asked for */

static void load(struct image_model *model, const struct table *table)
{
	image_update_begin(model->update, 0);
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		unsigned width = table_width(route->family);
		struct image_prefix prefix = { .family = width == 128 ? IMAGE_IPV6 : IMAGE_IPV4,
					       .layer = PREFIX_ROUTE,
					       .length = route->len,
					       .key = prefix_key(route->addr, width, route->len) };
		__u16 old;

		cr_assert_eq(image_update_set(model->update, &prefix, 64 + route->nexthop, &old), 0);
	}
	image_update_end(model->update, 0);
}

/* Both tables, or one, in an image. */
static struct image_model *image_of(__u8 family, struct table **ret_table)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	struct image_model *model = model_new(SEED, 0, 0);
	struct table *table;

	cr_assert_eq(table_generate(&options, &table), 0);
	if (family) {
		struct table *both = table;

		cr_assert_eq(table_select(both, family, &table), 0);
		table_free(both);
	}
	load(model, table);
	model->store->tables->control.version = IMAGE_VERSION;
	model->store->tables->control.held = false;
	*ret_table = table;
	return model;
}

/* A card with a copy of all that it has room for. */
static struct card_device *copy_to(const struct image_model *model, __u32 elements, struct card_usage *ret)
{
	struct card_device *device;
	struct card_writer writer;
	struct card_sizes sizes;
	struct card *card;
	int again;

	cr_assert_eq(card_sizes_fit(elements, &sizes), 0);
	device = card_device_new(&sizes);
	writer = card_device_writer(device);
	cr_assert_eq(card_new(model->store, &sizes, &writer, 0, &card), 0);
	while ((again = card_pass(card)) == 1)
		nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	cr_assert_eq(again, 0);
	card_usage(card, ret);
	cr_assert(ret->live);
	card_free(card);
	return device;
}

/* Each prefix of the table with the same chance: how many of a thousand addresses the card knows. */
static unsigned share(const struct image_model *model, const struct card_device *device,
		      const struct table *table, __u8 family)
{
	struct addresses_options options = { .kind = ADDRESSES_PREFIXES, .family = family, .seed = 9 };
	enum image_family index = family == AF_INET6 ? IMAGE_IPV6 : IMAGE_IPV4;
	static __u8 address[COUNT * 16];
	unsigned size = family == AF_INET6 ? 16 : 4, known = 0;
	struct addresses *addresses;

	cr_assert_eq(addresses_new(table, &options, &addresses), 0);
	addresses_fill(addresses, address, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		__u32 leaf = card_device_leaf(device, 0, index, address + i * size);

		known += leaf != REASON_TABLE_FULL;
		cr_assert(leaf == REASON_TABLE_FULL ||
			  leaf == model_answer(model, 0, index, address + i * size));
	}
	addresses_free(addresses);
	return known / (COUNT / 1000);
}

static bool is_set(const __u8 *bits, __u32 index)
{
	return bits[index / 8] & 1u << index % 8;
}

static __u32 top24(const __u8 *address)
{
	return (__u32)address[0] << 16 | address[1] << 8 | address[2];
}

/* A descriptor and a cell for whatever has no prefix longer than /24 beside it, two more for the others. */
Test(card_full, ipv4)
{
	__u8 *longer = calloc(1, (1 << 24) / 8);
	__u64 most = 0, most_longer = 0, asked = 0;
	struct card_device *device;
	struct card_usage usage;
	struct image_model *model;
	struct table *table;

	cr_assert(longer);
	model = image_of(AF_INET, &table);
	device = copy_to(model, LARGE, &usage);
	cr_log_info("%zu routes of IPv4: %u elements of nodes, %u of runs", table->count, usage.node_used,
		    usage.run_used);
	cr_assert_eq(usage.punted, 0);
	cr_assert(usage.node_used + usage.run_used <= 1100000);
	for (size_t i = 0; i < table->count; i++)
		if (table->routes[i].len > 24)
			longer[top24(table->routes[i].addr) / 8] |= 1u << top24(table->routes[i].addr) % 8;
	for (size_t i = 0; i < table->count; i++) {
		const __u8 *address = table->routes[i].addr;
		__u64 *to = is_set(longer, top24(address)) ? &most_longer : &most;

		*device->reads = 0;
		cr_assert_eq(card_device_leaf(device, 0, IMAGE_IPV4, address),
			     model_answer(model, 0, IMAGE_IPV4, address));
		*to = *device->reads > *to ? *device->reads : *to;
		asked += to == &most;
	}
	cr_assert(asked > table->count / 2);
	cr_assert_eq(most, 2);
	cr_assert_leq(most_longer, 4);
	free(longer);
	card_device_free(device);
	table_free(table);
	model_free(model);
}

/* Alone, since the image then takes larger nodes. */
Test(card_full, ipv6)
{
	struct card_device *device;
	struct card_usage usage;
	struct image_model *model;
	struct table *table;

	model = image_of(AF_INET6, &table);
	device = copy_to(model, LARGE, &usage);
	cr_log_info("%zu routes of IPv6: %u elements of nodes, %u of runs", table->count, usage.node_used,
		    usage.run_used);
	cr_assert_eq(usage.punted, 0);
	cr_assert_eq(share(model, device, table, AF_INET6), 1000);
	card_device_free(device);
	table_free(table);
	model_free(model);
}

/* How many of a thousand routes of these lengths have a first address that the card knows. */
static unsigned lengths_known(const struct card_device *device, const struct table *table, unsigned least,
			      unsigned most)
{
	__u64 count = 0, known = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		if (route->family != AF_INET || route->len < least || route->len > most)
			continue;
		count++;
		known += card_device_leaf(device, 0, IMAGE_IPV4, route->addr) != REASON_TABLE_FULL;
	}
	return (unsigned)(1000 * known / count);
}

/* Both tables, on cards of all sizes: with less room no more is known, and long prefixes give way first. */
Test(card_full, budgets)
{
	static const __u32 budgets[] = {
		3072000, LARGE, 1 << 20, 1 << 19, 1 << 18, 1 << 17, 1 << 16, 1 << 15
	};
	unsigned last[2] = { 1000, 1000 };
	struct image_model *model;
	struct table *table;

	model = image_of(0, &table);
	for (unsigned i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		struct card_usage usage;
		struct card_device *device = copy_to(model, budgets[i], &usage);
		unsigned now[2] = { share(model, device, table, AF_INET),
				    share(model, device, table, AF_INET6) };
		unsigned shorter = lengths_known(device, table, 8, 16),
			 longer = lengths_known(device, table, 24, 24);

		cr_log_info(
			"%u elements: %u of %u for nodes, %u of %u for runs; %u and %u of 1000 addresses; "
			"/8 to /16 %u, /24 %u",
			budgets[i], usage.node_used, usage.node_total, usage.run_used, usage.run_total,
			now[0], now[1], shorter, longer);
		cr_assert_eq(usage.punted == 0, budgets[i] >= LARGE);
		cr_assert(usage.node_used + usage.run_used <= 1100000 + 630000);
		cr_assert_eq(now[0] == 1000 && now[1] == 1000, budgets[i] >= LARGE);
		cr_assert(now[0] <= last[0] && now[1] <= last[1]);
		cr_assert(shorter >= longer);
		last[0] = now[0];
		last[1] = now[1];
		card_device_free(device);
	}
	table_free(table);
	model_free(model);
}
