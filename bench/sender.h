// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/generator.h"

// An AF_XDP socket on a port that sends one frame after the other at the times they are due, in a thread of
// its own. Unlike live frames, which wait for everything behind them, it loses packets where the router is
// too slow.

struct sender;

// Where frames come from. make() writes frame `number` (from 0) and returns its size; due() tells when it is
// to leave, in ns after the begin.
struct sender_source {
	void *arg;
	__u32 (*make)(void *arg, __u64 number, __u64 now_ns, __u8 *bytes);
	__u64 (*due)(void *arg, __u64 number);
	__u64 total;   // frames
	__u64 late_ns; // sleeps while nothing is due, and does not make up for more than this; 0: neither
	__u64 most_ns; // of sending; what is not sent by then stays. 0: until all are sent
};

// Binds to queue 0 of the port. large: frames of more than SENDER_CHUNK bytes, which needs Linux 6.6.
int sender_open(const struct lane_port *port, bool large, struct sender **ret_sender, struct why *why);

#define SENDER_CHUNK 4096

// NULL is fine.
void sender_close(struct sender *sender);

// Starts the thread on a CPU. The source must live until sender_stop().
int sender_start(struct sender *sender, const struct sender_source *source, unsigned int cpu);

void sender_counts(const struct sender *sender, struct generator_counts *ret_counts);

// Ends sending, if it has not ended yet; what was sent so far leaves. Returns what ended it early.
int sender_stop(struct sender *sender, struct generator_counts *ret_counts);

// CLOCK_MONOTONIC.
__u64 sender_now_ns(void);
