// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "bench/load.h"
#include "bench/subject.h"

// Values of the options that benches have in common. Each call returns -EINVAL and tells on stderr what it
// wants where a value is none; `bench` is the name of the bench.

#define OPTION_FAMILIES 2
#define OPTION_SUBJECTS 16
#define OPTION_SIZES    4

// Tells that the value of an option is none; -EINVAL.
int option_refuse(const char *bench, const char *option, const char *value, const char *want);

// A whole number from least to most.
int option_number(const char *bench, const char *option, const char *value, unsigned int least,
		  unsigned int most, unsigned int *ret_number);

// How long something lasts, 0.01 to 3600 seconds.
int option_seconds(const char *bench, const char *option, const char *value, double *ret_seconds);

// The number of a CPU that this process may run on.
int option_cpu(const char *bench, const char *value, unsigned int *ret_cpu);

// 4, 6, both in turn, or mix: both at once (AF_UNSPEC), for --family.
int option_families(const char *bench, const char *value, __u8 families[OPTION_FAMILIES],
		    unsigned int *ret_count);

// Names of subjects with commas between; fits says which of them the bench can measure, and `which` says it
// in words.
int option_subjects(const char *bench, const char *option, const char *value,
		    bool (*fits)(const struct subject *subject), const char *which,
		    const struct subject *subjects[OPTION_SUBJECTS], unsigned int *ret_count);

// VLANs with commas between, 0 for none, for --vlans.
int option_vlans(const char *bench, const char *value, struct lane_vlans *ret_vlans);

// Sizes of frames with FCS, imix among them, with commas between, for --size.
int option_sizes(const char *bench, const char *value, struct load loads[OPTION_SIZES],
		 unsigned int *ret_count);
