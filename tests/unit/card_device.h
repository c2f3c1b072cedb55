// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Stands in for a NIC: maps in memory that are written element by element and may fail, and the search that
 * the program on the card does in them, by the shipped xdp/walk.h.
 */
#pragma once

#include "host/fib/card.h"
#include "host/fib/image_update.h"

enum card_fault {
	CARD_FAULT_NONE,
	CARD_FAULT_LOST,   /* not written, and told so */
	CARD_FAULT_UNTOLD, /* written, but told otherwise: the answer timed out */
};

struct card_device {
	struct card_sizes sizes;
	void *map[CARD_MAPS];
	__u64 writes;
	__u64 *reads;   /* of node[] and run[], are counted here */
	__u64 fault_at; /* the write that fails; 0: none */
	enum card_fault fault;
	/* Between any two writes; NULL: nothing. */
	void (*look)(void *arg, const struct card_device *device);
	void *arg;
};

struct card_device *card_device_new(const struct card_sizes *sizes);
void card_device_free(struct card_device *device);
/* The writer of a card that is this device. */
struct card_writer card_device_writer(struct card_device *device);

/* The leaf for an address (network order) after the fallback. */
__u32 card_device_leaf(const struct card_device *device, __u16 vrf, enum image_family family,
		       const __u8 *address);
const struct image_nexthop *card_device_hop(const struct card_device *device, __u32 id);
/* Whether the card forwards at all. */
bool card_device_held(const struct card_device *device);
