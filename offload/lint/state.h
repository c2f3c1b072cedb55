// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is known before one instruction: registers, and the stack of each function that is being run.
 *
 * Stack offsets are as in the program: bytes from r10, -512 to -1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload/lint/value.h"

#define STATE_REGISTERS 11
#define STATE_STACK     512
#define STATE_SLOTS     (STATE_STACK / 8)
#define STATE_FRAMES    8 /* as deep as the kernel lets functions nest */

struct state_slot {
	struct value value; /* of all 8 bytes; if split, of the lower 4 */
	struct value upper; /* if split */
	bool split;
	uint8_t zero; /* bytes, a bit each, that hold a literal 0 */
};

struct state_frame {
	uint32_t return_to;    /* instruction; of no use in frame 0 */
	struct value saved[4]; /* r6 to r9 of the caller */
	struct state_slot slot[STATE_SLOTS];
};

struct state {
	uint32_t at;          /* the instruction that comes next */
	uint32_t depth;       /* frames below the current one */
	uint32_t result_from; /* the instruction that last wrote r0, on one of the paths */
	struct value reg[STATE_REGISTERS];
	struct state_frame frame[STATE_FRAMES]; /* depth + 1 of them are there */
};

/* Bytes that a state of this depth takes. */
size_t state_size(uint32_t depth);
/* At the beginning of a program: r1 is the context. */
void state_begin(struct state *state, uint32_t at);
void state_copy(struct state *to, const struct state *from);

/* Of the frame of a program that ends, nothing is read any more. */
void state_forget_stack(struct state *state);

/* Whether two states stand in the same function, called from the same places. */
bool state_comparable(const struct state *a, const struct state *b);
/* How much would be lost if `state` had to include `other`; 0: it does. */
uint32_t state_distance(const struct state *state, const struct state *other);
void state_join(struct state *state, const struct state *other, bool widen);

/* Enters a function: the caller's registers are kept. It is not as deep as STATE_FRAMES - 1. */
void state_call(struct state *state, uint32_t function, uint32_t return_to);
/* Leaves it. */
void state_return(struct state *state);

/* Stack of the frames of a bit mask: what `size` bytes at offsets low..high hold, and writing there. */
struct value state_load(const struct state *state, uint8_t frames, int32_t low, int32_t high, uint32_t size);
void state_store(struct state *state, uint8_t frames, int32_t low, int32_t high, uint32_t size,
		 const struct value *value);
/* Whether the byte at an offset holds a literal 0. */
bool state_is_zero(const struct state *state, uint32_t frame, int32_t offset);
/* After the packet has moved: pointers into it point nowhere. */
void state_forget_packet(struct state *state);
