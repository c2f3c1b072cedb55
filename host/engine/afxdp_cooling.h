// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Frames of closed zero-copy sockets, to which their card may still write for a moment.
 *
 * They are in a place of a list until it is done with them, and then in the pool again. Each place is an
 * owner of frames by a number of its own, behind those of all sockets that there can be: the queue may have
 * another socket at once, whose number is that of the closed one.
 */
#pragma once

#include <stdbool.h>

#include "host/engine/afxdp_frames.h"
#include "xdp/steering.h"

#define AFXDP_COOLING_MS     1000
#define AFXDP_COOLING_PLACES STEERING_QUEUES

struct afxdp_cooling {
	__u64 until[AFXDP_COOLING_PLACES]; /* ms; 0: unused */
};

/* Takes what both sides of a closed socket have; false: there is no place, some time later there is. `now` in
 * ms. */
bool afxdp_cooling_take(struct afxdp_cooling *cooling, struct afxdp_frames *frames, __u16 receive_owner,
			__u16 send_owner, __u64 now);
/* Back into the pool: what has been here for long enough. */
void afxdp_cooling_end(struct afxdp_cooling *cooling, struct afxdp_frames *frames, __u64 now);
/* Frames that are here. */
__u32 afxdp_cooling_count(const struct afxdp_cooling *cooling, const struct afxdp_frames *frames);
