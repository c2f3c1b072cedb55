// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Static rules over a compiled BPF object: would a Netronome card with a given firmware take it, and run it
 * as meant? Needs no root, no card and no kernel.
 */
#pragma once

#include "offload/lint/costs.h"
#include "offload/lint/findings.h"
#include "offload/lint/object.h"
#include "offload/lint/resources.h"
#include "offload/profile.h"

struct lint_program {
	const struct object_function *function;
	struct costs costs;                 /* if asked for */
	uint32_t instructions, card, stack; /* paths.h */
	uint16_t *sizes;
};

struct lint {
	struct object *object;
	struct findings findings;
	struct resources_usage resources;
	struct lint_program *programs; /* those for XDP */
	uint32_t program_count;
};

/* Reads and judges the object of a file, and with `costs` what its paths cost. Negative: it cannot be read,
 * `why` says why. `path` must stay. */
int lint_file(const char *path, const struct profile *profile, bool costs, struct lint *ret, struct why *why);
/* The same for an object in memory; `label` stands for the file in messages. */
int lint_memory(const char *label, const uint8_t *bytes, size_t size, const struct profile *profile,
		bool costs, struct lint *ret, struct why *why);
void lint_close(struct lint *lint);
