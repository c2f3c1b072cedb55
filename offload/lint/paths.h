// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * All paths through a program, as the kernel's verifier walks them: one after the other, each until it ends
 * or comes to a place that has been passed knowing no more than now. Where the verifier goes on without end,
 * here a place keeps a few states only; from then on what comes is joined, and bounds that move are given up.
 * So each walk ends, and what it says holds for all paths.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "offload/lint/costs.h"
#include "offload/lint/judge.h"

struct paths_usage {           /* of one program */
	uint32_t instructions; /* that can be reached, with those of functions */
	uint32_t card;         /* and what they become on the card, by translation.h */
	uint32_t stack;        /* bytes, as the driver counts */
	uint16_t *sizes;       /* the card's for each of the object's instructions; to be freed */
};

/* Judges all that can be reached from a program's first instruction, and enters its paths into `costs`, which
 * may be NULL. -ENOMEM */
int paths_walk(struct judge *judge, const struct object_function *program, struct costs *costs,
	       struct paths_usage *ret);
