// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/fib/prefix_start.h"
#include "host/fib/prefix_tree.h"

#define PREFIX_FIRST (size_t)4096      /* bytes of a new tree */
#define PREFIX_LIMIT ((size_t)1 << 30) /* 50 million nodes of IPv4, 30 of IPv6 */

/* Length of the common prefix of two keys, at most limit. */
static unsigned common(const __u32 *a, const __u32 *b, unsigned limit)
{
	for (unsigned i = 0; i * 32 < limit; i++) {
		__u32 differ = a[i] ^ b[i];

		if (differ) {
			unsigned length = i * 32 + __builtin_clz(differ);

			return length < limit ? length : limit;
		}
	}
	return limit;
}

/* --- nodes --- */

/* Makes the first `bytes` of the reserved addresses memory. */
static int commit(struct prefix_tree *tree, size_t bytes)
{
	if (mprotect(tree->node, bytes, PROT_READ | PROT_WRITE) < 0)
		return -ENOMEM;
	/* Every step of a search may miss the TLB. */
	if (bytes >= PREFIX_HUGE)
		madvise(tree->node, bytes, MADV_HUGEPAGE);
	tree->bytes = bytes;
	return 0;
}

/* Makes sure that `count` nodes can be taken without failing. */
static int reserve(struct prefix_tree *tree, __u32 count)
{
	size_t need = ((size_t)tree->nodes + count) * tree->stride, bytes = tree->bytes;

	if (tree->free_nodes >= count || need <= bytes)
		return 0;
	bytes = bytes < PREFIX_HUGE ? bytes * 4 : bytes + 2 * PREFIX_HUGE;
	if (bytes > tree->limit)
		bytes = tree->limit;
	return need <= bytes ? commit(tree, bytes) : -ENOMEM;
}

static __u32 take(struct prefix_tree *tree, const __u32 *key, unsigned length)
{
	__u32 index = tree->free;
	struct prefix_node *node;

	if (index) {
		tree->free = prefix_tree_node(tree, index)->child[0];
		tree->free_nodes--;
	} else {
		index = tree->nodes++;
	}
	node = prefix_tree_node(tree, index);
	memset(node, 0, tree->stride);
	node->length = length;
	for (unsigned i = 0; i * 32 < length; i++)
		node->key[i] = key[i];
	if (length % 32)
		node->key[length / 32] &= ~0u << (32 - length % 32);
	return index;
}

static void give(struct prefix_tree *tree, __u32 index)
{
	prefix_tree_node(tree, index)->child[0] = tree->free;
	tree->free = index;
	tree->free_nodes++;
}

static bool valued(const struct prefix_node *node)
{
	return node->value[PREFIX_ROUTE] || node->value[PREFIX_SHADOW];
}

/* --- searches --- */

/* Puts a new node for key/length between parent and child (which it covers, or meets in a fork). */
static __u32 split(struct prefix_tree *tree, __u32 parent, __u32 child, const __u32 *key, unsigned length)
{
	unsigned side = prefix_key_bit(key, prefix_tree_node(tree, parent)->length);
	__u32 fork, new = take(tree, key, length);
	const __u32 *other = prefix_tree_node(tree, child)->key;
	unsigned shared = common(key, other, length);

	if (shared == length) {
		prefix_tree_node(tree, new)->child[prefix_key_bit(other, length)] = child;
		prefix_tree_node(tree, parent)->child[side] = new;
		return new;
	}
	fork = take(tree, key, shared);
	prefix_tree_node(tree, fork)->child[prefix_key_bit(key, shared)] = new;
	prefix_tree_node(tree, fork)->child[prefix_key_bit(other, shared)] = child;
	prefix_tree_node(tree, parent)->child[side] = fork;
	prefix_start_move(tree, fork, fork);
	return new;
}

/* The node of exactly key/length, made if it is missing, and what covers it. The caller has reserved two
 * nodes. */
