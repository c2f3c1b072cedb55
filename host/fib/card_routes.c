// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Nodes of the image, and what the card has in their place. Both are compared by the addresses that they
 * stand for, not by where they lie: so it does not matter whether the image has changed a node or put another
 * one there. A group of 32 slots is taken apart into its runs; a run is a leaf or a node below. Where the
 * runs of the card's group start at the same slots, cells are changed one by one; else the group gets runs
 * elsewhere, which one write of its descriptor makes valid. Nodes below are kept wherever there was one of
 * that width.
 */
#include <errno.h>
#include <string.h>

#include "host/fib/card_parts.h"
#include "host/fib/image_node.h"
#include "host/fib/image_update.h"

#define CUT_BITS   8 /* of all nodes, on a card with little room */
#define SHORT_IPV6 3 /* a prefix of IPv6 is as short as one of IPv4 with a third of its bits: /48 as /16 */

/*
 * A node of the image, or the upper part of one that is cut, or a lower: its descriptors, or its cells. A
 * slot of an upper part stands for 2^below slots.
 */
struct source {
	const __u64 *descriptor;
	const __u32 *cell;
	__u32 bits, below;
};

/* A run that is wanted. */
struct want {
	bool node;
	__u32 leaf;
	struct source source;
};

/* A group, as it is wanted, or as the card is to have it. */
struct wants {
	__u32 bitmap;
	unsigned count;
	__u32 last; /* the leaf of the last run; ENTRY_NODE: there is none */
	struct want want[GROUP_SLOTS];
};

struct entries {
	__u32 bitmap;
	unsigned count;
	__u32 entry[GROUP_SLOTS];
};

/* A pass through one VRF and family. */
struct walk {
	struct card *card;
	__u32 vrf;
	int family;
	__u32 fallback; /* of the image, when the walk began */
};

/* --- the image --- */

/* For a node of so many bits that begins here. */
static struct source source_of(const struct card *card, const __u64 *descriptor, const __u32 *cell,
			       __u32 bits)
{
	__u32 below = card->sizes.split ? bits - CUT_BITS : 0;

	return (struct source){
		.descriptor = descriptor, .cell = cell, .bits = bits - below, .below = below
	};
}

static int source_at(const struct card *card, __u32 entry, struct source *ret)
{
	const struct image_store *store = card->store;
	__u32 bits = entry_bits(entry);
	__u64 first = entry_chunk(entry);

	if (entry_kind(entry) == NODE_DIRECT) {
		first *= RUN_CHUNK_CELLS;
		if (bits != ROOT6_BITS || first + (1u << bits) > store->run_cells)
			return -EAGAIN;
		*ret = source_of(card, NULL, &store->run[first], bits);
		return 0;
	}
	if (entry_kind(entry) != NODE_BITMAP || (bits != 8 && bits != 16 && bits != ROOT4_BITS) ||
	    first + (1u << (bits - 8)) > store->node_chunks)
		return -EAGAIN;
	*ret = source_of(card, &store->node[first * NODE_CHUNK_WORDS], NULL, bits);
	return 0;
}

static struct want *want_run(struct wants *wants, unsigned slot, __u32 last)
{
	wants->last = last;
	wants->bitmap |= slot ? 1u << slot : 0;
	return &wants->want[wants->count++];
}

static void want_leaf(struct wants *wants, unsigned slot, __u32 leaf)
{
	if (leaf != wants->last)
		*want_run(wants, slot, leaf) = (struct want){ .leaf = leaf };
}

static void want_node(struct wants *wants, unsigned slot, const struct source *source)
{
	*want_run(wants, slot, ENTRY_NODE) = (struct want){ .node = true, .source = *source };
}

static int want_entry(const struct card *card, struct wants *wants, unsigned slot, __u32 entry)
{
	struct source source;
	int error;

	if (!(entry & ENTRY_NODE)) {
		want_leaf(wants, slot, entry);
		return 0;
	}
	error = source_at(card, entry, &source);
	if (!error)
		want_node(wants, slot, &source);
	return error;
}

