// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A chained hash table of nodes that live inside what they index. The caller compares keys:
 *
 *	for (node = hash_first(hash, value); node; node = hash_next(node))
 *		if (same(container(node), key)) ...
 *
 * The number of chains doubles as entries come and never falls. When memory for more chains is short the
 * table goes on with the ones it has. Values come from hash_bytes(), keyed by a secret of the process: what
 * the network can choose (neighbour addresses) cannot be chosen to collide.
 */
#pragma once

#include <stddef.h>
#include <linux/types.h>

struct hash_node {
	struct hash_node *next;
	__u64 value;
};

struct hash {
	struct hash_node **chain;
	__u32 mask;
	__u32 count;
};

/* An empty table; -ENOMEM. */
int hash_init(struct hash *hash);
/* Frees the chains, not the nodes. */
void hash_exit(struct hash *hash);

/* Hash value of some bytes. */
__u64 hash_bytes(const void *bytes, size_t length);

void hash_insert(struct hash *hash, struct hash_node *node, __u64 value);
/* The node must be in the table. */
void hash_remove(struct hash *hash, struct hash_node *node);

struct hash_node *hash_first(const struct hash *hash, __u64 value);
struct hash_node *hash_next(const struct hash_node *node);

/* All nodes in no order: each(arg, node). The callback may remove and free the node it is given. */
void hash_each(const struct hash *hash, void (*each)(void *arg, struct hash_node *node), void *arg);
