// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>

#include "bench/fib_subject.h"

// One address family's part of the bench: its structures, loaded, and what was measured with them.

#define FIB_SUBJECTS_MAX   24
#define FIB_STRUCTURES_MAX 12
#define FIB_ROUNDS_MAX     100

struct fib_plan {
	const struct fib_subject *subjects[FIB_SUBJECTS_MAX];
	unsigned int subject_count;
	unsigned int rounds;
	double seconds;                    // of each measurement
	unsigned int changes;              // random ones; 0: none
	const char *trace;                 // of updates; NULL: none
	const volatile sig_atomic_t *stop; // set by a signal: all that runs ends with -EINTR
};

// What updates cost, in nanoseconds each.
struct fib_cost {
	size_t count; // 0: not measured
	double mean, p99, max;
};

struct fib_built {
	struct fib_structure *structure;
	double load_seconds;
	struct fib_memory memory; // behind the load
	struct fib_cost changes, trace;
};

// Nanoseconds per lookup, by round: [0] independent, [1] dependent.
struct fib_times {
	double ns[2][FIB_ROUNDS_MAX];
};

struct fib_family {
	__u8 family;
	const struct fib_plan *plan;
	const struct table *table;
	struct fib_bed bed;
	struct fib_built built[FIB_STRUCTURES_MAX];
	unsigned int built_count;
	struct fib_entry entries[FIB_SUBJECTS_MAX]; // of the plan, those of the family
	unsigned int entry_count;
	struct fib_stream *streams[FIB_STREAMS];
	struct fib_times times[FIB_STREAMS][FIB_SUBJECTS_MAX];
	size_t checked; // addresses that all agreed on
};

// Loads the routes (sorted, one family, not empty) into every structure that the subjects need; there is room
// for as many more. topology is NULL when none needs the kernel's routes. Tells progress and errors on
// stderr.
int fib_family_open(const struct fib_plan *plan, const struct table *table, size_t more,
		    const struct topology *topology, struct fib_family **ret_family);

// Frees all; NULL is fine.
void fib_family_close(struct fib_family *family);

// Returns 4 or 6.
unsigned int fib_family_number(const struct fib_family *family);
