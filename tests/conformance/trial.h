// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * All builds of the program on trial in one world: each packet goes through each of them, and what they say
 * must be the same, byte for byte, and what the naive router allows. Packets come in batches; where a build
 * only counts reasons, its counters after each batch must be those that follow from the verdicts.
 */
#pragma once

#include "tests/conformance/runner.h"
#include "tests/conformance/world_fib.h"
#include "tests/oracle/packets.h"

struct trial_figures {
	__u64 packets;
	__u64 forwarded;  // by all
	__u64 must;       // be forwarded
	__u64 wrong;      // verdicts or bytes that the naive router forbids
	__u64 unequal;    // packets that builds treat differently
	__u64 miscounted; // batches whose counters are not those of the verdicts
	__u64 strayed;    // packets that left their flow's path
	__u64 reasons[REASON_MAX];
};

struct trial;

// Opens the runners that this machine permits. Negative errno.
int trial_new(const struct world *world, struct world_fib *tables, struct trial **ret_trial);
void trial_free(struct trial *trial);

// Takes a packet; every so often it runs the batch. The first failures are printed.
void trial_packet(struct trial *trial, const struct packet_drawn *packet);
// Runs what has been taken.
void trial_flush(struct trial *trial);

// Forgets which path each flow takes: the routes have changed.
void trial_forget_flows(struct trial *trial);

const struct trial_figures *trial_figures(const struct trial *trial);
// The runners that take part, by their places in runner_list: a bit each.
__u32 trial_runners(const struct trial *trial);
