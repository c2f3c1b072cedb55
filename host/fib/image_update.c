// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/fib/image_build.h"
#include "host/fib/image_compact.h"
#include "host/fib/image_heal.h"
#include "host/fib/image_memory.h"
#include "host/fib/image_node.h"
#include "host/fib/image_queue.h"
#include "host/fib/image_refresh.h"
#include "host/fib/image_retired.h"
#include "host/fib/image_update.h"
#include "host/fib/image_walk.h"

/* How long one call works on what is unfinished, and how much it recycles. */
#define WORK_NANOSECONDS    400000
#define RECYCLE_BLOCKS      8192
/* Slots of a large node that are taken apart before looking at the clock. */
#define RETIRE_SLOTS        4096
/* Pieces of an IPv4 table with a large root: 2048 groups. */
#define SHORTEST_IPV4       8
/* Prefixes in a change that is done at once. */
#define SMALL_CHANGE        512
/* How often holes are looked for. */
#define COMPACT_NANOSECONDS 20000000
/* Nodes with so many bits are taken apart in steps. */
#define STEPWISE_BITS       16
/* Of run[]: the identical cells and halves of cells. */
#define RESERVED_CELLS      (IMAGE_NEXTHOPS + IMAGE_NEXTHOPS / 2)

/* A node that no new reader finds, being taken apart. */
struct remains {
	__u32 entry;
	__u32 slot;
};

struct compaction {
	bool running;
	__u64 next; /* not to be thought of before this time */
	__u32 vrf, family;
	bool walking;
	struct image_walk walk;
};

struct image_update {
	struct image_store *store;
	struct grace *grace;
	struct image_memory *memory;
	struct image_build *build;
	struct image_space *space[IMAGE_VRFS]; /* two each: by family */
	__u32 loading;                         /* VRFs that are */

	struct image_queue work; /* large changes; the oldest is under way if walking */
	struct image_walk walk;
	bool walking;

	struct image_heal heal; /* parts that found no room */
	__u32 punted_known;     /* cache of their prefixes, and for how many parts it holds */
	__u64 punted_routes;

	struct remains *remains;
	__u32 remains_count, remains_room;

	struct image_retired retired;
	void (*reuse)(void *arg, __u16 leaf);
	void *reuse_arg;

	struct compaction compaction;
	__u64 moved;
};

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* --- spaces --- */

static struct image_space *get_space(const struct image_update *update, __u16 vrf, __u8 family)
{
	struct image_space *space = update->space[vrf];

	return space ? &space[family] : NULL;
}

static struct image_vrf *vrf_of(const struct image_update *update, __u16 vrf)
{
	return &update->store->tables->vrf[vrf];
}

static void publish_root(const struct image_update *update, const struct image_space *space)
{
	image_store_cell(&vrf_of(update, space->vrf)->root[space->family],
			 space->lost ? REASON_TABLE_FULL : space->entry);
}

static void publish_fallback(const struct image_update *update, const struct image_space *space)
{
	const struct prefix_node *node = prefix_tree_node(space->tree, 0);
	__u32 leaf = node->value[PREFIX_ROUTE] ? node->value[PREFIX_ROUTE] : REASON_NO_ROUTE;

	image_store_cell(&vrf_of(update, space->vrf)->fallback[space->family], leaf);
}

static void note_punted(void *arg, const struct image_space *space, const struct prefix_key *key,
			unsigned length)
{
	struct image_update *update = arg;
	struct image_part part = { space->vrf, space->family, length, prefix_key_cut(*key, length) };

	image_queue_add(&update->heal.punted, &part);
	update->punted_known = 0;
}

/* --- taking apart what was replaced --- */

static void retire_entry(struct image_update *update, __u32 entry)
{
	struct remains *more;
	__u32 room = update->remains_room * 2 + 8;

	if (!(entry & ENTRY_NODE))
		return;
	if (entry_bits(entry) < STEPWISE_BITS) {
		image_build_retire(update->build, entry);
		return;
	}
	if (update->remains_count == update->remains_room) {
		more = realloc(update->remains, room * sizeof(*more));
		if (!more) {
			image_build_retire(update->build, entry);
			return;
		}
		update->remains = more;
		update->remains_room = room;
	}
	update->remains[update->remains_count++] = (struct remains){ .entry = entry };
}

