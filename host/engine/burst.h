// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The one loop of the engines in user space: receives a burst of frames, runs the program's stages over it,
 * one stage over all frames at a time so that the waits for memory overlap, and hands the frames on by where
 * they go. An engine moves frames and knows nothing about packets.
 *
 * A burst belongs to one thread. The image may change while it runs; between two turns the thread tells its
 * grace_reader that it is quiescent.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "xdp/image.h"

#define BURST_MOST 64

struct image_store;
struct burst;

struct burst_frame {
	__u8 *data; /* in one buffer */
	__u32 length;
	__u32 headroom;         /* bytes in front of data that VLAN tags may take */
	void *handle;           /* the engine's own */
	struct verdict verdict; /* FORWARD: data and length are as the frame leaves by verdict.port; otherwise
				   it is untouched */
};

/* counters: of this thread alone, one for each of IMAGE_PORTS ingress ports. Both outlive the burst. -ENOMEM.
 */
int burst_new(const struct image_store *store, struct image_counters *counters, struct burst **ret);
/* Only those of IMAGE_PORTS ports that are set take frames; packets to others punt (EGRESS_BEYOND). They may
 * change while bursts run, which a frame under way may not have seen. Without this call, or NULL, all do. */
void burst_reach(struct burst *burst, const bool *ports);
/* NULL is fine. */
void burst_free(struct burst *burst);

/* Runs the program over frames that came in by a port, 0..BURST_MOST of them, and counts them. */
void burst_run(struct burst *burst, __u16 port, struct burst_frame *frame, unsigned int count);

/*
 * What an engine does with frames; arg is its queue. All but the first two take over frames, which they know
 * by handles: pointers to the frames, or what receive() put in their place.
 */
struct burst_io {
	/* Up to BURST_MOST frames that wait there; all but the verdicts is filled in. */
	unsigned int (*receive)(void *arg, struct burst_frame *ret_frame, void **ret_handle);
	/* Another front and length than it came with: tags came or went. NULL: it is seen in the frame. */
	void (*reshape)(void *arg, void *handle, const struct burst_frame *frame);
	/* To the kernel, as they came. */
	void (*punt)(void *arg, void **handle, unsigned int count);
	void (*drop)(void *arg, void **handle, unsigned int count);
	/* Out of a port. */
	void (*transmit)(void *arg, __u16 port, void **handle, unsigned int count);
};

/* One turn for a queue of a port. Returns how many frames there were. */
unsigned int burst_turn(struct burst *burst, __u16 port, const struct burst_io *io, void *arg);
