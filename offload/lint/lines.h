// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Which line of the source an instruction comes from (section .BTF.ext).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "offload/lint/types.h"

struct lines_place {
	const char *file, *text; /* "": not known */
	uint32_t line, column;
};

struct lines {
	const struct types *types;
	const uint8_t *records;
	size_t size;
};

/* Without `bytes`, or if they are damaged, no place is known. Points into both. */
void lines_open(const struct types *types, const uint8_t *bytes, size_t size, struct lines *ret);
/* The place of the instruction at byte `offset` of a section: that of the last record before it. */
struct lines_place lines_find(const struct lines *lines, const char *section, uint32_t offset);
