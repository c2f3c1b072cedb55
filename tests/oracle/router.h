// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A router written to be read, not to be fast: what Linux 6.x does with one frame, and therefore what the
 * product may do with it. Shares nothing with the product but the names of the reasons.
 *
 * It looks for every reason not to forward, not only the first one:
 *
 *   forbids   Linux does not forward this frame as it stands (it drops, answers, delivers, changes more than
 * a router must), or the world's ports cannot carry it. The product must not forward it either. excuses Linux
 * forwards it, but the product may leave that to Linux.
 *
 * So: forwarding is right if forbids is empty and the frame that leaves is one of the members' frames.
 * Handing over to the kernel with reason R is right if R is in forbids or excuses. Dropping is right if
 * forbids is the blackhole alone. What is in neither set must be forwarded.
 */
#pragma once

#include "tests/oracle/world.h"

#define ROUTER_FRAME 10240

struct router_member {
	const struct world_interface *out;
	__u8 mac[6]; // of the next hop
};

struct router_answer {
	__u64 forbids, excuses; // bit R: enum reason R
	__u32 path_count;       // of the route
	__u32 member_count;     // the ways it may leave; a flow must stay with one of them
	struct router_member member[WORLD_PATHS];
	__u32 flow;    // the same for all packets of a flow
	bool fragment; // the flow is known by addresses only
	__u32 padding; // bytes at the end of the body that Linux trims and that may stay
	__u32 body_length;
	__u8 body[ROUTER_FRAME]; // the IP packet that leaves, and the padding
};

// Answers for one frame that came in by a port (an interface without a parent).
void router_answer(const struct world *world, const struct world_interface *port, const __u8 *frame,
		   __u32 length, struct router_answer *ret_answer);

// Writes the frame, without the padding, that leaves towards a member; returns its length.
__u32 router_frame(const struct world *world, const struct router_answer *answer, __u32 member,
		   __u8 ret_frame[ROUTER_FRAME]);

// Which member a frame left to, if it is exactly what a router may send out of this port; -1 if it is not.
int router_member(const struct world *world, const struct router_answer *answer,
		  const struct world_interface *port, const __u8 *frame, __u32 length);

// The text of a set of reasons, in a buffer that the next call overwrites.
const char *router_reasons(__u64 reasons);
