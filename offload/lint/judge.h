// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Looks at one instruction in one state, and says what the card will not have. Some rules hold over all paths
 * and all programs of an object; for these the judge remembers how each instruction touches memory and how
 * each word of a map's values is used, and judge_end() says the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "offload/lint/findings.h"
#include "offload/lint/object.h"
#include "offload/lint/state.h"
#include "offload/profile.h"

#define JUDGE_WORDS 64 /* of a map value; more than a card has */

/* Instructions that use a word, each + 1, 0: none. */
struct judge_word {
	uint32_t read, counted, updated;
};

struct judge {
	const struct object *object;
	const struct profile *profile;
	struct findings *findings;
	uint8_t *kinds;      /* of each instruction: what it points to, VALUE_POINTERS */
	uint8_t *alignments; /* of each instruction: how its pointer to the stack is aligned, a bit each */
	uint32_t *stack;     /* of each function: bytes it uses */
	uint32_t steps;      /* how much has been looked at */
	struct judge_word (*words)[JUDGE_WORDS]; /* of each map */
};

/* -ENOMEM */
int judge_open(const struct object *object, const struct profile *profile, struct findings *findings,
	       struct judge *ret);
void judge_close(struct judge *judge);

/* Returns whether the instruction at state->at is one that the card executes as meant. */
bool judge_instruction(struct judge *judge, const struct state *state);
/* A finding without figures; returns false. */
bool judge_say(struct judge *judge, const struct state *state, enum rule rule);
/* When all programs have been looked at. */
void judge_end(struct judge *judge);