static void retire_remains(struct image_update *update, __u64 end)
{
	while (update->remains_count) {
		struct remains *last = &update->remains[update->remains_count - 1];

		if (image_build_retire_some(update->build, last->entry, &last->slot, RETIRE_SLOTS))
			update->remains_count--;
		if (now() >= end)
			return;
	}
}

/* --- changes --- */

static void refresh(struct image_update *update, struct image_space *space, const struct prefix_key *key,
		    unsigned length, const struct prefix_cover *cover)
{
	image_refresh(update->build, space, key, length, cover);
	publish_root(update, space);
}

static unsigned shortest_piece(const struct image_space *space)
{
	return space->large && space->tree->width == 32 ? SHORTEST_IPV4 : 0;
}

/* Goes on with the large changes. */
static void work(struct image_update *update, __u64 end)
{
	const struct image_part *part;

	while ((part = image_queue_oldest(&update->work))) {
		struct image_space *space = get_space(update, part->vrf, part->family);
		struct image_piece piece;

		if (!update->walking)
			image_walk_begin(&update->walk, &part->key, part->length);
		update->walking = space && !space->loading && !space->lost &&
				  image_walk_next(&update->walk, space->tree, shortest_piece(space), &piece);
		if (update->walking)
			refresh(update, space, &piece.key, piece.length, &piece.cover);
		else
			image_queue_drop_oldest(&update->work);
		if (now() >= end)
			return;
	}
}

static bool is_small(const struct image_space *space, unsigned length, const struct prefix_cover *cover)
{
	return length >= shortest_piece(space) &&
	       prefix_tree_weight(space->tree, cover->node, SMALL_CHANGE + 1) <= SMALL_CHANGE;
}

/* The prefix has changed in the tree: makes the image follow. */
static int follow(struct image_update *update, struct image_space *space, const struct image_prefix *prefix,
		  const struct prefix_cover *cover, int weight)
{
	__u64 fulls = update->build->fulls;
	struct image_part part = { prefix->vrf, prefix->family, prefix->length, prefix->key };

	if (space->loading || space->lost)
		return 0;
	if (prefix->length == 0 && prefix->layer == PREFIX_ROUTE) {
		publish_fallback(update, space);
		return 0;
	}
	if (weight)
		image_refresh_weigh(update->build, space, &prefix->key, prefix->length, weight);
	if (is_small(space, prefix->length, cover)) {
		refresh(update, space, &prefix->key, prefix->length, cover);
	} else {
		image_queue_add(&update->work, &part);
		work(update, now() + WORK_NANOSECONDS);
	}
	return update->build->fulls == fulls ? 0 : -ENOSPC;
}

/* Builds all of a space anew, beside what there is, and puts it in its place. */
static void rebuild(struct image_update *update, struct image_space *space)
{
	struct prefix_cover whole = {};
	struct prefix_key key = {};
	__u32 old = space->entry;

	/* Without room for the large root the small one will do. */
	space->large = image_build_large(update->build, space);
	space->entry = image_build_window(update->build, space, key, 0, &whole);
	publish_root(update, space);
	retire_entry(update, old);
}

/* prefix_tree_values() for all of the tree, without a walk. */
static __u32 below_root(const struct prefix_tree *tree)
{
	const struct prefix_node *root = prefix_tree_node(tree, 0);
	__u32 count = 0;

	for (unsigned layer = 0; layer < PREFIX_LAYERS; layer++)
		count += tree->count[layer] - (root->value[layer] != 0);
	return count;
}

/* Puts an empty large root in the place of what there is, to be filled like a large change. */
static int restart(struct image_update *update, struct image_space *space)
{
	struct image_part all = { .vrf = space->vrf, .family = space->family };
	struct image_space empty = *space;
	struct prefix_cover whole = {};
	int error = prefix_tree_new(space->tree->width, &empty.tree);

	if (error)
		return error;
	space->entry = image_build_window(update->build, &empty, (struct prefix_key){}, 0, &whole);
	prefix_tree_free(empty.tree);
	publish_root(update, space);
	retire_entry(update, empty.entry);
	if (space->entry & ENTRY_NODE)
		*image_build_weight(update->build, space->entry) = below_root(space->tree);
	image_queue_add(&update->work, &all);
	update->walking = false;
	return 0;
}

