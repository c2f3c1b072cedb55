// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Two live routers of the same world: [KERNEL] is Linux alone, [SUBJECT] is the one on trial. Both get the
 * same packets, and everything that comes out of every port of theirs must be the same: ports, bytes,
 * numbers. On the way the naive router is held against Linux, too: what it calls forwardable must come out
 * exactly so.
 *
 * Where a route has several paths, the two may choose differently: any member will do, but the subject must
 * keep a flow on one.
 */
#pragma once

#include "tests/conformance/capture.h"
#include "tests/oracle/packets.h"

enum { KERNEL, SUBJECT };

struct twins;

struct twins_figures {
	__u64 sent;        // packets into each router
	__u64 plain;       // of them: what the subject's fast path must have carried
	__u64 skipped;     // drawn, but not comparable
	__u64 frames;      // that came out of the kernel's router and counted
	__u64 differences; // frames that one router sent and the other did not
	__u64 unfaithful;  // packets about which the naive router and Linux disagree
	__u64 strayed;     // packets of the subject that left their flow's path
};

// Negative errno.
int twins_new(const struct world *world, const struct netns ends[2], struct twins **ret_twins);
void twins_free(struct twins *twins);

// Sends a packet into both.
void twins_send(struct twins *twins, const struct packet_drawn *packet);

// Collects and compares; prints the first differences. Call it every 64 packets or so.
void twins_settle(struct twins *twins);

// Sends a packet whose next hop nobody knows into both; others are skipped. True: it was one.
bool twins_send_unresolved(struct twins *twins, const struct packet_drawn *packet);
// Settles after such packets: the kernel asks for the neighbour three times, then answers for it.
void twins_settle_unresolved(struct twins *twins);

// Forgets which path each flow takes: the routes have changed.
void twins_forget_flows(struct twins *twins);

const struct twins_figures *twins_figures(const struct twins *twins);

// Frames lost by the test itself; not 0: the figures are worth nothing.
__u64 twins_lost(const struct twins *twins);
