// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Picks the usual packets out of a burst: those of which parse.h and admit.h would find nothing to say. What
 * the stages ask one packet after the other, step by step, is asked here of all packets at once, in loops
 * that become vector instructions, and without a branch. Whatever is not quite usual is left to the stages.
 *
 * A usual packet has no tags, no IPv4 options and no hop-by-hop header, its frame is as long as it says, its
 * checksum is right, its TTL or hop limit is not used up; it is addressed to the port, which forwards its
 * family and does not look sources up; and its source can be no address of ours and no martian.
 */
#pragma once

#include <linux/types.h>

#include "host/engine/burst.h"

struct target;

/*
 * A bit for each of 1..BURST_MOST frames, which came in by the target's port: it holds a usual packet of the
 * family. Its destination, IPv4 in host order, is at the same place of ret_destination; what is in the other
 * places is of no use.
 */
__u64 screen_ipv4(const struct target *target, const struct burst_frame *frame, unsigned int count,
		  __u32 ret_destination[BURST_MOST]);
__u64 screen_ipv6(const struct target *target, const struct burst_frame *frame, unsigned int count,
		  struct route_key ret_destination[BURST_MOST]);
