// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A build of the program that can be asked about one frame at a time. All builds get the same image; what
 * they answer is compared. A new engine joins by a line in runner_list.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "xdp/image.h"

#define RUNNER_FRAME   10240
#define RUNNER_UNKNOWN 0xff

struct image_store;

struct runner_outcome {
	__u8 action; // enum action
	__u8 reason; // enum reason; RUNNER_UNKNOWN: the build only counts it
	__s32 port;  // FORWARD: the egress port, -1: the build does not tell
	__u32 length;
	__u8 frame[RUNNER_FRAME]; // as it leaves, or as the kernel gets it
};

struct runner_ops {
	const char *name;
	// Makes the program ready for this image and ports 0..ports-1. -EPERM: not permitted on this machine;
	// -EOPNOTSUPP: the image lies where this build cannot read it.
	int (*open)(struct image_store *store, __u32 ports, void **ret_runner);
	void (*close)(void *runner);
	// Runs the program on a frame of at least 14 bytes. Negative errno.
	int (*run)(void *runner, __u16 port, const __u8 *frame, __u32 length,
		   struct runner_outcome *ret_outcome);
	// What a port has counted since open. NULL: nothing is counted, the outcome has the reason.
	int (*counters)(void *runner, __u16 port, struct image_counters *ret_counters);
	// Lets other ports send to this one, or no longer. NULL: the outcome has the port.
	int (*egress)(void *runner, __u16 port, bool open);
	__u8 closed; // enum action: what becomes of packets to a port that is not open
};

extern const struct runner_ops runner_user, runner_burst, runner_replay, runner_native, runner_steer;

// All runners of this build, the one that tells everything first; ends with NULL.
extern const struct runner_ops *const runner_list[];