static void reuse_retired(struct image_update *update)
{
	__u64 passed = grace_passed(update->grace);
	__u16 leaf;

	while (image_retired_take(&update->retired, passed, &leaf))
		if (update->reuse)
			update->reuse(update->reuse_arg, leaf);
}

/* --- what found no room, and holes --- */

static void heal(struct image_update *update, __u64 time)
{
	const struct image_part *part;

	if (update->work.count || !image_heal_due(&update->heal, update->memory, time))
		return;
	while ((part = image_queue_oldest(&update->heal.punted))) {
		image_queue_add(&update->work, part);
		image_queue_drop_oldest(&update->heal.punted);
	}
	update->punted_known = 0;
}

static void compact_begin(struct image_update *update, __u64 time)
{
	bool holey = false;

	if (time < update->compaction.next)
		return;
	update->compaction.next = time + COMPACT_NANOSECONDS;
	for (int array = 0; array < IMAGE_ARRAYS; array++)
		holey |= image_memory_holey(update->memory, array, update->heal.punted.count);
	if (!holey)
		return;
	for (int array = 0; array < IMAGE_ARRAYS; array++)
		image_memory_evict_begin(update->memory, array);
	update->compaction.vrf = update->compaction.family = 0;
	update->compaction.walking = false;
	update->compaction.running = true;
}

/* The space that the compaction is in; NULL: all are done. */
static struct image_space *compact_space(struct image_update *update)
{
	struct compaction *compaction = &update->compaction;

	for (; compaction->vrf < IMAGE_VRFS; compaction->vrf++, compaction->family = 0) {
		if (update->space[compaction->vrf] && compaction->family < 2)
			return &update->space[compaction->vrf][compaction->family];
		compaction->walking = false;
	}
	return NULL;
}

static void compact(struct image_update *update, __u64 end)
{
	struct compaction *compaction = &update->compaction;
	struct image_space *space;

	while (compaction->running && now() < end) {
		struct prefix_key whole = {};
		struct image_piece piece;

		space = compact_space(update);
		if (!space) {
			for (int array = 0; array < IMAGE_ARRAYS; array++)
				image_memory_evict_end(update->memory, array);
			compaction->running = false;
			return;
		}
		if (!compaction->walking)
			image_walk_begin(&compaction->walk, &whole, 0);
		compaction->walking =
			image_walk_next(&compaction->walk, space->tree, shortest_piece(space), &piece);
		if (!compaction->walking) {
			compaction->family++;
			continue;
		}
		update->moved += image_compact(update->build, space, &piece.key, piece.length);
		publish_root(update, space);
	}
}

/* --- public --- */

static void write_empty(struct image_store *store)
{
	for (__u32 id = 0; id < IMAGE_NEXTHOPS; id++)
		store->run[id] = id;
	for (__u32 id = 0; id < IMAGE_NEXTHOPS; id++)
		((__u16 *)store->run)[LEAVES_IDENTITY + id] = id;
	for (__u32 vrf = 0; vrf < IMAGE_VRFS; vrf++) {
		for (int family = 0; family < 2; family++) {
			store->tables->vrf[vrf].root[family] = REASON_NO_ROUTE;
			store->tables->vrf[vrf].fallback[family] = REASON_NO_ROUTE;
		}
	}
}

int image_update_new(struct image_store *store, struct grace *grace, struct image_update **ret)
{
	struct image_update *update = calloc(1, sizeof(*update));
	int error;

	if (!update)
		return -ENOMEM;
	update->store = store;
	update->grace = grace;
	error = image_memory_new(store, grace, RESERVED_CELLS, &update->memory);
	if (error == 0)
		error = image_build_new(store, update->memory, &update->build);
	if (error == 0)
		error = image_queue_init(&update->work);
	if (error == 0)
		error = image_heal_init(&update->heal);
	if (error < 0) {
		image_update_free(update);
		return error;
	}
	update->build->full = note_punted;
	update->build->arg = update;
	write_empty(store);
	*ret = update;
	return 0;
}

static void space_free(struct image_space *space)
{
	if (!space)
		return;
	prefix_tree_free(space[IMAGE_IPV4].tree);
	prefix_tree_free(space[IMAGE_IPV6].tree);
	free(space);
}

