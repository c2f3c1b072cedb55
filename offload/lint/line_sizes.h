// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Where a program's length comes from: what the lines of its source become on the card, function by function.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "offload/lint/lint.h"

struct line_size {
	const struct object_function *function;
	struct lines_place place;
	uint32_t bpf, card; /* instructions */
};

/* The lines of what is part of the program, in the order of functions, the largest first; to be freed.
 * -ENOMEM */
int line_sizes(const struct object *object, const struct lint_program *program, struct line_size **ret,
	       size_t *ret_count);