static int read_cells(const struct card *card, const __u32 *cell, struct wants *ret)
{
	int error = 0;

	for (unsigned slot = 0; slot < GROUP_SLOTS && !error; slot++)
		error = want_entry(card, ret, slot, __atomic_load_n(&cell[slot], __ATOMIC_ACQUIRE));
	return error;
}

/* Whether all that a slot of an upper part stands for is one leaf. */
static bool one_leaf(const struct source *slot, __u32 bits, __u32 *ret_leaf)
{
	__u64 first = slot->cell ? __atomic_load_n(slot->cell, __ATOMIC_ACQUIRE)
				 : __atomic_load_n(slot->descriptor, __ATOMIC_ACQUIRE);
	__u32 count = slot->cell ? 1u << bits : 1u << (bits - 5);

	if (slot->cell ? first & ENTRY_NODE : image_descriptor_bitmap(first))
		return false;
	for (__u32 i = 1; i < count; i++)
		if (slot->cell ? __atomic_load_n(&slot->cell[i], __ATOMIC_ACQUIRE) != first
			       : __atomic_load_n(&slot->descriptor[i], __ATOMIC_ACQUIRE) != first)
			return false;
	*ret_leaf = slot->cell ? first : image_descriptor_leaf(first);
	return true;
}

static void read_upper(const struct card *card, const struct source *source, __u32 group, struct wants *ret)
{
	for (unsigned slot = 0; slot < GROUP_SLOTS; slot++) {
		__u32 first = (group * GROUP_SLOTS + slot) << source->below, leaf;
		struct source lower = source->cell
					      ? source_of(card, NULL, &source->cell[first], source->below)
					      : source_of(card, &source->descriptor[first / GROUP_SLOTS],
							  NULL, source->below);

		if (one_leaf(&lower, source->below, &leaf))
			want_leaf(ret, slot, leaf);
		else
			want_node(ret, slot, &lower);
	}
}

static int read_runs(const struct card *card, __u64 descriptor, struct wants *ret)
{
	__u32 bitmap = image_descriptor_bitmap(descriptor), runs = __builtin_popcount(bitmap) + 1;
	__u32 base = image_descriptor_base(descriptor) & ~DESCRIPTOR_LEAVES, index = 0;
	bool leaves = image_descriptor_short(descriptor);
	int error = 0;

	if (base + runs > card->store->run_cells * (leaves ? 2 : 1) || bitmap & 1)
		return -EAGAIN;
	for (unsigned slot = 0; slot < GROUP_SLOTS && !error; slot++) {
		if (slot && !(bitmap >> slot & 1))
			continue;
		if (leaves)
			want_leaf(
				ret, slot,
				__atomic_load_n((__u16 *)card->store->run + base + index, __ATOMIC_ACQUIRE));
		else
			error = want_entry(
				card, ret, slot,
				__atomic_load_n(&card->store->run[base + index], __ATOMIC_ACQUIRE));
		index++;
	}
	return error;
}

static int read_group(const struct card *card, const struct source *source, __u32 group, struct wants *ret)
{
	__u64 descriptor;

	ret->bitmap = ret->count = 0;
	ret->last = ENTRY_NODE;
	if (source->below) {
		read_upper(card, source, group, ret);
		return 0;
	}
	if (source->cell)
		return read_cells(card, &source->cell[group * GROUP_SLOTS], ret);
	descriptor = __atomic_load_n(&source->descriptor[group], __ATOMIC_ACQUIRE);
	if (image_descriptor_bitmap(descriptor))
		return read_runs(card, descriptor, ret);
	want_leaf(ret, 0, image_descriptor_leaf(descriptor));
	return 0;
}

/* --- the card --- */

static struct card_space *space_of(const struct walk *walk)
{
	return &walk->card->space[2 * walk->vrf + walk->family];
}

static int write_space(struct walk *walk, __u32 root, __u32 fallback)
{
	const struct card_space space = { .root = root, .fallback = fallback };

	return card_write(walk->card, CARD_VRF, 2 * walk->vrf + walk->family, &space);
}

/* Cells that the runs of a group take: whole elements. */
static __u32 cells(unsigned runs)
{
	return (runs + 1) & ~1u;
}

