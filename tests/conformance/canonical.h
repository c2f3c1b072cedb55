// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What comes out of a live router, with everything taken out of it that two equal routers may do differently:
 *
 *   padding            behind the IP length of a shortest frame may stay or not
 *   IPv4 id            of what the router itself sends: drawn by chance; the header checksum goes with it
 *   time stamps        that routers fill into an IPv4 option; the checksums above go with them
 *   ARP, ND, MLD, IGMP the router's own: sent when timers say so
 *   reassembly ended   ICMP time exceeded code 1: sent when a timer says so
 *   redirects          sent once, then when timers say so: only the first to each address counts
 *   unreachable        at most 5 at once to each IPv4 address, then by the second, and none soon after a
 * redirect: only the first 3 count, and none after a redirect host unreachable   where the world is odd: a
 * neighbour may be unknown, and answers come when timers say so
 */
#pragma once

#include "tests/conformance/capture.h"
#include "tests/oracle/world.h"

struct canonical;

// One for each router: it remembers what has been sent to whom. NULL without memory.
struct canonical *canonical_new(const struct world *world);
void canonical_free(struct canonical *canonical);

// Changes the frame to what can be compared. Forwarded: it is known to be a packet that was sent, and not one
// of the router's own. False: it does not count.
bool canonical_frame(struct canonical *canonical, struct capture_frame *frame, bool forwarded);

// A number for what forwarding leaves as it is: the IP packet without TTL and header checksum, without
// padding. 0: not IP.
__u64 canonical_key(const __u8 *frame, __u32 length);
