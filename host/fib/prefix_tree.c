// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/fib/prefix_tree.h"

#define PREFIX_FIRST (size_t)4096 /* bytes of a new tree */
#define PREFIX_HUGE  ((size_t)2 << 20)
/* A tree of so many nodes gets starts: where the search for a prefix longer than PREFIX_START bits begins.
 * They take 512 KB. */
#define PREFIX_LARGE 32768
#define PREFIX_START 16
#define PREFIX_LIMIT ((size_t)1 << 30) /* 50 million nodes of IPv4, 30 of IPv6 */

static unsigned bit(const __u32 *word, unsigned at)
{
	return word[at / 32] >> (31 - at % 32) & 1;
}

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

/* Makes what a node says part of what covers the nodes below it. The default route is not part of the image.
 */
static void apply(const struct prefix_node *node, __u16 value[PREFIX_LAYERS])
{
	if (node->value[PREFIX_ROUTE] && node->length)
		value[PREFIX_ROUTE] = node->value[PREFIX_ROUTE];
	if (node->value[PREFIX_SHADOW])
		value[PREFIX_SHADOW] = node->value[PREFIX_SHADOW];
}

/* --- starts --- */

/* A place to begin a search: the longest node of at most PREFIX_START bits for the first bits of a key. */
struct prefix_start {
	__u32 node;
	__u16 above[PREFIX_LAYERS]; /* values of shorter prefixes */
};

/* Makes `node` the start for [first, past), and those below it that are not too long for their part of it. */
static void paint(struct prefix_tree *tree, __u32 index, const __u16 above[PREFIX_LAYERS], __u32 first,
		  __u32 past)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u16 value[PREFIX_LAYERS] = { above[0], above[1] };

	for (__u32 i = first; i < past; i++)
		tree->start[i] = (struct prefix_start){ index, { above[0], above[1] } };
	apply(node, value);
	for (unsigned side = 0; side < 2; side++) {
		const struct prefix_node *child = prefix_tree_node(tree, node->child[side]);
		__u32 low, high;

		if (!node->child[side] || child->length > PREFIX_START)
			continue;
		low = prefix_key_bits(child->key, 0, PREFIX_START);
		high = low + (1u << (PREFIX_START - child->length));
		if (low < past && high > first)
			paint(tree, node->child[side], value, low > first ? low : first,
			      high < past ? high : past);
	}
}

/* Something has changed at key/length: finds the starts inside anew. */
static void repaint(struct prefix_tree *tree, const __u32 *key, unsigned length)
{
	__u16 above[PREFIX_LAYERS] = {};
	__u32 index = 0, first;

	if (!tree->start || length > PREFIX_START)
		return;
	for (;;) {
		const struct prefix_node *node = prefix_tree_node(tree, index), *child;
		__u32 next = node->length < length ? node->child[bit(key, node->length)] : 0;

		if (!next)
			break;
		child = prefix_tree_node(tree, next);
		if (child->length > length || common(key, child->key, child->length) < child->length)
			break;
		apply(node, above);
		index = next;
	}
	first = prefix_key_bits(key, 0, length) << (PREFIX_START - length);
	paint(tree, index, above, first, first + (1u << (PREFIX_START - length)));
}

/* Large trees get starts; without the memory for them searches just take longer. */
static void grow_starts(struct prefix_tree *tree)
{
	static const __u32 zero[4];

	if (tree->start || tree->nodes < PREFIX_LARGE)
		return;
	tree->start = calloc(1u << PREFIX_START, sizeof(*tree->start));
	repaint(tree, zero, 0);
}

/* --- searches --- */

/* Puts a new node for key/length between parent and child (which it covers, or meets in a fork). */
static __u32 split(struct prefix_tree *tree, __u32 parent, __u32 child, const __u32 *key, unsigned length)
{
	unsigned side = bit(key, prefix_tree_node(tree, parent)->length);
	__u32 fork, new = take(tree, key, length);
	const __u32 *other = prefix_tree_node(tree, child)->key;
	unsigned shared = common(key, other, length);

	if (shared == length) {
		prefix_tree_node(tree, new)->child[bit(other, length)] = child;
		prefix_tree_node(tree, parent)->child[side] = new;
		return new;
	}
	fork = take(tree, key, shared);
	prefix_tree_node(tree, fork)->child[bit(key, shared)] = new;
	prefix_tree_node(tree, fork)->child[bit(other, shared)] = child;
	prefix_tree_node(tree, parent)->child[side] = fork;
	repaint(tree, key, shared);
	return new;
}

