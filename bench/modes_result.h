// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <jansson.h>

#include "bench/record.h"

// What `penstock bench modes` finds out about one subject in one scene, round by round.

#define MODES_ROUNDS_MAX 20
#define MODES_LOADS      4

enum modes_part { MODES_P50, MODES_P99, MODES_P999, MODES_MAX, MODES_PARTS };

enum modes_metric {
	MODES_NDR,
	MODES_PDR,
	MODES_MOST,    // what came through of all that the sender can do, packets a second
	MODES_LATENCY, // us: MODES_PARTS for each of MODES_LOADS
	MODES_METRICS = MODES_LATENCY + MODES_LOADS * MODES_PARTS,
};

struct modes_result {
	unsigned int rounds;                  // that were measured
	unsigned int round[MODES_ROUNDS_MAX]; // which
	double values[MODES_METRICS][MODES_ROUNDS_MAX];
	bool bounded;      // by the sender: NDR and PDR say nothing of the router
	bool bounded_most; // so does what came through at most
	bool timed;        // latencies are known
};

// A scene: one family, table and kind of traffic.
struct modes_scene {
	char name[RECORD_NAME / 2]; // as figures are called: "modes IPv4 1-routes 64-bytes"
	char text[RECORD_NAME];     // as people read it
	double sender;              // packets a second that the sender can send at all
};

// Parts of the PDR at which latency is measured; 0 stands for the least rate.
extern const double modes_loads[MODES_LOADS];
// What percentiles: parts of all packets.
extern const double modes_parts[MODES_PARTS];

static inline unsigned int modes_latency_metric(unsigned int load, unsigned int part)
{
	return MODES_LATENCY + load * MODES_PARTS + part;
}

// Prints the heading of a scene.
void modes_print_scene(const struct modes_scene *scene);

// Prints one line; why: what is in the way of a measurement, "" where nothing is known.
void modes_print_result(const char *subject, const struct modes_result *result, const char *why);

// Adds the figures; ceiling: those of the program that looks nothing up, NULL without.
void modes_add_result(json_t *record, const struct modes_scene *scene, const char *subject,
		      const struct modes_result *result, const struct modes_result *ceiling);