void image_update_free(struct image_update *update)
{
	if (!update)
		return;
	for (__u32 vrf = 0; vrf < IMAGE_VRFS; vrf++)
		space_free(update->space[vrf]);
	image_queue_release(&update->work);
	image_heal_release(&update->heal);
	image_build_free(update->build);
	image_memory_free(update->memory);
	free(update->remains);
	image_retired_release(&update->retired);
	free(update);
}

int image_update_open(struct image_update *update, __u16 vrf, bool large)
{
	struct image_space *space = calloc(2, sizeof(*space));
	int error;

	assert(!update->space[vrf]);
	if (!space)
		return -ENOMEM;
	error = prefix_tree_new(32, &space[IMAGE_IPV4].tree);
	if (error == 0)
		error = prefix_tree_new(128, &space[IMAGE_IPV6].tree);
	if (error < 0) {
		space_free(space);
		return error;
	}
	update->space[vrf] = space;
	for (int family = 0; family < 2; family++) {
		space[family].vrf = vrf;
		space[family].family = family;
		space[family].always_large = large;
		rebuild(update, &space[family]);
	}
	return 0;
}

void image_update_close(struct image_update *update, __u16 vrf)
{
	struct image_space *space = update->space[vrf];

	assert(space);
	image_queue_forget(&update->work, vrf);
	image_queue_forget(&update->heal.punted, vrf);
	update->walking = false;
	update->loading -= space[0].loading;
	if (update->compaction.vrf == vrf)
		update->compaction.walking = false;
	for (int family = 0; family < 2; family++) {
		/* In this order: the old root must not meet a fallback that is not its own. */
		image_store_cell(&vrf_of(update, vrf)->root[family], REASON_NO_ROUTE);
		image_store_cell(&vrf_of(update, vrf)->fallback[family], REASON_NO_ROUTE);
		retire_entry(update, space[family].entry);
	}
	space_free(space);
	update->space[vrf] = NULL;
}

int image_update_set(struct image_update *update, const struct image_prefix *prefix, __u16 leaf,
		     __u16 *ret_old)
{
	struct image_space *space = get_space(update, prefix->vrf, prefix->family);
	struct prefix_cover cover;
	int error = -ENOMEM;
	__u16 old;

	image_refresh_prefetch(update->build, space, &prefix->key);
	if (!space->lost)
		error = prefix_tree_set_cover(space->tree, &prefix->key, prefix->length, prefix->layer, leaf,
					      &old, &cover);
	if (error < 0) {
		space->lost = true;
		publish_root(update, space);
		return error;
	}
	*ret_old = old;
	return old == leaf ? 0 : follow(update, space, prefix, &cover, !old);
}

__u16 image_update_delete(struct image_update *update, const struct image_prefix *prefix)
{
	struct image_space *space = get_space(update, prefix->vrf, prefix->family);
	struct prefix_cover cover;
	__u16 old;

	image_refresh_prefetch(update->build, space, &prefix->key);
	old = prefix_tree_delete_cover(space->tree, &prefix->key, prefix->length, prefix->layer, &cover);
	if (old)
		(void)follow(update, space, prefix, &cover, -1); /* what finds no room heals */
	return old;
}

void image_update_begin(struct image_update *update, __u16 vrf)
{
	struct image_space *space = update->space[vrf];

	assert(space && !space[0].loading);
	update->loading++;
	for (int family = 0; family < 2; family++)
		space[family].loading = true;
}

void image_update_end(struct image_update *update, __u16 vrf)
{
	struct image_space *space = update->space[vrf];

	assert(space && space[0].loading);
	update->loading--;
	for (int family = 0; family < 2; family++) {
		space[family].loading = false;
		publish_fallback(update, &space[family]);
		rebuild(update, &space[family]);
	}
}

void image_update_end_in_steps(struct image_update *update, __u16 vrf)
{
	struct image_space *space = update->space[vrf];

	assert(space && space[0].loading);
	update->loading--;
	for (int family = 0; family < 2; family++) {
		space[family].loading = false;
		publish_fallback(update, &space[family]);
		space[family].large = image_build_large(update->build, &space[family]);
		if (!space[family].large || restart(update, &space[family]) < 0)
			rebuild(update, &space[family]);
	}
}

