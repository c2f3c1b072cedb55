// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

#include "bench/lane.h"
#include "bench/recording.h"

// What routers make of frames, byte by byte: a packet socket on d takes what arrives there from the router.
// The program on d keeps r1 from sending frames that GRO merged on the way in.

struct collect;

// Opens the socket. The sink on d must let frames pass (GENERATE_SINK_PASSES).
int collect_open(const struct lane *lane, struct collect **ret_collect);

// NULL is fine.
void collect_close(struct collect *collect);

// Forgets what was collected.
void collect_clear(struct collect *collect);

// Takes what has arrived by now; returns how many frames. What the router says on its own behalf does not
// count.
int collect_take(struct collect *collect);

// Frames that were lost here, because they came faster than they were taken.
unsigned int collect_lost(struct collect *collect);

// All that was taken, now the caller's.
struct recording *collect_give(struct collect *collect);

// Adds a frame, if it is one that the router of the lane forwarded, without padding.
int collect_add(const struct lane *lane, struct recording *recording, const __u8 *bytes, __u32 size);
