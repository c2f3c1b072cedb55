// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The prefixes of one VRF and one address family: what the image is built from and compared with.
 *
 * A prefix can have a value in each of two layers. The answer for an address is the value of its longest
 * prefix in the layer PREFIX_SHADOW; if none covers it, the value of its longest prefix in PREFIX_ROUTE. So
 * a shadow hides all routes below it (the local table is searched before the others), but not the longer
 * shadows.
 *
 * Values are leaf ids, 1..65535; 0 means none. One writer, no concurrent readers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* Most significant word first, host byte order; IPv4 is in word[0], the others are 0. */
struct prefix_key {
	__u32 word[4];
};

enum prefix_layer {
	PREFIX_ROUTE = 0,
	PREFIX_SHADOW = 1,
};
#define PREFIX_LAYERS 2

/* The key of an address in network order; bits behind length are cleared. width is 32 or 128. */
struct prefix_key prefix_key(const __u8 *address, unsigned width, unsigned length);

struct prefix_tree;

int prefix_tree_new(unsigned width, struct prefix_tree **ret);
void prefix_tree_free(struct prefix_tree *tree);

/* Sets a value (not 0); *ret_old is the one before, or 0. -ENOMEM: nothing changed. */
int prefix_tree_set(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
		    enum prefix_layer layer, __u16 value, __u16 *ret_old);
/* Removes a value and returns it; 0 if there was none. */
__u16 prefix_tree_delete(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			 enum prefix_layer layer);
/* The value of exactly this prefix, 0 if none. */
__u16 prefix_tree_get(const struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
		      enum prefix_layer layer);
/* The answer for an address (0 = none) and the length of the prefix that gave it. */
__u16 prefix_tree_match(const struct prefix_tree *tree, const struct prefix_key *key, unsigned *ret_length);
/* Prefixes with a value in the layer. */
__u32 prefix_tree_count(const struct prefix_tree *tree, enum prefix_layer layer);
/* Calls each for every value, shorter prefixes before those they cover, ascending. each must not change the
 * tree. */
void prefix_tree_each(const struct prefix_tree *tree,
		      void (*each)(void *arg, const struct prefix_key *key, unsigned length,
				   enum prefix_layer layer, __u16 value),
		      void *arg);
size_t prefix_tree_bytes(const struct prefix_tree *tree);
