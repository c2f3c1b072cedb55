// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define HASH_CHAINS 64 /* at first */

/* Folds 64 x 64 bits into 64. */
static __u64 mix(__u64 a, __u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (__u64)product ^ (__u64)(product >> 64);
}

static const __u64 *secret(void)
{
	static __u64 key[2];

	if (!key[0] && getrandom(key, sizeof(key), 0) != sizeof(key))
		key[0] = (unsigned long)key; /* the pool is not ready: address layout will do */
	key[0] |= 1;
	key[1] |= 1;
	return key;
}

static void grow(struct hash *hash)
{
	__u32 mask = hash->mask * 2 + 1;
	struct hash_node **chain = calloc((size_t)mask + 1, sizeof(*chain));

	if (!chain)
		return;
	for (__u32 i = 0; i <= hash->mask; i++) {
		struct hash_node *node = hash->chain[i], *next;

		for (; node; node = next) {
			next = node->next;
			node->next = chain[node->value & mask];
			chain[node->value & mask] = node;
		}
	}
	free(hash->chain);
	hash->chain = chain;
	hash->mask = mask;
}

static struct hash_node *skip(struct hash_node *node, __u64 value)
{
	while (node && node->value != value)
		node = node->next;
	return node;
}

int hash_init(struct hash *hash)
{
	struct hash_node **chain = calloc(HASH_CHAINS, sizeof(*chain));

	if (!chain)
		return -ENOMEM;
	*hash = (struct hash){ .chain = chain, .mask = HASH_CHAINS - 1 };
	return 0;
}

void hash_exit(struct hash *hash)
{
	free(hash->chain);
	hash->chain = NULL;
}

__u64 hash_bytes(const void *bytes, size_t length)
{
	const __u64 *key = secret();
	const char *at = bytes;
	__u64 value = key[0] ^ length, word;

	for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		value = mix(value ^ word, key[1]) + key[0];
	}
	word = 0;
	memcpy(&word, at, length);
	return mix(value ^ word, key[1] ^ 0x9e3779b97f4a7c15ull);
}

void hash_insert(struct hash *hash, struct hash_node *node, __u64 value)
{
	struct hash_node **chain;

	if (hash->count > hash->mask)
		grow(hash);
	chain = &hash->chain[value & hash->mask];
	node->value = value;
	node->next = *chain;
	*chain = node;
	hash->count++;
}

void hash_remove(struct hash *hash, struct hash_node *node)
{
	struct hash_node **at = &hash->chain[node->value & hash->mask];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	hash->count--;
}

struct hash_node *hash_first(const struct hash *hash, __u64 value)
{
	return skip(hash->chain[value & hash->mask], value);
}

struct hash_node *hash_next(const struct hash_node *node)
{
	return skip(node->next, node->value);
}

void hash_each(const struct hash *hash, void (*each)(void *arg, struct hash_node *node), void *arg)
{
	for (__u32 i = 0; i <= hash->mask; i++) {
		struct hash_node *node = hash->chain[i], *next;

		for (; node; node = next) {
			next = node->next;
			each(arg, node);
		}
	}
}
