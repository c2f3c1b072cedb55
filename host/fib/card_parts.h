// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a card is made of, for card.c, card_tables.c and card_routes.c only.
 */
#pragma once

#include <stdatomic.h>

#include "host/fib/card.h"
#include "host/fib/image_memory.h"

enum card_state {
	CARD_HOLD,  /* held is to be written */
	CARD_QUIET, /* it is, packets from before may still be under way */
	CARD_FILL,  /* no pass was waited for since */
	CARD_LIVE,
};

struct card {
	const struct image_store *store;
	struct card_sizes sizes;
	struct card_writer writer;
	__u64 delay;

	enum card_state state;
	__u64 quiet;    /* when CARD_QUIET ends */
	unsigned limit; /* nodes at this depth or deeper are not copied yet */

	/* What the card has; all ones where nobody knows. */
	struct image_store shadow; /* node[] and run[] */
	struct image_control control;
	struct card_space *space; /* of map CARD_VRF */
	struct image_interface *interface;
	struct image_nexthop *hop;
	__u32 *own, *vlan, *bucket;
	struct grace *grace; /* of the card's own readers */
	struct image_memory *memory;

	_Atomic __u64 begun, done;      /* passes */
	_Atomic bool overrun;           /* the image's writer went on without waiting */
	_Atomic __u64 asked;            /* the pass that is waited for */
	__u64 asked_until, delay_until; /* of the thread that waits; delay_until 0: the pass is not done */

	struct card_usage usage;
};

/* Writes an element, and notes it. */
int card_write(struct card *card, enum card_map map, __u32 index, const void *value);
/* -EAGAIN: what was read since the last call may be no part of the image any more. */
int card_check(const struct card *card);

/* card_tables.c: next hops and all that is neither route nor control. */
int card_tables_pass(struct card *card);
/* Makes sure that the card has this next hop; *ret_id is the id to use there. */
int card_hop(struct card *card, __u32 id, __u32 *ret_id);

/* card_routes.c */
int card_routes_pass(struct card *card);
