// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/state.h"

#include <string.h>

/* The slots that bytes low .. high + size - 1 of a frame lie in; false: not all of them are stack. */
static bool slots_of(int32_t low, int32_t high, uint32_t size, uint32_t *ret_first, uint32_t *ret_last)
{
	int64_t first = (int64_t)low + STATE_STACK, last = (int64_t)high + size - 1 + STATE_STACK;

	if (first < 0)
		first = 0;
	if (last >= STATE_STACK)
		last = STATE_STACK - 1;
	if (first > last)
		return false;
	*ret_first = (uint32_t)first / 8;
	*ret_last = (uint32_t)last / 8;
	return true;
}

/* Halves that are known apart. A pointer that was there is gone. */
static void split(struct state_slot *slot)
{
	if (slot->split)
		return;
	slot->split = true;
	slot->upper = slot->value.kinds & VALUE_UNJUDGED ? slot->value : value_number(0, UINT32_MAX);
	slot->value = value_low_half(&slot->value);
}

static uint32_t slot_distance(const struct state_slot *slot, const struct state_slot *other)
{
	uint32_t zero = slot->zero & ~other->zero ? VALUE_OTHER : 0;
	struct state_slot halves;

	if (!slot->split)
		return zero + (other->split ? VALUE_OTHER : value_distance(&slot->value, &other->value));
	halves = *other;
	split(&halves);
	return zero + value_distance(&slot->value, &halves.value) +
	       value_distance(&slot->upper, &halves.upper);
}

static void slot_join(struct state_slot *slot, const struct state_slot *other, bool widen)
{
	struct state_slot halves = *other;

	slot->zero &= other->zero;
	if (slot->split || other->split) {
		split(slot);
		split(&halves);
		value_join(&slot->upper, &halves.upper, widen);
	}
	value_join(&slot->value, &halves.value, widen);
}

/* Bytes begin .. begin + size - 1 of a slot get a value, or with NULL something. */
static void write_part(struct state_slot *slot, uint32_t begin, uint32_t size, const struct value *value)
{
	const struct value something = value_number(0, UINT32_MAX);
	uint8_t bytes = (uint8_t)(((1u << size) - 1) << begin);

	if (value && value_is_constant(value) && value->least == 0)
		slot->zero |= bytes;
	else
		slot->zero &= (uint8_t)~bytes;
	if (size == 8) {
		slot->value = value ? *value : value_number(0, UINT64_MAX);
		slot->split = false;
		return;
	}
	split(slot);
	if (begin < 4)
		slot->value = size == 4 && begin == 0 && value ? value_low_half(value) : something;
	if (begin + size > 4)
		slot->upper = size == 4 && begin == 4 && value ? value_low_half(value) : something;
}

static void write_exactly(struct state_frame *frame, uint32_t at, uint32_t size, const struct value *value)
{
	bool zero = value_is_constant(value) && value->least == 0;

	while (size) {
		uint32_t begin = at % 8, part = size < 8 - begin ? size : 8 - begin;

		write_part(&frame->slot[at / 8], begin, part, part == size || zero ? value : NULL);
		at += part;
		size -= part;
		if (!zero)
			value = NULL;
	}
}

/* A store somewhere among slots: each may have got it, or part of it, or kept what it had. */
static void write_somewhere(struct state_frame *frame, uint32_t first, uint32_t last,
			    const struct value *value)
{
	struct value number = value_number(0, UINT64_MAX);

	for (uint32_t i = first; i <= last; i++) {
		struct state_slot written = { .value = *value };

		slot_join(&frame->slot[i], &written, false);
		value_join(&frame->slot[i].value, &number, false);
	}
}

/* What `size` bytes of a slot hold; from byte `begin`, 8: it is not known which. */
static struct value part_of(const struct state_slot *slot, uint32_t begin, uint32_t size)
{
	uint64_t most = size < 8 ? (1ull << size * 8) - 1 : UINT64_MAX;
	struct value value = value_number(0, most);
	uint8_t bytes = (uint8_t)(((1u << size) - 1) << begin % 8);

	if (slot->value.kinds & VALUE_UNJUDGED)
		return value_unjudged();
	if (begin < 8 && (slot->zero & bytes) == bytes)
		return value_number(0, 0);
	if (begin == 0 && size == 8 && !slot->split)
		value = slot->value;
	else if (begin == 0 && size <= 4)
		value = value_low_half(&slot->value);
	else if (begin == 4 && size <= 4 && slot->split)
		value = slot->upper;
	if (value.kinds & VALUE_UNSET || (size < 8 && value.most > most))
		return value_number(0, most);
	return value;
}

static void forget(struct value *value)
{
	if (value->kinds & (VALUE_PACKET | VALUE_PACKET_END))
		*value = value_number(0, UINT64_MAX);
}

size_t state_size(uint32_t depth)
{
	return offsetof(struct state, frame) + (depth + 1) * sizeof(struct state_frame);
}

void state_begin(struct state *state, uint32_t at)
{
	state->at = at;
	state->depth = 0;
	state->result_from = at;
	state->frame[0].return_to = 0;
	for (int i = 0; i < STATE_REGISTERS; i++)
		state->reg[i] = value_unset();
	state->reg[1] = value_pointer(VALUE_CONTEXT);
	state->reg[10] = value_pointer(VALUE_STACK);
	state->reg[10].frames = 1;
	for (int i = 0; i < 4; i++)
		state->frame[0].saved[i] = value_unset();
	state_forget_stack(state);
}

