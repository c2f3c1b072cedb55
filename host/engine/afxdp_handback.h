// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Gives a frame that user space took to the kernel after all, as if it had just come in by its port: the
 * image has changed since the program in the kernel let it go, or its worker has no CPU. A test run with live
 * frames does that (Linux 5.18), some 20 us a frame: for more than one at a time the kernel changes what
 * other programs are called by, which takes it longer than a thousand calls. Few ever come this way but those
 * that wait for a worker that hangs; there may be thousands, and the loop gives them back bit by bit.
 */
#pragma once

#include <linux/types.h>

#include "host/why.h"

struct afxdp_cache;
struct afxdp_frames;
struct afxdp_handback;
struct afxdp_socket;
struct loop;

/* The loop and the frames are borrowed. */
int afxdp_handback_new(struct loop *loop, struct afxdp_frames *frames, struct afxdp_handback **ret,
		       struct why *why);
/* Gives what has been collected. NULL is fine. */
void afxdp_handback_free(struct afxdp_handback *handback);
/* Copies the frame. May be called by several threads. */
int afxdp_handback_give(const struct afxdp_handback *handback, __u32 ifindex, __u32 queue, const __u8 *frame,
			__u32 length);
/* All that waits in a socket that is no worker's, which may be closed then: to be given when the loop has
 * time. Returns how many frames. */
__u32 afxdp_handback_collect(struct afxdp_handback *handback, __u32 ifindex, struct afxdp_socket *socket,
			     struct afxdp_cache *cache);
/* Of these, how many are not given yet. No socket and no cache holds them. */
__u32 afxdp_handback_waiting(const struct afxdp_handback *handback);
