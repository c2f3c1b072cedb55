// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/value.h"

#include <linux/bpf.h>

static int64_t clamp(int64_t offset)
{
	if (offset > VALUE_FAR)
		return VALUE_FAR;
	return offset < -VALUE_FAR ? -VALUE_FAR : offset;
}

static struct value number(uint64_t least, uint64_t most, bool wide)
{
	if (wide)
		return value_number(least, most);
	if (least >> 32 != most >> 32)
		return value_number(0, UINT32_MAX);
	return value_number((uint32_t)least, (uint32_t)most);
}

static struct value unknown(bool wide)
{
	return value_number(0, wide ? UINT64_MAX : UINT32_MAX);
}

/* All numbers that have no bit above the highest of this one. */
static uint64_t fill(uint64_t number)
{
	return number ? UINT64_MAX >> __builtin_clzll(number) : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Shifts by a number that is known; others make the result unknown, or no larger. */
static struct value shift(uint8_t operation, bool wide, const struct value *left, const struct value *right)
{
	uint64_t by = right->least & (wide ? 63 : 31);
	uint64_t sign = wide ? (uint64_t)INT64_MAX : INT32_MAX;

	if (operation == BPF_ARSH && left->most > sign)
		return unknown(wide);
	if (!value_is_constant(right))
		return operation == BPF_LSH ? unknown(wide) : number(0, left->most, wide);
	if (operation != BPF_LSH)
		return number(left->least >> by, left->most >> by, wide);
	if (left->most > UINT64_MAX >> by)
		return unknown(wide);
	return number(left->least << by, left->most << by, wide);
}

/* The lower 32 bits, if they are known. */
static bool half_of(const struct value *value, uint32_t *ret)
{
	if (value->kinds != VALUE_NUMBER || (value->least != value->most && !value->half_known))
		return false;
	*ret = value->least == value->most ? (uint32_t)value->least : value->half;
	return true;
}

/* What is known of the lower 32 bits of a result of 64. */
static void compute_half(uint8_t operation, const struct value *left, const struct value *right,
			 struct value *result)
{
	uint32_t a, b;

	if (operation == BPF_LSH && value_is_constant(right) && right->least >= 32 && right->least < 64) {
		result->half_known = true;
		result->half = 0;
	}
	if (!half_of(left, &a) || !half_of(right, &b))
		return;
	result->half_known = true;
	switch (operation) {
	case BPF_ADD:
		result->half = a + b;
		break;
	case BPF_SUB:
		result->half = a - b;
		break;
	case BPF_OR:
		result->half = a | b;
		break;
	case BPF_AND:
		result->half = a & b;
		break;
	case BPF_XOR:
		result->half = a ^ b;
		break;
	default:
		result->half_known = false;
	}
}

static struct value compute_numbers(uint8_t operation, bool wide, const struct value *left,
				    const struct value *right)
{
	uint64_t most;

	switch (operation) {
	case BPF_MOV:
		return *right;
	case BPF_ADD:
		if (__builtin_add_overflow(left->most, right->most, &most))
			return value_is_constant(right) && left->least >= -right->least
				       ? number(left->least + right->least, left->most + right->least, wide)
				       : unknown(wide);
		return number(left->least + right->least, most, wide);
	case BPF_SUB:
		if (left->least < right->most)
			return unknown(wide);
		return number(left->least - right->most, left->most - right->least, wide);
	case BPF_MUL:
		if (__builtin_mul_overflow(left->most, right->most, &most))
			return unknown(wide);
		return number(left->least * right->least, most, wide);
	case BPF_AND:
		if (value_is_constant(left) && value_is_constant(right))
			return number(left->least & right->least, left->least & right->least, wide);
		return number(0, smaller(left->most, right->most), wide);
	case BPF_OR:
	case BPF_XOR:
		most = fill(left->most | right->most);
		return number(operation == BPF_OR ? larger(left->least, right->least) : 0, most, wide);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		return shift(operation, wide, left, right);
	default: /* division, too: the driver loses the bounds there */
		return unknown(wide);
	}
}

/* A pointer and a number, added or subtracted. */
static struct value move_pointer(uint8_t operation, const struct value *pointer, const struct value *by)
{
	struct value moved = *pointer;
	bool small = by->most <= VALUE_FAR || by->least >= (uint64_t)-VALUE_FAR;
	int64_t low = small ? (int64_t)by->least : -VALUE_FAR, high = small ? (int64_t)by->most : VALUE_FAR;

	if (operation == BPF_SUB) {
		int64_t swap = -low;

		low = -high;
		high = swap;
	}
	if (pointer->low > -VALUE_FAR) /* what is unbounded stays so */
		moved.low = (int32_t)clamp(pointer->low + low);
	if (pointer->high < VALUE_FAR)
		moved.high = (int32_t)clamp(pointer->high + high);
	moved.least = 0;
	moved.most = UINT64_MAX; /* should it be a number, too */
	return moved;
}

/* Narrows left to what is `<= bound` or `>= bound`; false: nothing is. */
static bool at_most(struct value *value, uint64_t bound)
{
	value->most = smaller(value->most, bound);
	return value->least <= value->most;
}

static bool at_least(struct value *value, uint64_t bound)
{
	value->least = larger(value->least, bound);
	return value->least <= value->most;
}

/* left <= right, or left < right */
static bool order(struct value *left, struct value *right, bool strict)
{
	if (strict && (right->most == 0 || left->least == UINT64_MAX))
		return false;
	return at_most(left, right->most - strict) && at_least(right, left->least + strict);
}

static bool equal(struct value *left, struct value *right)
{
	return at_most(left, right->most) && at_least(left, right->least) && at_most(right, left->most) &&
	       at_least(right, left->least);
}

/* Only a bound is lost by knowing that the value is not in the middle. */
static bool unequal(struct value *left, struct value *right)
{
	if (value_is_constant(right) && value_is_constant(left))
		return left->least != right->least;
	if (value_is_constant(right) && right->least == left->least)
		left->least++;
	else if (value_is_constant(right) && right->least == left->most)
		left->most--;
	return true;
}

/* The comparison that holds when this one does not. */
static uint8_t opposite(uint8_t operation)
{
	switch (operation) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JNE:
		return BPF_JEQ;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JLE:
		return BPF_JGT;
	case BPF_JGE:
		return BPF_JLT;
	case BPF_JLT:
		return BPF_JGE;
	case BPF_JSGT:
		return BPF_JSLE;
	case BPF_JSLE:
		return BPF_JSGT;
	case BPF_JSGE:
		return BPF_JSLT;
	case BPF_JSLT:
		return BPF_JSGE;
	default:
		return BPF_JA; /* says nothing */
	}
}

