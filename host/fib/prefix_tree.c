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
#define PREFIX_LIMIT ((size_t)1 << 30) /* 50 million nodes of IPv4, 30 of IPv6 */

/* Trees of so many nodes get starts by so many bits, 8 bytes for each value of these bits: 512 KB and 8 MB.
 * In the IPv6 addresses of 2026, 20 bits tell little more than 16. */
static const struct {
	unsigned bits, width; /* at most so wide */
	__u32 nodes;
} starts[PREFIX_STARTS] = { { 16, 128, 1u << 15 }, { 20, 32, 1u << 16 } };

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

/* A place to begin a search: the longest node of at most so many bits for the first bits of a key. */
struct prefix_start {
	__u32 node;
	__u16 above[PREFIX_LAYERS]; /* values of shorter prefixes */
};

/* Where to begin on the way to key/length: a node above it, or the root. */
static struct prefix_start begin(const struct prefix_tree *tree, const __u32 *key, unsigned length)
{
	for (unsigned level = PREFIX_STARTS; level-- > 0;)
		if (tree->start[level] && length > starts[level].bits)
			return tree->start[level][key[0] >> (32 - starts[level].bits)];
	return (struct prefix_start){};
}

static size_t start_bytes(unsigned level)
{
	return sizeof(struct prefix_start) << starts[level].bits;
}

/* The first slot of a level that the node covers, and the one behind its last. */
static __u32 first_slot(const struct prefix_node *node, unsigned bits)
{
	return prefix_key_bits(node->key, 0, bits);
}

static __u32 past_slot(const struct prefix_node *node, unsigned bits)
{
	return first_slot(node, bits) + (1u << (bits - node->length));
}

/* Searches that begin at a node, by its place among the others, begin at `at` from now on. */
static void restart(struct prefix_tree *tree, __u32 index, struct prefix_start at)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);

	for (unsigned level = 0; level < PREFIX_STARTS && node->length <= tree->start_bits; level++) {
		unsigned bits = starts[level].bits;
		__u32 slot, past;

		if (!tree->start[level] || node->length > bits)
			continue;
		slot = first_slot(node, bits);
		for (unsigned side = 0; side < 2; side++) {
			const struct prefix_node *child = prefix_tree_node(tree, node->child[side]);

			if (!node->child[side] || child->length > bits)
				continue;
			for (past = first_slot(child, bits); slot < past; slot++)
				tree->start[level][slot] = at;
			slot = past_slot(child, bits);
		}
		for (past = past_slot(node, bits); slot < past; slot++)
			tree->start[level][slot] = at;
	}
}

/* The node has another value in the layer now: tells the starts below it. */
static void tell_below(struct prefix_tree *tree, struct prefix_start at, enum prefix_layer layer)
{
	const struct prefix_node *node = prefix_tree_node(tree, at.node);

	if (node->length >= tree->start_bits || (!node->length && layer == PREFIX_ROUTE))
		return;
	apply(node, at.above);
	for (unsigned side = 0; side < 2; side++) {
		const struct prefix_node *child = prefix_tree_node(tree, node->child[side]);

		at.node = node->child[side];
		if (!at.node || child->length > tree->start_bits)
			continue;
		restart(tree, at.node, at);
		if (!child->value[layer])
			tell_below(tree, at, layer);
	}
}

/* Makes the node and those below it starts. */
static void paint(struct prefix_tree *tree, struct prefix_start at)
{
	const struct prefix_node *node = prefix_tree_node(tree, at.node);

	if (node->length > tree->start_bits)
		return;
	restart(tree, at.node, at);
	apply(node, at.above);
	for (unsigned side = 0; side < 2; side++) {
		at.node = node->child[side];
		if (at.node)
			paint(tree, at);
	}
}

/* Large trees get starts; without the memory for them searches just take longer. */
static void grow_starts(struct prefix_tree *tree)
{
	for (unsigned level = 0; level < PREFIX_STARTS; level++) {
		size_t bytes = start_bytes(level);

		if (tree->start[level] || tree->nodes < starts[level].nodes ||
		    tree->width > starts[level].width)
			continue;
		tree->start[level] = aligned_alloc(bytes < PREFIX_HUGE ? bytes : PREFIX_HUGE, bytes);
		if (!tree->start[level])
			return;
		if (bytes >= PREFIX_HUGE)
			madvise(tree->start[level], bytes, MADV_HUGEPAGE);
		tree->start_bits = starts[level].bits;
		paint(tree, (struct prefix_start){});
	}
}

/* --- searches --- */

/* Puts a new node for key/length between parent and child (which it covers, or meets in a fork). at: what
 * covers the child; returns the new one instead. */
static struct prefix_start split(struct prefix_tree *tree, struct prefix_start at, __u32 parent,
				 const __u32 *key, unsigned length)
{
	unsigned side = bit(key, prefix_tree_node(tree, parent)->length);
	__u32 child = at.node, new = take(tree, key, length);
	const __u32 *other = prefix_tree_node(tree, child)->key;
	unsigned shared = common(key, other, length);

	if (shared < length) {
		at.node = take(tree, key, shared);
		prefix_tree_node(tree, at.node)->child[bit(key, shared)] = new;
		prefix_tree_node(tree, at.node)->child[bit(other, shared)] = child;
		prefix_tree_node(tree, parent)->child[side] = at.node;
		restart(tree, at.node, at);
	} else {
		prefix_tree_node(tree, new)->child[bit(other, length)] = child;
		prefix_tree_node(tree, parent)->child[side] = new;
	}
	at.node = new;
	restart(tree, new, at);
	return at;
}

