// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <jansson.h>

#include "bench/generate.h"

// What arrives, moment by moment, while something happens: a thread that reads the sink's counters.

struct watch;

// Starts; the generator outlives the watch. Without memory: NULL, and nothing is watched.
struct watch *watch_start(const struct generate *generate);

// Ends it. Returns { "ms": [...], "rate": [...] }: the end of each interval since the start, and the packets
// a second that arrived in it. NULL is fine: NULL.
json_t *watch_stop(struct watch *watch);