__u16 image_update_match(const struct image_update *update, __u16 vrf, enum image_family family,
			 const struct prefix_key *key, unsigned *ret_length)
{
	return prefix_tree_match(get_space(update, vrf, family)->tree, key, ret_length);
}

__u16 image_update_lookup(const struct image_update *update, __u16 vrf, enum image_family family,
			  const struct prefix_key *key)
{
	const struct image_vrf *root = vrf_of(update, vrf);
	__u32 entry = root->root[family];
	unsigned depth = 0;

	if (image_node_summed(entry)) {
		__u32 leaf = image_summary(update->store, entry, key->word[0]);

		entry = leaf == SUMMARY_NONE ? entry : leaf;
	}
	while (entry & ENTRY_NODE) {
		unsigned bits = entry_bits(entry);

		entry = image_node_entry(update->store, entry, prefix_key_bits(key->word, depth, bits));
		depth += bits;
	}
	return entry ? entry : root->fallback[family];
}

const struct prefix_tree *image_update_tree(const struct image_update *update, __u16 vrf,
					    enum image_family family)
{
	const struct image_space *space = get_space(update, vrf, family);

	return space ? space->tree : NULL;
}

int image_update_retire(struct image_update *update, __u16 leaf)
{
	return image_retired_add(&update->retired, leaf, image_queue_ticket(&update->work));
}

void image_update_on_reuse(struct image_update *update, void (*reuse)(void *arg, __u16 leaf), void *arg)
{
	update->reuse = reuse;
	update->reuse_arg = arg;
}

bool image_update_busy(const struct image_update *update)
{
	return update->work.count || update->remains_count;
}

static void poll_grace(struct image_update *update)
{
	__u64 open = grace_epoch(update->grace);

	if (!update->loading)
		image_retired_date(&update->retired, &update->work, open);
	grace_poll(update->grace, image_memory_newest(update->memory) == open ||
					  image_retired_newest(&update->retired) == open);
	image_memory_recycle(update->memory, RECYCLE_BLOCKS);
	reuse_retired(update);
}

bool image_update_settle(struct image_update *update)
{
	__u64 begin = now(), end = begin + WORK_NANOSECONDS;

	poll_grace(update);
	work(update, end);
	retire_remains(update, end);
	update->heal.spent += now() - begin;
	heal(update, begin);
	if (!update->compaction.running && !update->work.count)
		compact_begin(update, begin);
	compact(update, end);
	return image_update_busy(update) || update->compaction.running || update->retired.count ||
	       image_memory_newest(update->memory) || image_heal_wanted(&update->heal, update->memory);
}

/* Prefixes in the parts that punt; counted anew when the parts have changed. */
static __u64 punted_routes(struct image_update *update)
{
	__u64 count = 0;

	if (update->punted_known == update->heal.punted.count)
		return update->heal.punted.count ? update->punted_routes : 0;
	for (__u32 i = 0; i < update->heal.punted.count; i++) {
		const struct image_part *part = &update->heal.punted.part[update->heal.punted.first + i];
		const struct image_space *space = get_space(update, part->vrf, part->family);
		struct prefix_cover cover = prefix_tree_cover(space->tree, &part->key, part->length);

		count += prefix_tree_values(space->tree, cover.node, part->length ? part->length - 1 : 0);
	}
	update->punted_known = update->heal.punted.count;
	update->punted_routes = count;
	return count;
}

void image_update_usage(struct image_update *update, struct image_usage *ret)
{
	struct image_memory_usage node, run;

	image_memory_usage(update->memory, ARRAY_NODE, &node);
	image_memory_usage(update->memory, ARRAY_RUN, &run);
	*ret = (struct image_usage){ .node_used = node.used,
				     .node_free = node.free,
				     .node_limbo = node.limbo,
				     .node_total = node.total,
				     .run_used = run.used,
				     .run_free = run.free,
				     .run_limbo = run.limbo,
				     .run_total = run.total,
				     .bytes = (__u64)node.held * 64 + (__u64)run.held * 4,
				     .punted_ranges = update->heal.punted.count,
				     .punted_routes = punted_routes(update),
				     .full = update->build->fulls,
				     .moved = update->moved };
}