/* The node of exactly key/length, made if it is missing. The caller has reserved two nodes. */
static struct prefix_start obtain(struct prefix_tree *tree, const __u32 *key, unsigned length)
{
	struct prefix_start at = begin(tree, key, length);

	for (;;) {
		struct prefix_node *node = prefix_tree_node(tree, at.node);
		__u32 parent = at.node, *child;

		if (node->length == length)
			return at;
		apply(node, at.above);
		child = &node->child[bit(key, node->length)];
		if (!*child) {
			at.node = *child = take(tree, key, length);
			restart(tree, at.node, at);
			return at;
		}
		at.node = *child;
		node = prefix_tree_node(tree, at.node);
		if (node->length > length || common(key, node->key, node->length) < node->length)
			return split(tree, at, parent, key, length);
	}
}

/* A node and the last two on the way to it; their node is PREFIX_NONE before the start of the search. */
struct trail {
	struct prefix_start at, parent, grandparent;
};

/* Finds the node of exactly key/length. */
static bool find(const struct prefix_tree *tree, const __u32 *key, unsigned length, struct trail *ret)
{
	struct trail trail = { begin(tree, key, length), { .node = PREFIX_NONE }, { .node = PREFIX_NONE } };

	for (;;) {
		const struct prefix_node *node = prefix_tree_node(tree, trail.at.node);
		__u32 child;

		if (node->length >= length) {
			*ret = trail;
			return node->length == length && common(key, node->key, length) == length;
		}
		child = node->child[bit(key, node->length)];
		if (!child)
			return false;
		trail.grandparent = trail.parent;
		trail.parent = trail.at;
		trail.at.node = child;
		apply(node, trail.at.above);
	}
}

static void replace_child(struct prefix_tree *tree, __u32 parent, __u32 old, __u32 new)
{
	struct prefix_node *node = prefix_tree_node(tree, parent);

	node->child[node->child[1] == old] = new;
}

static struct prefix_start parent_of(const struct prefix_tree *tree, __u32 index)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	struct prefix_start parent = begin(tree, node->key, node->length);

	for (;;) {
		const struct prefix_node *above = prefix_tree_node(tree, parent.node);
		__u32 next = above->child[bit(node->key, above->length)];

		if (next == index)
			return parent;
		apply(above, parent.above);
		parent.node = next;
	}
}

/* Removes a node that has neither value nor two children, and what is below takes its place. */
static bool prune(struct prefix_tree *tree, __u32 index, struct prefix_start parent)
{
	const struct prefix_node *node = prefix_tree_node(tree, index);
	__u32 heir = node->child[0] ? node->child[0] : node->child[1];

	if (!index || valued(node) || (node->child[0] && node->child[1]))
		return false;
	if (parent.node == PREFIX_NONE)
		parent = parent_of(tree, index);
	replace_child(tree, parent.node, index, heir);
	restart(tree, index, parent);
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
	for (unsigned level = 0; level < PREFIX_STARTS; level++)
		free(tree->start[level]);
	free(tree);
}

int prefix_tree_set_cover(struct prefix_tree *tree, const struct prefix_key *key, unsigned length,
			  enum prefix_layer layer, __u16 value, __u16 *ret_old,
			  struct prefix_cover *ret_cover)
{
	struct prefix_node *node;
	struct prefix_start at;

	assert(value && length <= tree->width);
	if (reserve(tree, 2) < 0)
		return -ENOMEM;
	at = obtain(tree, key->word, length);
	node = prefix_tree_node(tree, at.node);
	*ret_old = node->value[layer];
	*ret_cover = (struct prefix_cover){ at.node, { at.above[0], at.above[1] } };
	tree->count[layer] += !node->value[layer];
	node->value[layer] = value;
	if (*ret_old != value)
		tell_below(tree, at, layer);
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
	node = prefix_tree_node(tree, trail.at.node);
	old = node->value[layer];
	if (!old)
		return 0;
	node->value[layer] = 0;
	tree->count[layer]--;
	tell_below(tree, trail.at, layer);
	heir = node->child[0] ? node->child[0] : node->child[1];
	*ret_cover = (struct prefix_cover){ trail.at.node, { trail.at.above[0], trail.at.above[1] } };
	if (prune(tree, trail.at.node, trail.parent)) {
		ret_cover->node = heir ? heir : PREFIX_NONE;
		/* A fork that has lost a branch. */
		prune(tree, trail.parent.node, trail.grandparent);
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

	return find(tree, key->word, length, &trail) ? prefix_tree_node(tree, trail.at.node)->value[layer]
						     : 0;
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
	size_t bytes = tree->bytes;

	for (unsigned level = 0; level < PREFIX_STARTS; level++)
		if (tree->start[level])
			bytes += start_bytes(level);
	return bytes;
}