/* The card's group, run by run. */
static void read_there(const struct card *card, __u64 descriptor, struct entries *ret)
{
	ret->bitmap = image_descriptor_bitmap(descriptor);
	ret->count = __builtin_popcount(ret->bitmap) + 1;
	if (ret->count == 1)
		ret->entry[0] = image_descriptor_leaf(descriptor);
	else
		for (unsigned i = 0; i < ret->count; i++)
			ret->entry[i] = image_run(&card->shadow, descriptor, i);
}

static __u32 entry_there(const struct entries *there, unsigned slot)
{
	return there->entry[__builtin_popcount(there->bitmap << (31 - slot))];
}

static __u32 chunks(__u32 bits)
{
	return 1u << (bits - 8);
}

/* How memory is given back: what packets may still be on their way through, and what none ever saw. */
typedef void give_back(struct image_memory *memory, enum image_array array, __u32 index, __u32 units);

/* A node and all below. */
static void drop_node(struct card *card, __u32 node, give_back *give)
{
	for (__u32 group = 0; group < chunks(entry_bits(node)) * NODE_CHUNK_WORDS; group++) {
		__u64 descriptor = *image_node_descriptor(&card->shadow, node, group);
		struct entries there;

		if (!image_descriptor_bitmap(descriptor))
			continue;
		read_there(card, descriptor, &there);
		for (unsigned i = 0; i < there.count; i++)
			if (there.entry[i] & ENTRY_NODE)
				drop_node(card, there.entry[i], give);
		give(card->memory, ARRAY_RUN, image_descriptor_base(descriptor), cells(there.count));
	}
	give(card->memory, ARRAY_NODE, entry_chunk(node), chunks(entry_bits(node)));
}

/* The nodes of one state of a group that the other has not. */
static void drop_nodes(struct card *card, const struct entries *of, const struct entries *than,
		       give_back *give)
{
	for (unsigned i = 0; i < of->count; i++) {
		bool kept = !(of->entry[i] & ENTRY_NODE);

		for (unsigned j = 0; j < than->count && !kept; j++)
			kept = than->entry[j] == of->entry[i];
		if (!kept)
			drop_node(card, of->entry[i], give);
	}
}

/* Into place; all elements, or those that differ. */
static int write_runs(struct card *card, __u32 place, const struct entries *entries, bool all)
{
	int error = 0;

	for (__u32 i = 0; i < entries->count && !error; i += 2) {
		const __u32 pair[2] = { entries->entry[i],
					i + 1 < entries->count ? entries->entry[i + 1] : 0 };

		if (all || memcmp(&card->shadow.run[place + i], pair, sizeof(pair)))
			error = card_write(card, CARD_RUN, (place + i) / 2, pair);
	}
	return error;
}

/* The descriptor for a group, its runs in a place of their own. */
static int place_group(struct card *card, const struct entries *old, struct entries *group,
		       __u64 *ret_descriptor)
{
	__u32 place;

	if (group->count > 1) {
		place = image_memory_take(card->memory, ARRAY_RUN, cells(group->count));
		if (place != MEMORY_NONE) {
			*ret_descriptor = image_descriptor(place, group->bitmap);
			return write_runs(card, place, group, true);
		}
		card->usage.punted++;
		drop_nodes(card, group, old, image_memory_give);
		*group = (struct entries){ .count = 1, .entry = { REASON_TABLE_FULL } };
	}
	*ret_descriptor = image_descriptor(group->entry[0], 0);
	return 0;
}

/* Makes the card's group at this word of node[] what it is to be. */
static int replace_group(struct card *card, __u32 word, const struct entries *old, struct entries *new)
{
	__u64 before = card->shadow.node[word], after;
	int error;

	if (new->count > 1 && new->bitmap == old->bitmap) {
		error = write_runs(card, image_descriptor_base(before), new, false);
	} else {
		error = place_group(card, old, new, &after);
		if (!error && after != before)
			error = card_write(card, CARD_NODE, word, &after);
		if (!error && old->count > 1)
			image_memory_retire(card->memory, ARRAY_RUN, image_descriptor_base(before),
					    cells(old->count));
	}
	if (!error)
		drop_nodes(card, old, new, image_memory_retire);
	return error;
}

static int sync_node(struct walk *walk, __u32 node, const struct source *source, unsigned depth);