/* The node of exactly key/length, made if it is missing. The caller has reserved two nodes. */
static __u32 obtain(struct prefix_tree *tree, const __u32 *key, unsigned length, __u16 above[PREFIX_LAYERS])
{
	__u32 index = 0;

	if (tree->start && length > PREFIX_START) {
		const struct prefix_start *start = &tree->start[key[0] >> (32 - PREFIX_START)];

		index = start->node;
		above[0] = start->above[0];
		above[1] = start->above[1];
	}
	for (;;) {
		struct prefix_node *node = prefix_tree_node(tree, index);
		__u32 child;

		if (node->length == length)
			return index;
		apply(node, above);
		child = node->child[bit(key, node->length)];
		if (!child) {
			child = take(tree, key, length);
			node->child[bit(key, node->length)] = child;
			return child;
		}
		node = prefix_tree_node(tree, child);
		if (node->length > length || common(key, node->key, node->length) < node->length)
			return split(tree, index, child, key, length);
		index = child;
	}
}

/* A node and the last two on the way to it; PREFIX_NONE: before the start of the search. */
struct trail {
	__u32 node, parent, grandparent;
	__u16 above[PREFIX_LAYERS]; /* values of shorter prefixes */
};

/* Finds the node of exactly key/length. */
static bool find(const struct prefix_tree *tree, const __u32 *key, unsigned length, struct trail *ret)
{
	struct trail trail = { .parent = PREFIX_NONE, .grandparent = PREFIX_NONE };

	if (tree->start && length > PREFIX_START) {
		const struct prefix_start *start = &tree->start[key[0] >> (32 - PREFIX_START)];

		trail.node = start->node;
		trail.above[0] = start->above[0];
		trail.above[1] = start->above[1];
	}
	for (;;) {
		const struct prefix_node *node = prefix_tree_node(tree, trail.node);
		__u32 child;

		if (node->length >= length) {
			*ret = trail;
			return node->length == length && common(key, node->key, length) == length;
		}
		apply(node, trail.above);
		child = node->child[bit(key, node->length)];
		if (!child)
			return false;
		trail.grandparent = trail.parent;
		trail.parent = trail.node;
		trail.node = child;
	}
}

static void replace_child(struct prefix_tree *tree, __u32 parent, __u32 old, __u32 new)
{
	struct prefix_node *node = prefix_tree_node(tree, parent);

	node->child[node->child[1] == old] = new;
}

static __u32 parent_of(const struct prefix_tree *tree, __u32 index)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u32 parent = 0, next;

	for (;;) {
		const struct prefix_node *above = prefix_tree_node(tree, parent);

		next = above->child[bit(node->key, above->length)];
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
	replace_child(tree, parent == PREFIX_NONE ? parent_of(tree, index) : parent, index, heir);
	repaint(tree, node->key, node->length);
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
		apply(node, value);
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
	free(tree->start);
	free(tree);
}

int prefix_tree_set_cover(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			  enum prefix_layer layer, __u16 value, __u16 *ret_old,
			  struct prefix_cover *ret_cover)
{
	struct prefix_cover cover = {};
	struct prefix_node *node;

	assert(value && length <= tree->width);
	if (reserve(tree, 2) < 0)
		return -ENOMEM;
	cover.node = obtain(tree, key->word, length, cover.value);
	node = prefix_tree_node(tree, cover.node);
	*ret_old = node->value[layer];
	*ret_cover = cover;
	tree->count[layer] += !node->value[layer];
	node->value[layer] = value;
	repaint(tree, key->word, length);
	grow_starts(tree);
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
	repaint(tree, key->word, length);
	heir = node->child[0] ? node->child[0] : node->child[1];
	*ret_cover = (struct prefix_cover){ trail.node, { trail.above[0], trail.above[1] } };
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
		index = node->child[bit(key->word, node->length)];
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
		apply(node, cover.value);
		cover.node = node->child[bit(key->word, node->length)];
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
		apply(prefix_tree_node(tree, cover->node), ret_value);
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

struct prefix_key prefix_tree_key(const struct prefix_tree *tree, __u32 node)
{
	struct prefix_key key = {};

	memcpy(&key, prefix_tree_node(tree, node)->key, tree->width / 8);
	return key;
}

void prefix_tree_apply(const struct prefix_tree *tree, __u32 node, __u16 value[PREFIX_LAYERS])
{
	apply(prefix_tree_node(tree, node), value);
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
	return tree->bytes + (tree->start ? sizeof(*tree->start) << PREFIX_START : 0);
}
