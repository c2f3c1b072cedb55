// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Keeps node[], run[] and the VRFs' root and fallback entries equal to a set of prefixes, while readers run.
 *
 * At every moment every address gets the answer from before or from after a change, never another. A change
 * is finished when the call returns, unless it is large (a short prefix over many others): then the rest is
 * done by image_update_settle(), and image_update_busy() is true until all is done.
 *
 * If node[] or run[] has no room, the part of the address space that cannot be written gets the leaf
 * REASON_TABLE_FULL (its packets go to the kernel); settle tries again whenever room has returned.
 *
 * A route (not a shadow) of length 0 is the VRF's fallback: one store.
 *
 * Leaves are next-hop ids, 1..IMAGE_NEXTHOPS - 1. The caller may give an id another meaning only after
 * image_update_retire() has called back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "host/fib/grace.h"
#include "host/fib/image_store.h"
#include "host/fib/prefix_tree.h"

struct image_update;

enum image_family {
	IMAGE_IPV4 = 0,
	IMAGE_IPV6 = 1,
};

/*
 * Writes the identity cells of run[] and makes every VRF punt with NO_ROUTE. Store and grace are borrowed and
 * must outlive the result. -ENOMEM; -ENOSPC: run[] or node[] is too small for an empty image.
 */
int image_update_new(struct image_store *store, struct grace *grace, struct image_update **ret);
void image_update_free(struct image_update *update);

/* A VRF without routes; it must not be open. `large`: expect a full table, begin with the large roots (this
 * is what the main table does); others begin small and grow. -ENOMEM. */
int image_update_open(struct image_update *update, __u16 vrf, bool large);
/* Takes all its routes out at once; the index can be opened again when image_update_busy() is false. */
void image_update_close(struct image_update *update, __u16 vrf);

struct image_prefix {
	__u16 vrf;
	__u8 family; /* enum image_family */
	__u8 layer;  /* enum prefix_layer */
	__u8 length;
	struct prefix_key key; /* bits behind length are 0 */
};

/*
 * Adds or replaces; *ret_old is the leaf before, 0 if none. -ENOSPC: stored, but some of its addresses punt
 * for want of room, until it heals. -ENOMEM: nothing is stored and all addresses of the VRF and family punt
 * until it is closed.
 */
int image_update_set(struct image_update *update, const struct image_prefix *prefix, __u16 leaf,
		     __u16 *ret_old);
/* Returns the leaf that was removed, 0 if there was none. */
__u16 image_update_delete(struct image_update *update, const struct image_prefix *prefix);

/*
 * Many prefixes at once, for the first load and for resync: between begin and end the image does not
 * follow the VRF's prefixes (it keeps its old answers), then it is brought up to date like one large change.
 */
void image_update_begin(struct image_update *update, __u16 vrf);
void image_update_end(struct image_update *update, __u16 vrf);
/* The same in steps, by image_update_settle(); until image_update_busy() is false no answer may be used. */
void image_update_end_in_steps(struct image_update *update, __u16 vrf);

/* What the prefixes say, not what the image says: leaf (0 = not even a fallback) and length. */
__u16 image_update_match(const struct image_update *update, __u16 vrf, enum image_family family,
			 const struct prefix_key *key, unsigned *ret_length);
/* What a reader of the image finds: a leaf, after the fallback. */
__u16 image_update_lookup(const struct image_update *update, __u16 vrf, enum image_family family,
			  const struct prefix_key *key);
const struct prefix_tree *image_update_tree(const struct image_update *update, __u16 vrf,
					    enum image_family family);

/* No prefix leads to this leaf any more. When no reader can meet it either, settle calls `reuse`. -ENOMEM:
 * not noted, try again later. */
int image_update_retire(struct image_update *update, __u16 leaf);
void image_update_on_reuse(struct image_update *update, void (*reuse)(void *arg, __u16 leaf), void *arg);

/* A large change, a close or a failed change is not finished. */
bool image_update_busy(const struct image_update *update);
/*
 * Goes on with what is unfinished, recycles memory whose grace period has passed, compacts. At most about a
 * millisecond. True: there is more to do, call again soon.
 */
bool image_update_settle(struct image_update *update);

struct image_usage {
	__u32 node_used, node_free, node_limbo, node_total; /* chunks; used + free + limbo = total */
	__u32 run_used, run_free, run_limbo, run_total; /* cells, likewise; used holds the identity cells */
	__u64 bytes;         /* memory that the image takes of node[] and run[], holes included */
	__u32 punted_ranges; /* parts of the address space that punt for want of room */
	__u64 punted_routes; /* prefixes in them */
	__u64 full;          /* how often a change met a full table */
	__u64 moved;         /* nodes and runs moved by compaction */
};
void image_update_usage(struct image_update *update, struct image_usage *ret);