static bool compare_unsigned(uint8_t operation, struct value *left, struct value *right)
{
	switch (operation) {
	case BPF_JEQ:
		return equal(left, right);
	case BPF_JNE:
		return unequal(left, right);
	case BPF_JGT:
		return order(right, left, true);
	case BPF_JGE:
		return order(right, left, false);
	case BPF_JLT:
		return order(left, right, true);
	case BPF_JLE:
		return order(left, right, false);
	default:
		return true;
	}
}

static uint8_t unsigned_of(uint8_t operation)
{
	switch (operation) {
	case BPF_JSGT:
		return BPF_JGT;
	case BPF_JSGE:
		return BPF_JGE;
	case BPF_JSLT:
		return BPF_JLT;
	case BPF_JSLE:
		return BPF_JLE;
	default:
		return operation;
	}
}

/* As unsigned, once neither side can be negative. */
static bool compare_signed(uint8_t operation, uint64_t largest, struct value *left, struct value *right)
{
	bool raises = operation == BPF_JSGE || operation == BPF_JSGT;

	/* left > -1 */
	if (operation == BPF_JSGT && value_is_constant(right) && right->least == (largest << 1 | 1))
		return at_most(left, largest);
	if (raises && right->most <= largest && !at_most(left, largest))
		return false;
	if (right->most > largest || left->most > largest)
		return true;
	return compare_unsigned(unsigned_of(operation), left, right);
}

struct value value_unset(void)
{
	return (struct value){ .kinds = VALUE_UNSET };
}

struct value value_unjudged(void)
{
	return (struct value){ .kinds = VALUE_UNJUDGED, .most = UINT64_MAX };
}

struct value value_number(uint64_t least, uint64_t most)
{
	return (struct value){ .kinds = VALUE_NUMBER, .least = least, .most = most };
}

struct value value_pointer(enum value_kind kind)
{
	return (struct value){ .kinds = (uint16_t)kind };
}

struct value value_map(enum value_kind kind, uint32_t map)
{
	struct value value = value_pointer(kind);

	if (map >= VALUE_MAPS)
		map = VALUE_MAPS - 1;
	value.maps[map / 64] = 1ull << map % 64;
	return value;
}

bool value_includes(const struct value *outer, const struct value *inner)
{
	uint32_t half;

	if (inner->kinds & ~outer->kinds || inner->frames & ~outer->frames)
		return false;
	for (int i = 0; i < VALUE_MAPS / 64; i++)
		if (inner->maps[i] & ~outer->maps[i])
			return false;
	if (inner->kinds & VALUE_NUMBER && (inner->least < outer->least || inner->most > outer->most))
		return false;
	if (outer->half_known && (!half_of(inner, &half) || half != outer->half))
		return false;
	return !(inner->kinds & ~(VALUE_NUMBER | VALUE_UNSET)) ||
	       (inner->low >= outer->low && inner->high <= outer->high);
}

