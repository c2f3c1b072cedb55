// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Sends frames into the far ends of a router's ports and collects what comes out of them.
#pragma once

#include "tests/conformance/netns.h"
#include "tests/oracle/world.h"

struct capture;

struct capture_frame {
	__u32 port; // number of the port (w<n>)
	__u32 length;
	__u8 *bytes; // with VLAN tags in place; the caller's to free
};

// Opens the far ends e<n> of a world's ports in this namespace. Negative errno.
int capture_new(const struct world *world, const struct netns *ends, struct capture **ret_capture);
void capture_free(struct capture *capture);

// Sends a frame into a port. With `host`, a frame whose outer tag is that of a sub-interface goes by the VLAN
// device of a host there: the tag then travels beside the frame. Negative errno.
int capture_send(struct capture *capture, __u32 port, const __u8 *frame, __u32 length, bool host);

// Takes the next frame that has come out, in order of arrival. False: none is waiting.
bool capture_take(struct capture *capture, struct capture_frame *ret_frame);

// Waits until a frame has come out, or for so many milliseconds. False: none came.
bool capture_wait(struct capture *capture, int milliseconds);

// Frames lost because nobody took them in time; not 0 means that a comparison is worth nothing.
__u64 capture_lost(struct capture *capture);