static __u32 obtain(struct prefix_tree *tree, const __u32 *key, unsigned length,
		    __u16 ret_value[PREFIX_LAYERS])
{
	struct prefix_start at = prefix_start_find(tree, key, length);
	__u16 value[PREFIX_LAYERS] = { at.value[0], at.value[1] };
	__u32 index = length ? at.node : 0, parent = 0;

	while (length) {
		struct prefix_node *node = prefix_tree_node(tree, index);
		__u32 *child = &node->child[prefix_key_bit(key, node->length)];

		parent = index;
		index = *child;
		if (!index) {
			index = *child = take(tree, key, length);
			prefix_start_move(tree, index, index);
			break;
		}
		node = prefix_tree_node(tree, index);
		if (node->length > length || common(key, node->key, node->length) < node->length) {
			index = split(tree, parent, index, key, length);
			prefix_start_move(tree, index, index);
			break;
		}
		if (node->length == length)
			break;
		prefix_node_apply(node, value);
	}
	ret_value[0] = length ? value[0] : 0;
	ret_value[1] = length ? value[1] : 0;
	return index;
}

/* A node with what covers it, and the last two on the way to it; PREFIX_NONE: before the start. */
struct trail {
	__u32 node, parent, grandparent;
	__u16 value[PREFIX_LAYERS];
};

/* Finds the node of exactly key/length. */
static bool find(const struct prefix_tree *tree, const __u32 *key, unsigned length, struct trail *ret)
{
	struct prefix_start at = prefix_start_find(tree, key, length);
	__u32 index = at.node, parent = PREFIX_NONE, grandparent;
	__u16 value[PREFIX_LAYERS] = { at.value[0], at.value[1] };
	const struct prefix_node *node = prefix_tree_node(tree, index);

	if (!length) {
		*ret = (struct trail){ 0, PREFIX_NONE, PREFIX_NONE, {} };
		return true;
	}
	for (;;) {
		grandparent = parent;
		parent = index;
		index = node->child[prefix_key_bit(key, node->length)];
		if (!index)
			return false;
		node = prefix_tree_node(tree, index);
		if (node->length >= length)
			break;
		prefix_node_apply(node, value);
	}
	*ret = (struct trail){ index, parent, grandparent, { value[0], value[1] } };
	return node->length == length && common(key, node->key, length) == length;
}

static void replace_child(struct prefix_tree *tree, __u32 parent, __u32 old, __u32 new)
{
	struct prefix_node *node = prefix_tree_node(tree, parent);

	node->child[node->child[1] == old] = new;
}

static __u32 parent_of(const struct prefix_tree *tree, __u32 index)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u32 parent = prefix_start_find(tree, node->key, node->length).node, next;

	for (;;) {
		const struct prefix_node *above = prefix_tree_node(tree, parent);

		next = above->child[prefix_key_bit(node->key, above->length)];
		if (next == index)
			return parent;
		parent = next;
	}
}

/* Removes a node that has neither value nor two children, and what is below takes its place. */
static bool prune(struct prefix_tree *tree, __u32 index, __u32 parent)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u32 heir = node->child[0] ? node->child[0] : node->child[1];

	if (!index || valued(node) || (node->child[0] && node->child[1]))
		return false;
	if (parent == PREFIX_NONE)
		parent = parent_of(tree, index);
	replace_child(tree, parent, index, heir);
	prefix_start_move(tree, index, parent);
	give(tree, index);
	return true;
}

static void each_below(const struct prefix_tree *tree, __u32 index,
		       void (*each)(void *arg, const struct prefix_key *key, unsigned length,
				    enum prefix_layer layer, __u16 value),
		       void *arg)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	struct prefix_key key = {};

	memcpy(&key, node->key, tree->width / 8);
	for (unsigned layer = 0; layer < PREFIX_LAYERS; layer++)
		if (node->value[layer])
			each(arg, &key, node->length, layer, node->value[layer]);
	for (unsigned side = 0; side < 2; side++)
		if (node->child[side])
			each_below(tree, node->child[side], each, arg);
}

static __u32 weigh(const struct prefix_tree *tree, __u32 index, __u32 seen, __u32 limit)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);

	seen++;
	for (unsigned side = 0; side < 2; side++)
		if (node->child[side] && seen < limit)
			seen = weigh(tree, node->child[side], seen, limit);
	return seen;
}

static __u32 count_values(const struct prefix_tree *tree, __u32 index, unsigned length)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u32 count = 0;

	if (node->length > length)
		count = !!node->value[PREFIX_ROUTE] + !!node->value[PREFIX_SHADOW];
	for (unsigned side = 0; side < 2; side++)
		if (node->child[side])
			count += count_values(tree, node->child[side], length);
	return count;
}

