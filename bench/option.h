// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#include "bench/load.h"
#include "bench/scenario.h"
#include "bench/subject.h"

// Options of benches: one table says what there is, where it goes and what --help tells of it.

#define OPTION_USAGE    2 // exit code
#define OPTION_MOST     32
#define OPTION_FAMILIES 2
#define OPTION_SUBJECTS 16
#define OPTION_SIZES    4

// One option, which is a line of the help:
//
//   { "rounds", "N", "how often each is measured", "7", .number = &rounds, .least = 1, .most = 100 }
//   --rounds N  how often each is measured, 1 to 100 (7)
struct option_line {
	const char *name;
	const char *value; // what stands behind it, in the help; NULL: nothing, it is a flag
	const char *help;  // may have more lines, which start below this one
	const char *usual; // the value where the option is not given; NULL: nothing is done then
	// Where it goes: one of these.
	bool *flag;
	const char **text;
	unsigned int *number; // whole, from least to most
	double *seconds;      // from least to most
	unsigned int *cpu;    // that this process may run on
	__u8 *families;       // 4, 6 or both, up to OPTION_FAMILIES
	unsigned int *family_count;
	struct scenario *scenario;
	int (*take)(void *into, const char *bench, const char *value); // negative: has told why
	void *into;
	double least, most;
	char letter; // its short form; 0: none
};

struct option_set {
	const char *bench;
	const char *usage; // what stands behind the name of the bench; NULL: [OPTION]...
	const char *about; // what it does: whole lines
	bool *json;        // whether there was --json or -j; NULL: there is no such option
	// Each ends with a line without a name; NULL: none.
	const struct option_line *lines, *more;
	void (*print_more)(FILE *out); // prints the end of the help; NULL: there is no more
	int arguments;                 // that may stand behind the options
};

// Takes the options of a bench, first those given, then the usual values of the others, both in their order.
// Returns 1 when --help was asked for and given, and -EINVAL when there is something wrong, which stderr
// tells; else optind says where the arguments are.
int option_parse(const struct option_set *set, int argc, char **argv);

// Values that several benches have. Each call returns -EINVAL and tells on stderr what it wants where a value
// is none; `bench` is the name of the bench.

// Tells that the value of an option is none; -EINVAL.
int option_refuse(const char *bench, const char *option, const char *value, const char *want);

// A whole number from least to most.
int option_number(const char *bench, const char *option, const char *value, unsigned int least,
		  unsigned int most, unsigned int *ret_number);

// 4, 6, both in turn, or mix: both at once (AF_UNSPEC), for --family.
int option_families(const char *bench, const char *value, __u8 families[OPTION_FAMILIES],
		    unsigned int *ret_count);

// Names of subjects with commas between; fits says which of them the bench can measure, and `which` says it
// in words.
int option_subjects(const char *bench, const char *option, const char *value,
		    bool (*fits)(const struct subject *subject), const char *which,
		    const struct subject *subjects[OPTION_SUBJECTS], unsigned int *ret_count);

// VLANs that frames come by with commas between, 0 for none, and behind a colon that which they leave by, for
// --vlans.
int option_vlans(const char *bench, const char *value, struct lane_vlans *ret_vlans);

// Sizes of frames with FCS, imix among them, with commas between, for --size.
int option_sizes(const char *bench, const char *value, struct load loads[OPTION_SIZES],
		 unsigned int *ret_count);