uint32_t value_distance(const struct value *value, const struct value *other)
{
	bool constants = value_is_constant(value) && value_is_constant(other);

	if (value_includes(value, other))
		return 0;
	if (value->kinds != other->kinds || value->kinds != VALUE_NUMBER || constants)
		return VALUE_OTHER;
	return 1;
}

static void join_numbers(struct value *value, const struct value *other, bool widen)
{
	if (!(other->kinds & VALUE_NUMBER))
		return;
	if (!(value->kinds & VALUE_NUMBER)) {
		value->least = other->least;
		value->most = other->most;
		return;
	}
	if (other->least < value->least)
		value->least = widen ? 0 : other->least;
	if (other->most > value->most)
		value->most = !widen ? other->most : other->most > UINT32_MAX ? UINT64_MAX : UINT32_MAX;
}

static void join_offsets(struct value *value, const struct value *other, bool widen)
{
	const uint16_t plain = VALUE_NUMBER | VALUE_UNSET;

	if (!(other->kinds & ~plain))
		return;
	if (!(value->kinds & ~plain)) {
		value->low = other->low;
		value->high = other->high;
		return;
	}
	if (other->low < value->low)
		value->low = widen ? -VALUE_FAR : other->low;
	if (other->high > value->high)
		value->high = widen ? VALUE_FAR : other->high;
}

void value_join(struct value *value, const struct value *other, bool widen)
{
	uint32_t half, other_half;

	value->half_known = half_of(value, &half) && half_of(other, &other_half) && half == other_half;
	value->half = value->half_known ? half : 0;
	join_numbers(value, other, widen);
	join_offsets(value, other, widen);
	value->kinds |= other->kinds;
	value->frames |= other->frames;
	for (int i = 0; i < VALUE_MAPS / 64; i++)
		value->maps[i] |= other->maps[i];
}

bool value_is_constant(const struct value *value)
{
	return value->kinds == VALUE_NUMBER && value->least == value->most;
}

struct value value_low_half(const struct value *value)
{
	if (value->kinds & VALUE_UNJUDGED)
		return *value;
	if (value->kinds != VALUE_NUMBER)
		return unknown(false);
	if (value->least >> 32 == value->most >> 32)
		return value_number((uint32_t)value->least, (uint32_t)value->most);
	return value->half_known ? value_number(value->half, value->half) : unknown(false);
}

struct value value_compute(uint8_t operation, bool wide, const struct value *left, const struct value *right)
{
	struct value low_left, low_right, result;

	if ((left->kinds & VALUE_UNJUDGED && operation != BPF_MOV) || right->kinds & VALUE_UNJUDGED)
		return value_unjudged();
	if (wide && operation == BPF_MOV)
		return *right;
	if (right->kinds & VALUE_UNSET || (left->kinds & VALUE_UNSET && operation != BPF_MOV))
		return unknown(wide);
	if (!wide && ((left->kinds != VALUE_NUMBER && operation != BPF_MOV) || right->kinds != VALUE_NUMBER))
		return unknown(
			true); /* of pointers; the kernel knows nothing of that, not even the upper half */
	if (!wide) {
		low_left = value_low_half(left);
		low_right = value_low_half(right);
		return compute_numbers(operation, false, &low_left, &low_right);
	}
	if (left->kinds != VALUE_NUMBER) {
		if ((operation == BPF_ADD || operation == BPF_SUB) && right->kinds == VALUE_NUMBER)
			return move_pointer(operation, left, right);
		return unknown(true);
	}
	if (right->kinds != VALUE_NUMBER)
		return operation == BPF_ADD ? move_pointer(operation, right, left) : unknown(true);
	result = compute_numbers(operation, true, left, right);
	compute_half(operation, left, right, &result);
	return result;
}

bool value_compare(uint8_t operation, bool wide, bool taken, struct value *left, struct value *right)
{
	uint64_t largest = wide ? (uint64_t)INT64_MAX : INT32_MAX;

	if (!taken)
		operation = opposite(operation);
	if (left->kinds & VALUE_NUMBER && left->kinds & VALUE_POINTERS && wide && value_is_constant(right) &&
	    right->least == 0 && (operation == BPF_JEQ || operation == BPF_JNE)) {
		if (operation == BPF_JEQ)
			*left = value_number(0, 0);
		else
			left->kinds &= (uint16_t)~VALUE_NUMBER;
		return true;
	}
	if (left->kinds != VALUE_NUMBER || right->kinds != VALUE_NUMBER)
		return true;
	if (!wide && (left->most > UINT32_MAX || right->most > UINT32_MAX))
		return true;
	if (unsigned_of(operation) != operation)
		return compare_signed(operation, largest, left, right);
	return compare_unsigned(operation, left, right);
}
