// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the program that feeds AF_XDP sockets shares with the engine behind them: which socket takes the
 * frames of a port's receive queue, and whether somebody still reads it. A closed socket leaves the map by
 * itself; who hangs no longer writes the time. Either way the kernel forwards.
 */
#pragma once

#include <linux/types.h>

#define STEERING_QUEUES   64                /* of a port; frames of further ones stay in the kernel */
#define STEERING_PATIENCE (80 * 1000000ull) /* nanoseconds without a sign of life */

struct steering {
	__u64 beat[STEERING_QUEUES]; /* CLOCK_MONOTONIC_COARSE when that queue's worker last looked */
};

/* A port's queue in the map of sockets. Its queue 0 is there whenever the engine sends for the port. */
static inline __u32 steering_slot(__u32 port, __u32 queue)
{
	return port * STEERING_QUEUES + queue;
}