static bool differs(const struct prefix_tree *tree, __u32 index, const __u16 above[PREFIX_LAYERS],
		    __u16 answer)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u16 value[PREFIX_LAYERS] = { above[0], above[1] };

	if (valued(node)) {
		prefix_node_apply(node, value);
		if (prefix_answer(value) != answer)
			return true;
	}
	for (unsigned side = 0; side < 2; side++)
		if (node->child[side] && differs(tree, node->child[side], value, answer))
			return true;
	return false;
}

/* --- public --- */

struct prefix_key prefix_key_cut(struct prefix_key key, unsigned length)
{
	for (unsigned i = 0; i < 4; i++) {
		if (length <= i * 32)
			key.word[i] = 0;
		else if (length < i * 32 + 32)
			key.word[i] &= ~0u << (32 - length % 32);
	}
	return key;
}

struct prefix_key prefix_key(const __u8 *address, unsigned width, unsigned length)
{
	struct prefix_key key = {};

	for (unsigned i = 0; i < width / 32; i++) {
		__u32 word;

		memcpy(&word, address + i * 4, 4);
		key.word[i] = ntohl(word);
	}
	return prefix_key_cut(key, length);
}

int prefix_tree_new(unsigned width, struct prefix_tree **ret)
{
	struct prefix_tree *tree = calloc(1, sizeof(*tree));

	assert(width == 32 || width == 128);
	if (!tree)
		return -ENOMEM;
	tree->width = width;
	tree->stride = sizeof(struct prefix_node) + width / 8;
	tree->limit = PREFIX_LIMIT;
	/* Addresses for all there can be: the array grows without moving. */
	tree->node = mmap(NULL, PREFIX_LIMIT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tree->node == MAP_FAILED) {
		free(tree);
		return -ENOMEM;
	}
	if (commit(tree, PREFIX_FIRST) < 0) {
		prefix_tree_free(tree);
		return -ENOMEM;
	}
	take(tree, NULL, 0);
	*ret = tree;
	return 0;
}

void prefix_tree_free(struct prefix_tree *tree)
{
	if (!tree)
		return;
	munmap(tree->node, PREFIX_LIMIT);
	prefix_start_free(tree);
	free(tree);
}

int prefix_tree_set_cover(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			  enum prefix_layer layer, __u16 value, __u16 *ret_old,
			  struct prefix_cover *ret_cover)
{
	struct prefix_cover cover;
	struct prefix_node *node;
	struct trail trail;

	assert(value && length <= tree->width);
	/* what is there takes no memory */
	if (reserve(tree, 2) < 0 && !find(tree, key->word, length, &trail))
		return -ENOMEM;
	cover.node = obtain(tree, key->word, length, cover.value);
	node = prefix_tree_node(tree, cover.node);
	*ret_old = node->value[layer];
	*ret_cover = cover;
	tree->count[layer] += !node->value[layer];
	node->value[layer] = value;
	prefix_start_cover(tree, cover.node, layer);
	prefix_start_grow(tree);
	return 0;
}

__u16 prefix_tree_delete_cover(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			       enum prefix_layer layer, struct prefix_cover *ret_cover)
{
	struct prefix_node *node;
	struct trail trail;
	__u32 heir;
	__u16 old;

	if (!find(tree, key->word, length, &trail))
		return 0;
	node = prefix_tree_node(tree, trail.node);
	old = node->value[layer];
	if (!old)
		return 0;
	node->value[layer] = 0;
	tree->count[layer]--;
	prefix_start_cover(tree, trail.node, layer);
	heir = node->child[0] ? node->child[0] : node->child[1];
	*ret_cover = (struct prefix_cover){ trail.node, { trail.value[0], trail.value[1] } };
	if (prune(tree, trail.node, trail.parent)) {
		ret_cover->node = heir ? heir : PREFIX_NONE;
		/* A fork that has lost a branch. */
		prune(tree, trail.parent, trail.grandparent);
	}
	return old;
}

int prefix_tree_set(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
		    enum prefix_layer layer, __u16 value, __u16 *ret_old)
{
	struct prefix_cover cover;

	return prefix_tree_set_cover(tree, key, length, layer, value, ret_old, &cover);
}

__u16 prefix_tree_delete(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			 enum prefix_layer layer)
{
	struct prefix_cover cover;

	return prefix_tree_delete_cover(tree, key, length, layer, &cover);
}

