// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Replay: the program over frames that come from a capture or from memory instead of a NIC. Nothing is sent;
 * what would be, is handed to the caller. The same frames and tables always give the same answers.
 *
 * A capture may have cut a frame short (snaplen). The program looks at headers and lengths only, so a frame
 * of which at least REPLAY_LEAST bytes are there is decided as if all were; of one that is shorter nobody
 * can tell what would have become of it.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "xdp/image.h"

#define REPLAY_MOST  262144 /* bytes of a frame, as many as libpcap takes */
#define REPLAY_LEAST 66     /* Ethernet, two tags, IPv6, ports */

struct image_store;
struct replay;

struct replay_frame {
	/* as it came */
	__u64 number; /* the caller's, and so is time */
	__u64 time;   /* ns */
	__u16 port;
	__u32 captured; /* bytes of it that are there, <= length, <= REPLAY_MOST */
	__u32 length;   /* bytes it had on the wire */
	const __u8 *bytes;
	/* what became of it */
	bool cut; /* too short to tell; the rest says nothing */
	struct verdict verdict;
	const __u8 *out; /* FORWARD: the frame that leaves, cut like the one that came */
	__u32 out_captured, out_length;
};

struct replay_io {
	/* The next frame as it came; bytes need to stay until the next call. 1: there is one, 0: the end,
	   else a negative errno. */
	int (*next)(void *arg, struct replay_frame *ret);
	/* A frame with what became of it, in the order in which they came. A negative errno ends it all. */
	int (*done)(void *arg, const struct replay_frame *frame);
};

/* The store must outlive it. -ENOMEM. */
int replay_new(const struct image_store *store, struct replay **ret);
/* NULL is fine. */
void replay_free(struct replay *replay);

/* Replays to the end. Negative errno of the callbacks. */
int replay_run(struct replay *replay, const struct replay_io *io, void *arg);

/* What came in by a port so far, by reason; frames that were cut too short are not in it. */
const struct image_counters *replay_counters(const struct replay *replay, __u16 port);
