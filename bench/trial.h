// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/generator.h"
#include "bench/search.h"

// Trials of whatever sits between r0 and r1: offer packets for some time, wait until no more arrive, count.

struct trial_bed {
	struct generate *generate; // with the sink that meters
	struct generator *generator;
	const volatile sig_atomic_t *stop;
	struct load load; // rate and seconds are set by each trial
	bool threads;     // what forwards may not have a CPU for a while: waits longer for the last packets
	bool patient;     // waits two seconds for a packet that does not arrive
	double share;     // part of the packets that a right router forwards; 0: all of them
	// Of a capture, how many packets it has, and how many of these a right router forwards; 0: no
	// capture.
	__u32 pass, pass_arrives;
	// Packets of all trials so far: that arrived wrong, twice, late or corrupt; those of them that were
	// late.
	__u64 wrong, late;
	__u64 kinds[TRAFFIC_WRONG_KINDS]; // of wrong, but for those
};

struct trial {
	struct generator_counts offered;
	struct generate_metered metered;
};

// How many of the packets that were sent arrived intact, each counted once.
__u64 trial_arrived(const struct trial *trial);

// One trial in two steps: packets flow from the first one on, for so many seconds; the second ends it,
// wherever it is, waits for what is under way, and counts.
int trial_start(struct trial_bed *bed, double rate, double seconds);
int trial_end(struct trial_bed *bed, struct trial *ret_trial);

// One trial. -EINTR once *stop is set.
int trial_run(struct trial_bed *bed, double rate, double seconds, struct trial *ret_trial);

// The same for search(); arg is a struct trial_bed.
int trial_search(void *arg, double rate, double seconds, struct search_trial *ret_trial);
