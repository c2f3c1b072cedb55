// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The ways in which a packet can be unusual: some are still forwarded, most are not.
#pragma once

#include "bench/workload/random.h"
#include "tests/oracle/draft.h"
#include "tests/oracle/world.h"

// What a way of spoiling works on.
struct spoil {
	struct random *random;
	const struct world *world;
	const struct world_interface *in;
	const struct world_route *route; // that the destination was drawn from
	struct draft *draft;
};

// Spoils the draft in a way drawn by chance; returns its name.
const char *spoil_draft(const struct spoil *spoil);

// Changes a written frame: flips bits, or fills it with chance.
void spoil_frame(struct random *random, __u8 *frame, __u32 length);
