// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A copy of the image on a NIC, whose arrays can only be written element by element, slowly, and may fail.
 *
 * The copy is made by a reader of the image, as a packet's search is one: nothing in the image knows of it.
 * A pass compares all of the image with what the card has, address range by address range, and writes the
 * elements that differ. Nodes and runs lie elsewhere on the card than in the image, so that the card's arrays
 * may be smaller:
 *
 *   - All nodes are bitmaps. Where the card has no room for an IPv4 root of 24 bits, all nodes are cut into
 *     nodes of 8 bits: more steps, but no room for what has no routes. There is no summary.
 *   - An element of run[] is two cells; the runs of a group begin with an even one. run[] begins with one
 *     cell for each next hop that the card has, run[id] == id.
 *   - A leaf beyond the card's next hops is TABLE_FULL there, and so is what finds no room: a node for
 *     which there is no place, or a group of 32 slots. A card that is filled gets short prefixes first, where
 *     those of IPv6 count as a third as long.
 *
 * Order. Next hops go before routes that lead to them, buckets before their group, runs before the descriptor
 * that selects from them, nodes before the entry that leads to them. What was replaced is written anew only
 * after a delay. So every packet on the card finds the answer from before a change, or from after it, or, for
 * addresses of a VRF's fallback while that changes, the kernel's.
 *
 * The host gives ids another meaning when all readers have had a grace period; card_wait is how the card
 * takes part in it: until a pass that began later is done. A card that takes too long is not waited for. It
 * is then held (all packets punt) until a pass was waited for again. A card that failed is held and filled
 * anew.
 *
 * One thread runs passes. The writer of the image may go on meanwhile, in another, if it calls card_wait.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/grace.h"
#include "host/fib/image_store.h"

/* The maps of offload/target_nfp.h. */
enum card_map {
	CARD_NODE,
	CARD_RUN,
	CARD_CONTROL,
	CARD_VRF,
	CARD_INTERFACE,
	CARD_OWN,
	CARD_HOP,
	CARD_VLAN,
	CARD_BUCKET,
	CARD_COUNTERS,
	CARD_MAPS
};

extern const char *const card_map_names[CARD_MAPS];
extern const __u32 card_value_sizes[CARD_MAPS]; /* bytes */

/* An element of CARD_VRF: family f of VRF v is 2 * v + f. */
struct card_space {
	__u32 root, fallback; /* as in struct image_vrf */
};

struct card_sizes {
	__u32 entries[CARD_MAPS];
	bool split; /* nodes are cut: there is no room for an IPv4 root of 24 bits */
};

/* Parts out a firmware's budget of elements over all maps. -ENOSPC: too few for any table. */
int card_sizes_fit(__u32 budget, struct card_sizes *ret);

struct card_writer {
	/* Writes one element; negative errno: nobody knows whether it was written. */
	int (*write)(void *arg, enum card_map map, __u32 index, const void *value);
	void *arg;
};

struct card;

/*
 * For maps of these sizes, as they are when they were made: all zero, every packet punts. The store is
 * borrowed. delay: nanoseconds that a packet spends on the card at most. -ENOMEM.
 */
int card_new(const struct image_store *store, const struct card_sizes *sizes,
	     const struct card_writer *writer, __u64 delay, struct card **ret);
/* The card keeps what it has. NULL is fine. */
void card_free(struct card *card);

/*
 * One pass. 0: there is nothing to do until the image changes or somebody waits. 1: go on soon. Errors are
 * those of the writer: the next call begins anew, with all elements.
 */
int card_pass(struct card *card);

/* For grace_add() to the image's grace, with the card. */
extern const struct grace_wait card_wait;
/* Somebody waits for a pass. From any thread. */
bool card_wanted(const struct card *card);

struct card_usage {
	bool live;                   /* packets are forwarded */
	__u32 node_used, node_total; /* elements of node[]; used: those in limbo too */
	__u32 run_used, run_total;
	__u32 punted;        /* nodes, groups of slots and next hops of routes that have no room */
	__u32 groups_punted; /* ECMP groups whose buckets have no room */
	__u32 deferred;      /* nodes that are not copied yet */
	__u64 writes, failures, overruns; /* elements written; errors; how often nobody waited for the card */
};
void card_usage(const struct card *card, struct card_usage *ret);
