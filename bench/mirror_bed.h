// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "bench/daemon.h"
#include "bench/figures.h"
#include "bench/generate.h"
#include "bench/inject.h"
#include "bench/probe.h"
#include "bench/topology.h"
#include "bench/workload/table.h"
#include "bench/workload/updates.h"

// Where the mirror is measured: full tables in the router's kernel, all of them behind r1, the daemon between
// r0 and r1, and a mark, which is a route of its own whose gateway is changed so that a probe can tell when
// the data plane has it. One route in MIRROR_BED_FLAPPING comes and goes in the measurements; the
// destinations of the traffic are reached by the others.

#define MIRROR_BED_FLAPPING     10
#define MIRROR_BED_DESTINATIONS 16384 // of each family

struct mirror_bed {
	const volatile sig_atomic_t *stop;
	struct topology topology;
	struct generate *generate;
	struct probe *probe;
	struct inject *inject;
	struct table *routes, *flapping; // owned; sorted
	struct generate_destination destinations[2]
						[MIRROR_BED_DESTINATIONS]; // IPv4, IPv6; number 0: the mark
	struct inject_hop hops[2][LANE_GATEWAYS];
	struct daemon *daemon;
	bool marked; // the mark is at gateway 1, not 0
	struct figures figures;
};

// One change after the other, made beforehand.
struct mirror_updates {
	struct update *updates;
	size_t count;
};

// Makes the bed with so many routes of each family. Tells errors on stderr.
int mirror_bed_open(struct mirror_bed *bed, size_t routes4, size_t routes6);

// Stops the daemon and removes everything.
void mirror_bed_close(struct mirror_bed *bed);

// Brings all routes and the mark into the kernel, also those that are there already.
int mirror_bed_load(struct mirror_bed *bed);

// Makes count flaps of the flapping routes; they end with the table as it was. Free updates->updates.
int mirror_bed_flaps(const struct mirror_bed *bed, size_t count, struct mirror_updates *ret_updates);

// Queues changes from number first up to before number end; sends them with mirror_bed_flush().
int mirror_bed_inject(struct mirror_bed *bed, const struct mirror_updates *updates, size_t first, size_t end);

// Sends what is queued; a refusal is an error.
int mirror_bed_flush(struct mirror_bed *bed);

// Moves the mark to the other gateway, in the kernel.
int mirror_bed_mark(struct mirror_bed *bed);

// Returns whether the data plane has the mark where the kernel has it: 1, 0, or a negative errno.
int mirror_bed_mark_is_seen(struct mirror_bed *bed);

// Waits until then; -ETIMEDOUT after a minute.
int mirror_bed_wait_mark(struct mirror_bed *bed);

// CPU time and memory of the daemon.
struct mirror_usage {
	double cpu_ms;
	double resident_mb, peak_mb;
};

int mirror_bed_usage(const struct mirror_bed *bed, struct mirror_usage *ret_usage);

// Returns a number of the daemon's status below "mirror", -1 without an answer.
double mirror_bed_number(const struct mirror_bed *bed, const char *name);

// Puts the calling thread before others, so that what it watches is not missed; returns the niceness to give
// back to mirror_bed_relax(). Processes started meanwhile would inherit it.
int mirror_bed_hurry(void);
void mirror_bed_relax(int nice);

// CPU time of the calling thread.
double mirror_bed_own_cpu_ms(void);

// A clock, and a pause.
double mirror_bed_now_ms(void);
void mirror_bed_sleep_ms(double ms);
