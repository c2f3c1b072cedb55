// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the lint found in one object. The same rule is reported once for an instruction, whatever the number
 * of paths to it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "offload/lint/rules.h"

#define FINDING_OBJECT UINT32_MAX /* no instruction: the object, or one of its maps */

struct finding {
	enum rule rule;
	uint32_t instruction; /* index in the object, or FINDING_OBJECT */
	char subject[64];     /* map, section or function; empty: the instruction says it */
	char detail[128];     /* figures; may be empty */
};

struct findings {
	struct finding *list;
	uint32_t count, left_out; /* more than a person reads */
	uint64_t *seen;           /* rules of each instruction, a bit each */
	uint32_t instruction_count;
};

/* -ENOMEM */
int findings_open(uint32_t instruction_count, struct findings *ret);
void findings_close(struct findings *findings);

void findings_add(struct findings *findings, enum rule rule, uint32_t instruction, const char *detail, ...)
	__attribute__((format(printf, 4, 5)));
void findings_add_object(struct findings *findings, enum rule rule, const char *subject, const char *detail,
			 ...) __attribute__((format(printf, 4, 5)));
/* In the order of instructions, the object first. */
void findings_sort(struct findings *findings);
bool findings_has(const struct findings *findings, enum rule rule);
