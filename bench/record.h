// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <jansson.h>

// One run of a bench as a document that programs keep. Whatever else a bench puts into it, all have this,
// which is what `bench compare` and `bench goals` read:
//
//   { "bench": "forward", "version": 1, "penstock": "0.1.0", "machine": {...},
//     "figures": [ { "name": "forward IPv4 1 route penstock of-nolookup", "unit": "", "better": "more",
//                    "relative": true, "median": 0.97, "low": 0.96, "high": 0.98, "values": [...] } ] }
//
// "version" is that of this layout. A name means the same in every run and every version.

#define RECORD_VERSION 1
#define RECORD_NAME    160
#define RECORD_VALUES  1024 // of a figure, at most
#define RECORD_JUDGED  3    // rounds that it takes at least to say how sure a measured ratio is

enum record_better { RECORD_MORE, RECORD_LESS };

struct record_figure {
	const char *name;
	const char *unit; // "" for a ratio or a number of things
	enum record_better better;
	// Measured against something else in the same moments, or no time at all: the machine's moods are not
	// in it.
	bool relative;
	const double *values; // one a round
	unsigned int count;   // at least 1
};

// Begins the record of a bench; NULL without memory.
json_t *record_new(const char *bench);

// Adds a figure and returns its entry, to add more to it; NULL without memory.
json_t *record_add(json_t *record, const struct record_figure *figure);

// Prints the record and gives it back to the heap; NULL is -ENOMEM.
int record_print(FILE *out, json_t *record);

// The end of the results, record or table, on stdout; `err` is what came of them so far. -EIO: they cannot be
// written, which stderr tells.
int record_end(const char *bench, int err);

// Reads a record from a file, "-" is stdin. A negative errno, and tells on stderr why it is none.
int record_read(const char *path, json_t **ret_record);

// A figure as it stands in a record; names point into the record. False: it is not a figure.
bool record_figure(const json_t *entry, struct record_figure *ret_figure, double values[RECORD_VALUES]);

// The figure of that name; NULL: not there.
const json_t *record_find(const json_t *record, const char *name);
