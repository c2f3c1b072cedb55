// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/option.h"
#include "bench/scenario.h"
#include "bench/search.h"
#include "bench/sending.h"

// What `penstock bench modes` was asked for.

#define MODES_SCENES (OPTION_FAMILIES * OPTION_SIZES)

struct modes_options {
	const struct subject *subjects[OPTION_SUBJECTS];
	unsigned int subject_count; // 0 only while options are taken
	struct search_goal ndr, pdr;
	__u8 families[OPTION_FAMILIES];
	unsigned int family_count;
	struct load sizes[OPTION_SIZES];
	unsigned int size_count;
	unsigned int cpu, rounds;
	bool quick, json;
	struct lane_vlans vlans;
	struct scenario scenario;
	struct sending sending;
};

// Takes the options, with what they name read and looked at. Returns 1 when help was asked for and given;
// -EINVAL: they cannot be taken so. Errors are told on stderr. modes_options_close() in any case.
int modes_options_open(struct modes_options *options, int argc, char **argv);

void modes_options_close(struct modes_options *options);

// How many scenes there are: kinds of traffic, each family with each size.
unsigned int modes_options_scenes(const struct modes_options *options);

// The traffic of a scene.
struct load modes_options_load(const struct modes_options *options, unsigned int scene);

// The bytes of the largest frame, without a tag.
unsigned int modes_options_largest(const struct modes_options *options);
