// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The store against an array: what was made the first of its prefix is found, and nothing else, while its
 * hash grows and in between. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "host/mirror/route_store.h"

#define SEED     20261130
#define PREFIXES 40000 // the hash doubles several times
#define STEPS    200000
#define SAMPLES  8 // looked for after each step
#define TABLES   3

struct prefix {
	__u16 table;
	__u8 key[16];
	__u8 length;
	__u32 index; // 0: not there
};

static struct prefix prefix[PREFIXES];

// Different for each number: the first bytes are the number, what does not matter is zero.
static void make_prefix(unsigned number, unsigned width)
{
	struct prefix *each = &prefix[number];

	memset(each, 0, sizeof(*each));
	each->table = (__u16)(number % TABLES);
	each->key[0] = (__u8)(number >> 16);
	each->key[1] = (__u8)(number >> 8);
	each->key[2] = (__u8)number;
	each->key[width - 1] = (__u8)(number * 7);
	each->length = (__u8)(number % 4 ? 8 * width : 24);
	if (each->length == 24)
		memset(each->key + 3, 0, sizeof(each->key) - 3);
}

static void look_for(const struct route_store *store, unsigned number)
{
	const struct prefix *each = &prefix[number];

	cr_assert_eq(route_store_find(store, each->table, each->key, each->length), each->index, "prefix %u",
		     number);
}

static void change(struct route_store *store, unsigned number)
{
	struct prefix *each = &prefix[number];
	__u32 index = 0;

	if (!each->index) {
		cr_assert_eq(route_store_take(store, each->table, each->key, each->length, &index), 0);
		route_store_head(store, 0, index);
	} else if (rand() % 4 == 0) { // another is the first now
		cr_assert_eq(route_store_take(store, each->table, each->key, each->length, &index), 0);
		route_store_head(store, each->index, index);
		route_store_give(store, each->index);
	} else {
		route_store_head(store, each->index, 0);
		route_store_give(store, each->index);
	}
	each->index = index;
}

static void run(unsigned width)
{
	struct route_store *store;
	unsigned present = 0, most;

	srand(SEED);
	cr_assert_eq(route_store_new(width, PREFIXES, &store), 0);
	for (unsigned i = 0; i < PREFIXES; i++)
		make_prefix(i, width);
	for (unsigned step = 0; step < STEPS; step++) {
		most = 1 + (unsigned)((unsigned long)PREFIXES * step / STEPS); // more and more of them
		change(store, (unsigned)rand() % most);
		for (unsigned i = 0; i < SAMPLES; i++)
			look_for(store, (unsigned)rand() % PREFIXES);
	}
	for (unsigned i = 0; i < PREFIXES; i++) {
		look_for(store, i);
		present += prefix[i].index != 0;
	}
	cr_expect(present > PREFIXES / 4, "%u prefixes", present);
	cr_expect_eq(route_store_count(store), present);
	route_store_free(store);
}

Test(route_store, ipv4_finds_what_is_there)
{
	run(4);
}

Test(route_store, ipv6_finds_what_is_there)
{
	run(16);
}
