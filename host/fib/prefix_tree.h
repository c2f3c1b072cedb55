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
 *
 * The format is a path-compressed binary trie in one growing array, linked by index: a node is a prefix that
 * has a value or two children. Node 0 is the prefix of length 0 and always there; as a child, 0 means none.
 * In large trees a search begins near its end (host/fib/prefix_start.h). A node takes 20 bytes for IPv4 and
 * 32 for IPv6; a full table has about 1.6 nodes to a prefix.
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

struct prefix_node {
	__u32 child[2];
	__u16 value[PREFIX_LAYERS];
	__u8 length;
	__u8 reserved[3];
	__u32 key[]; /* 1 or 4 words; bits behind length are 0 */
};

struct prefix_start;
#define PREFIX_STARTS 3

struct prefix_tree {
	__u8 *node;                                /* nodes of `stride` bytes */
	struct prefix_start *start[PREFIX_STARTS]; /* large trees: where to begin, by the first bits */
	unsigned levels;                           /* of starts that there are */
	__u32 stride;
	__u32 nodes;  /* used or on the free list */
	size_t bytes; /* of memory */
	size_t limit; /* of memory there may be */
	__u32 free;   /* list through child[0], 0 ends it */
	__u32 free_nodes;
	__u32 count[PREFIX_LAYERS]; /* values */
	unsigned width;             /* 32 or 128 */
};

#define PREFIX_NONE 0xffffffffu
#define PREFIX_HUGE ((size_t)2 << 20) /* bytes of a huge page; smaller memory asks for none */

static inline struct prefix_node *prefix_tree_node(const struct prefix_tree *tree, __u32 index)
{
	return (struct prefix_node *)(tree->node + (size_t)index * tree->stride);
}

/* Puts what a node says over what shorter prefixes say. The default route is not part of the image. */
static inline void prefix_node_apply(const struct prefix_node *node, __u16 value[PREFIX_LAYERS])
{
	if (node->value[PREFIX_ROUTE] && node->length)
		value[PREFIX_ROUTE] = node->value[PREFIX_ROUTE];
	if (node->value[PREFIX_SHADOW])
		value[PREFIX_SHADOW] = node->value[PREFIX_SHADOW];
}

/* A part of the address space seen from the tree: the values that cover it, and what is inside. */
struct prefix_cover {
	__u32 node;                 /* the shortest prefix inside (its length >= that of the part), or
				       PREFIX_NONE */
	__u16 value[PREFIX_LAYERS]; /* of the longest prefixes shorter than the part; without a route of
				       length 0 */
};

/* The answer that a pair of values gives: the shadow goes first. */
static inline __u16 prefix_answer(const __u16 value[PREFIX_LAYERS])
{
	return value[PREFIX_SHADOW] ? value[PREFIX_SHADOW] : value[PREFIX_ROUTE];
}

/* The part key/length, from the whole or from a part that contains it. */
struct prefix_cover prefix_tree_cover(const struct prefix_tree *tree, const struct prefix_key *key,
				      unsigned length);
struct prefix_cover prefix_tree_descend(const struct prefix_tree *tree, struct prefix_cover from,
					const struct prefix_key *key, unsigned length);
/* Nodes at and below a node (PREFIX_NONE: 0), counting little further than limit. */
__u32 prefix_tree_weight(const struct prefix_tree *tree, __u32 node, __u32 limit);
/* Values of prefixes longer than length, at and below a node (PREFIX_NONE: 0). */
__u32 prefix_tree_values(const struct prefix_tree *tree, __u32 node, unsigned length);
/* The answer for what of the part (whose length is given) no longer prefix covers. */
__u16 prefix_tree_answer(const struct prefix_tree *tree, const struct prefix_cover *cover, unsigned length);
/*
 * Whether something in the part (whose length is given) may get another answer than `answer`. False is sure;
 * true is not: two halves may have one answer though a prefix over both has another.
 */
bool prefix_tree_differs(const struct prefix_tree *tree, const struct prefix_cover *cover, unsigned length,
			 __u16 answer);

/* The key of an address in network order; bits behind length are cleared. width is 32 or 128. */
struct prefix_key prefix_key(const __u8 *address, unsigned width, unsigned length);
/* Clears the bits behind length. */
struct prefix_key prefix_key_cut(struct prefix_key key, unsigned length);
/* A bit of the key, 0 = most significant. */
static inline unsigned prefix_key_bit(const __u32 *word, unsigned at)
{
	return word[at / 32] >> (31 - at % 32) & 1;
}

/* count (0..32) bits of the key, from bit `from` (0 = most significant). */
static inline __u32 prefix_key_bits(const __u32 *word, unsigned from, unsigned count)
{
	unsigned index = from / 32, offset = from % 32;
	__u64 pair = (__u64)word[index] << 32;

	if (offset + count > 32)
		pair |= word[index + 1];
	return count ? (__u32)((pair << offset) >> (64 - count)) : 0;
}

/* Writes count (0..32) bits, which are 0 in the key, at bit `from`. */
static inline struct prefix_key prefix_key_place(struct prefix_key key, unsigned from, unsigned count,
						 __u32 bits)
{
	unsigned index = from / 32, end = from % 32 + count;

	if (!count)
		return key;
	if (end <= 32) {
		key.word[index] |= bits << (32 - end);
	} else {
		key.word[index] |= bits >> (end - 32);
		key.word[index + 1] |= bits << (64 - end);
	}
	return key;
}

int prefix_tree_new(unsigned width, struct prefix_tree **ret);
void prefix_tree_free(struct prefix_tree *tree);

/* Sets a value (not 0); *ret_old is the one before, or 0. -ENOMEM: nothing changed; never where there is one.
 */
int prefix_tree_set(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
		    enum prefix_layer layer, __u16 value, __u16 *ret_old);
/* Removes a value and returns it; 0 if there was none. */
__u16 prefix_tree_delete(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			 enum prefix_layer layer);
/* The same, and *ret_cover is what covers and what is in the prefix then, if something has changed. */
int prefix_tree_set_cover(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			  enum prefix_layer layer, __u16 value, __u16 *ret_old,
			  struct prefix_cover *ret_cover);
__u16 prefix_tree_delete_cover(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			       enum prefix_layer layer, struct prefix_cover *ret_cover);
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