void state_forget_stack(struct state *state)
{
	for (int i = 0; i < STATE_SLOTS; i++)
		state->frame[state->depth].slot[i] = (struct state_slot){ .value = value_unset() };
}

void state_copy(struct state *to, const struct state *from)
{
	memcpy(to, from, state_size(from->depth));
}

bool state_comparable(const struct state *a, const struct state *b)
{
	if (a->depth != b->depth)
		return false;
	for (uint32_t i = 1; i <= a->depth; i++)
		if (a->frame[i].return_to != b->frame[i].return_to)
			return false;
	return true;
}

uint32_t state_distance(const struct state *state, const struct state *other)
{
	uint32_t distance = 0;

	for (int i = 0; i < STATE_REGISTERS; i++)
		distance += value_distance(&state->reg[i], &other->reg[i]);
	for (uint32_t i = 0; i <= other->depth; i++) {
		for (int k = 0; k < 4; k++)
			distance += value_distance(&state->frame[i].saved[k], &other->frame[i].saved[k]);
		for (int k = 0; k < STATE_SLOTS; k++)
			distance += slot_distance(&state->frame[i].slot[k], &other->frame[i].slot[k]);
	}
	return distance;
}

void state_join(struct state *state, const struct state *other, bool widen)
{
	for (int i = 0; i < STATE_REGISTERS; i++)
		value_join(&state->reg[i], &other->reg[i], widen);
	for (uint32_t i = 0; i <= state->depth; i++) {
		for (int k = 0; k < 4; k++)
			value_join(&state->frame[i].saved[k], &other->frame[i].saved[k], widen);
		for (int k = 0; k < STATE_SLOTS; k++)
			slot_join(&state->frame[i].slot[k], &other->frame[i].slot[k], widen);
	}
}

void state_call(struct state *state, uint32_t function, uint32_t return_to)
{
	struct state_frame *frame = &state->frame[++state->depth];

	frame->return_to = return_to;
	for (int i = 0; i < 4; i++)
		frame->saved[i] = state->reg[6 + i];
	state_forget_stack(state);
	for (int i = 6; i < 10; i++)
		state->reg[i] = value_unset();
	state->reg[0] = value_unset();
	state->reg[10].frames = (uint8_t)(1u << state->depth);
	state->at = function;
}

void state_return(struct state *state)
{
	const struct state_frame *frame = &state->frame[state->depth--];

	for (int i = 0; i < 4; i++)
		state->reg[6 + i] = frame->saved[i];
	for (int i = 1; i < 6; i++)
		state->reg[i] = value_unset();
	state->reg[10].frames = (uint8_t)(1u << state->depth);
	state->at = frame->return_to;
}

struct value state_load(const struct state *state, uint8_t frames, int32_t low, int32_t high, uint32_t size)
{
	uint64_t most = size < 8 ? (1ull << size * 8) - 1 : UINT64_MAX;
	struct state_slot loaded = { .zero = 0 };
	bool some = false;
	uint32_t first, last;

	if (!slots_of(low, high, size, &first, &last))
		return value_number(0, most);
	for (uint32_t depth = 0; depth <= state->depth; depth++)
		for (uint32_t i = first; frames & 1u << depth && i <= last; i++) {
			if (some)
				slot_join(&loaded, &state->frame[depth].slot[i], false);
			else
				loaded = state->frame[depth].slot[i];
			some = true;
		}
	return some ? part_of(&loaded, low == high && first == last ? (uint32_t)(low + STATE_STACK) % 8 : 8,
			      size)
		    : value_number(0, most);
}

void state_store(struct state *state, uint8_t frames, int32_t low, int32_t high, uint32_t size,
		 const struct value *value)
{
	bool one = (frames & (frames - 1)) == 0;
	uint32_t first, last;

	if (!slots_of(low, high, size, &first, &last))
		return;
	for (uint32_t depth = 0; depth <= state->depth; depth++) {
		struct state_frame *frame = &state->frame[depth];

		if (!(frames & 1u << depth))
			continue;
		if (one && low == high && low >= -STATE_STACK && low + (int32_t)size <= 0)
			write_exactly(frame, (uint32_t)(low + STATE_STACK), size, value);
		else
			write_somewhere(frame, first, last, value);
	}
}

bool state_is_zero(const struct state *state, uint32_t frame, int32_t offset)
{
	uint32_t at = (uint32_t)(offset + STATE_STACK);

	return offset >= -STATE_STACK && offset < 0 && state->frame[frame].slot[at / 8].zero & 1u << at % 8;
}

void state_forget_packet(struct state *state)
{
	for (int i = 0; i < STATE_REGISTERS; i++)
		forget(&state->reg[i]);
	for (uint32_t i = 0; i <= state->depth; i++) {
		for (int k = 0; k < 4; k++)
			forget(&state->frame[i].saved[k]);
		for (int k = 0; k < STATE_SLOTS; k++)
			forget(&state->frame[i].slot[k].value);
	}
}