__u16 prefix_tree_get(const struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
		      enum prefix_layer layer)
{
	struct trail trail;

	return find(tree, key->word, length, &trail) ? prefix_tree_node(tree, trail.node)->value[layer] : 0;
}

__u16 prefix_tree_match(const struct prefix_tree *tree, const struct prefix_key *key, unsigned *ret_length)
{
	__u16 value[PREFIX_LAYERS] = {};
	unsigned length[PREFIX_LAYERS] = {};
	__u32 index = 0;

	for (;;) {
		const struct prefix_node *node = prefix_tree_node(tree, index);

		if (common(key->word, node->key, node->length) < node->length)
			break;
		for (unsigned layer = 0; layer < PREFIX_LAYERS; layer++) {
			if (!node->value[layer])
				continue;
			value[layer] = node->value[layer];
			length[layer] = node->length;
		}
		if (node->length == tree->width)
			break;
		index = node->child[prefix_key_bit(key->word, node->length)];
		if (!index)
			break;
	}
	*ret_length = length[value[PREFIX_SHADOW] ? PREFIX_SHADOW : PREFIX_ROUTE];
	return prefix_answer(value);
}

struct prefix_cover prefix_tree_descend(const struct prefix_tree *tree, struct prefix_cover cover,
					const struct prefix_key *key, unsigned length)
{
	while (cover.node != PREFIX_NONE) {
		const struct prefix_node *node = prefix_tree_node(tree, cover.node);
		unsigned limit = node->length < length ? node->length : length;

		if (common(key->word, node->key, limit) < limit) {
			cover.node = PREFIX_NONE;
			break;
		}
		if (node->length >= length)
			break;
		prefix_node_apply(node, cover.value);
		cover.node = node->child[prefix_key_bit(key->word, node->length)];
		if (!cover.node)
			cover.node = PREFIX_NONE;
	}
	return cover;
}

struct prefix_cover prefix_tree_cover(const struct prefix_tree *tree, const struct prefix_key *key,
				      unsigned length)
{
	return prefix_tree_descend(tree, (struct prefix_cover){}, key, length);
}

__u32 prefix_tree_weight(const struct prefix_tree *tree, __u32 node, __u32 limit)
{
	return node == PREFIX_NONE ? 0 : weigh(tree, node, 0, limit);
}

__u32 prefix_tree_values(const struct prefix_tree *tree, __u32 node, unsigned length)
{
	return node == PREFIX_NONE ? 0 : count_values(tree, node, length);
}

/* What covers the longer prefixes in a part: the prefix that is as long as the part counts. */
static void cover_top(const struct prefix_tree *tree, const struct prefix_cover *cover, unsigned length,
		      __u16 ret_value[PREFIX_LAYERS])
{
	for (unsigned layer = 0; layer < PREFIX_LAYERS; layer++)
		ret_value[layer] = cover->value[layer];
	if (cover->node != PREFIX_NONE && prefix_tree_node(tree, cover->node)->length == length)
		prefix_node_apply(prefix_tree_node(tree, cover->node), ret_value);
}

__u16 prefix_tree_answer(const struct prefix_tree *tree, const struct prefix_cover *cover, unsigned length)
{
	__u16 value[PREFIX_LAYERS];

	cover_top(tree, cover, length, value);
	return prefix_answer(value);
}

bool prefix_tree_differs(const struct prefix_tree *tree, const struct prefix_cover *cover, unsigned length,
			 __u16 answer)
{
	__u16 value[PREFIX_LAYERS];

	cover_top(tree, cover, length, value);
	return prefix_answer(value) != answer ||
	       (cover->node != PREFIX_NONE && differs(tree, cover->node, value, answer));
}

__u32 prefix_tree_count(const struct prefix_tree *tree, enum prefix_layer layer)
{
	return tree->count[layer];
}

void prefix_tree_each(const struct prefix_tree *tree,
		      void (*each)(void *arg, const struct prefix_key *key, unsigned length,
				   enum prefix_layer layer, __u16 value),
		      void *arg)
{
	each_below(tree, 0, each, arg);
}

size_t prefix_tree_bytes(const struct prefix_tree *tree)
{
	return tree->bytes + prefix_start_bytes(tree);
}