/* A group that the card has not got yet; for what comes in its place it is TABLE_FULL. */
#define UNWRITTEN image_descriptor(DESCRIPTOR_LEAVES | REASON_TABLE_FULL, 0)

static int finish_node(struct card *card, __u32 node)
{
	const __u64 full = image_descriptor(REASON_TABLE_FULL, 0);
	__u32 word = entry_chunk(node) * NODE_CHUNK_WORDS;
	int error = 0;

	for (__u32 i = 0; i < chunks(entry_bits(node)) * NODE_CHUNK_WORDS && !error; i++)
		if (card->shadow.node[word + i] == UNWRITTEN)
			error = card_write(card, CARD_NODE, word + i, &full);
	return error;
}

/* A new node, or TABLE_FULL. -EAGAIN: what is not copied yet is TABLE_FULL. */
static int build_node(struct walk *walk, const struct source *source, unsigned depth, __u32 *ret_entry)
{
	struct card *card = walk->card;
	__u32 chunk, node;
	int error;

	*ret_entry = REASON_TABLE_FULL;
	if (depth / (walk->family == IMAGE_IPV6 ? SHORT_IPV6 : 1) >= card->limit) {
		card->usage.deferred++;
		return 0;
	}
	chunk = image_memory_take(card->memory, ARRAY_NODE, chunks(source->bits));
	if (chunk == MEMORY_NONE) {
		card->usage.punted++;
		return 0;
	}
	node = entry_node(NODE_BITMAP, source->bits, chunk);
	for (__u32 i = 0; i < chunks(source->bits) * NODE_CHUNK_WORDS; i++)
		card->shadow.node[chunk * NODE_CHUNK_WORDS + i] = UNWRITTEN;
	error = sync_node(walk, node, source, depth);
	if (error == -EAGAIN)
		error = finish_node(card, node) ?: -EAGAIN;
	*ret_entry = node;
	return error;
}

/* The card's entry for what is wanted, where it has `there` now. -EAGAIN: it punts more than it should. */
static int make_entry(struct walk *walk, const struct want *want, __u32 there, unsigned depth, __u32 *ret)
{
	if (!want->node) {
		int error = card_hop(walk->card, want->leaf, ret);

		walk->card->usage.punted += *ret != want->leaf;
		if (error)
			*ret = REASON_TABLE_FULL;
		return error;
	}
	if (!(there & ENTRY_NODE) || entry_bits(there) != want->source.bits)
		return build_node(walk, &want->source, depth, ret);
	*ret = there;
	return sync_node(walk, there, &want->source, depth);
}

/* Leaf 0 means another thing since the fallback changed: until the walk is over the kernel decides. */
static int follow_fallback(struct walk *walk)
{
	const struct card *card = walk->card;
	const struct image_vrf *vrf = &card->store->tables->vrf[walk->vrf];
	const struct card_space *there = space_of(walk);

	if (__atomic_load_n(&vrf->fallback[walk->family], __ATOMIC_ACQUIRE) == walk->fallback ||
	    there->fallback == REASON_NO_ROUTE)
		return 0;
	return write_space(walk, there->root, REASON_NO_ROUTE);
}

static void append(struct entries *entries, const struct wants *wants, unsigned index, __u32 entry)
{
	__u32 starts = wants->bitmap;

	/* Leaves that the card cannot tell apart are one run. */
	if (entries->count && !(entry & ENTRY_NODE) && entries->entry[entries->count - 1] == entry)
		return;
	for (unsigned i = 1; i < index; i++)
		starts &= starts - 1;
	entries->bitmap |= index ? starts & -starts : 0;
	entries->entry[entries->count++] = entry;
}

static unsigned slot_of(const struct wants *wants, unsigned index)
{
	__u32 starts = wants->bitmap;

	for (unsigned i = 1; i < index; i++)
		starts &= starts - 1;
	return index ? __builtin_ctz(starts) : 0;
}

