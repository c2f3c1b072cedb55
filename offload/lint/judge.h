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

/* What an instruction has done on all paths of the present program. */
struct judge_seen {
	uint8_t kinds;                  /* what it points to, VALUE_POINTERS */
	uint8_t alignments;             /* how a pointer to the stack is aligned, a bit each */
	bool stack_varies, other_frame; /* its pointer to the stack: at differing places, or a caller's */
	int32_t stack_low;              /* where it points to */
	uint64_t left_most;             /* bounds of its operands as numbers; least of none is above most */
	uint64_t right_least, right_most;
};

struct judge {
	const struct object *object;
	const struct profile *profile;
	struct findings *findings;
	struct judge_seen *seen;                 /* of each instruction */
	uint32_t *live;                          /* liveness.h */
	uint32_t *stack;                         /* of each function: bytes it uses */
	uint32_t steps;                          /* how much has been looked at */
	struct judge_word (*words)[JUDGE_WORDS]; /* of each map */
};

/* -ENOMEM */
int judge_open(const struct object *object, const struct profile *profile, struct findings *findings,
	       struct judge *ret);
void judge_close(struct judge *judge);

/* Before each program: what instructions did in another does not count. */
void judge_begin(struct judge *judge);
/* Returns whether the instruction at state->at is one that the card executes as meant. */
bool judge_instruction(struct judge *judge, const struct state *state);
/* A finding without figures; returns false. */
bool judge_say(struct judge *judge, const struct state *state, enum rule rule);
/* When all programs have been looked at. */
void judge_end(struct judge *judge);
/* Remembers where a pointer to the stack points. */
void judge_see_stack(struct judge *judge, const struct state *state, const struct value *pointer);
