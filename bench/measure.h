// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>

#include "bench/generate.h"
#include "bench/subject.h"

// Interleaved rounds: in each, every subject is attached once and measured with every family, in an order
// that rotates from round to round. While it is attached, the traffic changes every few hundredths of a
// second between the subject and the reference, the router that looks nothing up: their ratio then says
// nothing of the machine's moods.
//
// A rate is packets per second of CPU time: the bench, the router and the sink share one CPU, and what other
// programs take from it is not counted against the router. `share` says how much of the wall clock the bench
// really had.
//
// There is one generator, not the choice of bench/generator.h: only with live frames is all that a packet
// costs the time of one thread. They are bare: numbers, stamps and a checksum over everything are time that
// all routers have in common, which would bring their ratios nearer to 1. Rates that are offered, by whatever
// sends them, are what bench/trial.h is for.

#define MEASURE_ROUNDS_MAX   100
#define MEASURE_SUBJECTS_MAX 16
#define MEASURE_FAMILIES     2

struct measure_plan {
	const struct subject *subjects[MEASURE_SUBJECTS_MAX];
	unsigned int subject_count;
	__u8 families[MEASURE_FAMILIES]; // AF_INET, AF_INET6
	unsigned int family_count;
	unsigned int rounds;
	double seconds; // of traffic through the subject, per round and family
	unsigned int cpu;
};

// One subject with one family, by round.
struct measure_result {
	double rates[MEASURE_ROUNDS_MAX];      // packets per second
	double references[MEASURE_ROUNDS_MAX]; // the reference's rate at the same time
	double shares[MEASURE_ROUNDS_MAX];
	struct generate_counts counts[TRAFFIC_LANES]; // of all rounds, warm-up included
};

struct measure {
	struct measure_plan plan;
	struct measure_result results[MEASURE_FAMILIES][MEASURE_SUBJECTS_MAX];
};

// Carries out measure->plan and fills the results. Tells progress and errors on stderr. -EINTR once *stop is
// set.
int measure_run(struct measure *measure, struct generate *generate, struct subject_bed *bed,
		const volatile sig_atomic_t *stop);

// Returns how many packets were wrong in any way.
__u64 measure_wrong(const struct generate_counts *counts);