static int sync_group(struct walk *walk, __u32 word, const struct wants *wants, unsigned depth)
{
	struct card *card = walk->card;
	struct entries old, new = {};
	int error = follow_fallback(walk);
	bool again = false;

	read_there(card, card->shadow.node[word], &old);
	for (unsigned i = 0; i < wants->count && !error; i++) {
		__u32 entry;

		error = make_entry(walk, &wants->want[i], entry_there(&old, slot_of(wants, i)), depth,
				   &entry);
		again |= error == -EAGAIN;
		if (error == -EAGAIN)
			error = 0;
		append(&new, wants, i, entry);
	}
	if (!error)
		error = replace_group(card, word, &old, &new);
	return error ? error : again ? -EAGAIN : 0;
}

/* Whether the card has just this leaf in all 32 slots. */
static bool has_leaf(const struct card *card, __u32 word, __u64 descriptor)
{
	return !image_descriptor_bitmap(descriptor) &&
	       card->shadow.node[word] == image_descriptor(image_descriptor_leaf(descriptor), 0);
}

/* Makes the card's node the same as that of the image, which has the same width. */
static int sync_node(struct walk *walk, __u32 node, const struct source *source, unsigned depth)
{
	struct card *card = walk->card;
	__u32 word = entry_chunk(node) * NODE_CHUNK_WORDS;
	int error = 0;

	for (__u32 group = 0; group < 1u << (source->bits - 5) && !error; group++) {
		struct wants wants;

		if (source->descriptor && !source->below &&
		    has_leaf(card, word + group,
			     __atomic_load_n(&source->descriptor[group], __ATOMIC_ACQUIRE)))
			continue;
		error = read_group(card, source, group, &wants);
		if (!error)
			error = card_check(card);
		if (!error)
			error = sync_group(walk, word + group, &wants, depth + source->bits);
	}
	return error;
}

static int sync_root(struct walk *walk, __u32 root)
{
	struct card *card = walk->card;
	const struct card_space *there = space_of(walk);
	__u32 old = there->root, new;
	struct want want = { .leaf = root };
	int error = 0, again;

	if (root & ENTRY_NODE) {
		want.node = true;
		error = source_at(card, root, &want.source);
	}
	if (!error)
		error = card_check(card);
	if (error)
		return error;
	again = make_entry(walk, &want, old, 0, &new);
	error = again == -EAGAIN ? 0 : again;
	if (!error)
		error = follow_fallback(walk);
	if (!error && new != old)
		error = write_space(walk, new, there->fallback);
	if (!error && new != old && old &ENTRY_NODE)
		drop_node(card, old, image_memory_retire);
	return error ? error : again;
}

/* The fallback takes effect when all routes are those that go with it. */
static int sync_fallback(struct walk *walk)
{
	struct card *card = walk->card;
	const struct image_vrf *vrf = &card->store->tables->vrf[walk->vrf];
	const struct card_space *there = space_of(walk);
	__u32 id;
	int error;

	if (__atomic_load_n(&vrf->fallback[walk->family], __ATOMIC_ACQUIRE) != walk->fallback)
		return 0;
	error = card_hop(card, walk->fallback, &id);
	if (!error)
		error = card_check(card);
	if (error || there->fallback == id)
		return error;
	return write_space(walk, there->root, id);
}

static int sync_space(struct walk *walk)
{
	struct card *card = walk->card;
	const struct image_vrf *vrf = &card->store->tables->vrf[walk->vrf];
	const struct card_space *there = space_of(walk);
	__u32 had = there->fallback, id;
	int error = 0;

	walk->fallback = __atomic_load_n(&vrf->fallback[walk->family], __ATOMIC_ACQUIRE);
	id = walk->fallback < card->sizes.entries[CARD_HOP] ? walk->fallback : REASON_TABLE_FULL;
	if (had != id && had != REASON_NO_ROUTE)
		error = write_space(walk, there->root, REASON_NO_ROUTE);
	if (!error)
		error = sync_root(walk, __atomic_load_n(&vrf->root[walk->family], __ATOMIC_ACQUIRE));
	return error ? error : sync_fallback(walk);
}

int card_routes_pass(struct card *card)
{
	int error = 0;

	card->usage.punted = card->usage.deferred = 0;
	for (__u32 vrf = 0; vrf < card->sizes.entries[CARD_VRF] / 2 && !error; vrf++)
		for (int family = 0; family < 2 && !error; family++)
			error = sync_space(&(struct walk){ .card = card, .vrf = vrf, .family = family });
	return error;
}
