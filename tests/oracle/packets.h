// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Draws packets for a world. More than half are ordinary ones that a router forwards; the others are spoiled
 * in one or two of the ways of tests/oracle/spoil.h. The same seed gives the same packets.
 */
#pragma once

#include "bench/workload/random.h"
#include "tests/oracle/draft.h"
#include "tests/oracle/world.h"

struct packets;

struct packet_drawn {
	const struct world_interface *port; // where it comes in
	__u64 number;                       // counts up; stands in the payload too, where it fits
	const char *kind;                   // "ordinary", or how it was spoiled
	__u32 length;
	__u8 frame[DRAFT_FRAME];
};

// NULL without memory. The world must outlive it.
struct packets *packets_new(const struct world *world, __u64 seed);
void packets_free(struct packets *packets);

// Draws the next one.
void packets_next(struct packets *packets, struct packet_drawn *ret_packet);

// Draws an address below a prefix: often its first or last ones, else any.
void packets_address(struct random *random, const struct world_prefix *prefix, __u8 ret_address[16]);
