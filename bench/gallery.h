// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdio.h>
#include <jansson.h>

#include "bench/record.h"

// The charts of a page: figures of all records together, by what they say, not by which bench measured them.

struct gallery;

// NULL without memory.
struct gallery *gallery_new(FILE *out);

void gallery_free(struct gallery *gallery);

// Adds the figures of a record, which must live as long.
void gallery_add(struct gallery *gallery, const json_t *record);

// Writes all charts that there are figures for, each kind below its heading.
void gallery_write(const struct gallery *gallery);
