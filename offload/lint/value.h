// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is known of the content of a register or of 8 bytes of stack, over all ways that lead to an
 * instruction: which kinds of thing it may be, between which bounds it is as a number, how far a pointer
 * points from the beginning of what it points to, and into which maps.
 *
 * Everything errs on the large side: what can be at run time is always among what the value says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum value_kind { /* a bit each: after a join, a value may be several */
		  VALUE_NUMBER = 1,
		  VALUE_CONTEXT = 2,
		  VALUE_STACK = 4,
		  VALUE_PACKET = 8,
		  VALUE_PACKET_END = 16,
		  VALUE_MAP = 32,       /* the map itself */
		  VALUE_MAP_VALUE = 64, /* with VALUE_NUMBER: not yet compared with NULL */
		  VALUE_UNSET = 128,    /* nobody has written it */
		  VALUE_UNJUDGED =
			  256, /* comes from what has been found wrong already: say no more about it */
};

#define VALUE_POINTERS (VALUE_CONTEXT | VALUE_STACK | VALUE_PACKET | VALUE_MAP_VALUE)
#define VALUE_MAPS     128       /* as many maps are told apart; the others are as one */
#define VALUE_FAR      (1 << 24) /* offsets of pointers from here on are as good as unbounded */

struct value {
	uint16_t kinds;
	uint8_t frames;       /* VALUE_STACK: a bit for each depth of calls */
	int32_t low, high;    /* of a pointer, in bytes */
	uint64_t least, most; /* VALUE_NUMBER, unsigned */
	bool half_known; /* VALUE_NUMBER: whether the lower 32 bits are known, as in length << 32 | -1, */
	uint32_t half;   /* and what they are */
	uint64_t maps[VALUE_MAPS / 64]; /* VALUE_MAP, VALUE_MAP_VALUE: a bit each */
};

struct value value_unset(void);
struct value value_unjudged(void);
struct value value_number(uint64_t least, uint64_t most);
/* A pointer to the beginning of something. */
struct value value_pointer(enum value_kind kind);
struct value value_map(enum value_kind kind, uint32_t map);

/* Whether all that `inner` can be, `outer` can be. */
bool value_includes(const struct value *outer, const struct value *inner);
#define VALUE_OTHER 1000

/* How much would be lost if `value` had to include `other`: 0 nothing, 1 a bound, VALUE_OTHER what it is. */
uint32_t value_distance(const struct value *value, const struct value *other);
/* Makes `value` include `other`. With `widen`, bounds that have to move go all the way, so that repeating it
 * ends. */
void value_join(struct value *value, const struct value *other, bool widen);

bool value_is_constant(const struct value *value);
/* What 32-bit operations see. */
struct value value_low_half(const struct value *value);
/* The result of an ALU instruction (BPF_OP of its code); `wide`: of 64 bits. */
struct value value_compute(uint8_t operation, bool wide, const struct value *left, const struct value *right);
/* Narrows both sides of a comparison that came out as `taken`. Returns false if it cannot come out so. */
bool value_compare(uint8_t operation, bool wide, bool taken, struct value *left, struct value *right);
