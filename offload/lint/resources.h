// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What an object asks of the card beside instructions: maps, global variables, relocations, kinds of program.
 */
#pragma once

#include "offload/lint/findings.h"
#include "offload/lint/object.h"
#include "offload/profile.h"

struct resources_usage {
	uint32_t maps;
	uint64_t entries; /* of all maps together */
};

void resources_judge(const struct object *object, const struct profile *profile, struct findings *findings,
		     struct resources_usage *ret);
