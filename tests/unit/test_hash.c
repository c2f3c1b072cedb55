// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The hash table against an array of flags; equal values of different keys included. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/fib/hash.h"

#define SEED 3
#define KEYS 5000

struct entry {
	struct hash_node node;
	__u32 key;
	int in;
};

static struct entry entry[KEYS];

/* Few values: many keys share one. */
static __u64 value_of(__u32 key)
{
	return key % 7 ? key * 0x9e3779b97f4a7c15ull : 42;
}

static struct entry *find(const struct hash *hash, __u32 key)
{
	struct hash_node *node = hash_first(hash, value_of(key));

	for (; node; node = hash_next(node))
		if (((struct entry *)node)->key == key)
			return (struct entry *)node;
	return NULL;
}

static void tally(void *arg, struct hash_node *node)
{
	*(__u32 *)arg += ((struct entry *)node)->in;
}

Test(hash, agrees_with_flags)
{
	struct hash hash;
	__u32 in = 0, seen = 0;

	srandom(SEED);
	cr_assert_eq(hash_init(&hash), 0);
	for (__u32 i = 0; i < KEYS; i++)
		entry[i].key = i;
	for (int step = 0; step < 100000; step++) {
		struct entry *at = &entry[random() % KEYS];

		cr_assert_eq(find(&hash, at->key), at->in ? at : NULL);
		if (at->in)
			hash_remove(&hash, &at->node);
		else
			hash_insert(&hash, &at->node, value_of(at->key));
		in += at->in ? -1 : 1;
		at->in = !at->in;
		cr_assert_eq(hash.count, in);
	}
	hash_each(&hash, tally, &seen);
	cr_assert_eq(seen, in);
	hash_exit(&hash);
}

Test(hash, bytes)
{
	__u8 bytes[40] = { 0 };
	__u64 first = hash_bytes(bytes, sizeof(bytes));

	cr_assert_eq(hash_bytes(bytes, sizeof(bytes)), first);
	for (size_t length = 0; length < sizeof(bytes); length++)
		cr_assert_neq(hash_bytes(bytes, length), first);
	for (size_t i = 0; i < sizeof(bytes) * 8; i++) {
		bytes[i / 8] ^= 1 << (i % 8);
		cr_assert_neq(hash_bytes(bytes, sizeof(bytes)), first, "bit %zu", i);
		bytes[i / 8] ^= 1 << (i % 8);
	}
}
