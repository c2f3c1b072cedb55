// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

#include "bench/lane.h"
#include "bench/workload/table.h"

// The comparison routers of bench/baseline.bpf.c, loaded for one lane.

struct baseline;

// Loads the programs. The lane must outlive them.
int baseline_open(const struct lane *lane, struct baseline **ret_baseline);

// Detaches and frees; NULL is fine.
void baseline_close(struct baseline *baseline);

// Adds the routes of one family to the table of the program `lpmtrie`.
int baseline_load(struct baseline *baseline, const struct table *table);

// Attaches a program to the lane's r0, in native or generic mode; at most one is attached.
int baseline_attach(struct baseline *baseline, const char *program, bool generic);

// Detaches; fine when nothing is attached.
void baseline_detach(struct baseline *baseline);
