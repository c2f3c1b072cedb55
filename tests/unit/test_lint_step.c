// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What is said to be known of registers and stack holds: random programs are run with real numbers beside it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offload/lint/instruction.h"
#include "offload/lint/step.h"

#define SEED         1
#define PROGRAMS     8000
#define INSTRUCTIONS 40
#define NUMBERS      6 /* registers in use: r0 to r5 */

/* A machine, as plain as it gets. */
struct machine {
	uint64_t reg[NUMBERS];
	uint8_t stack[STATE_STACK];
};

static uint64_t random_state;

static uint64_t random_64(void)
{
	random_state += 0x9e3779b97f4a7c15;
	uint64_t x = random_state;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(random_64() % limit);
}

/* Small, at the edges of 32 and 64 bits, or anything. */
static uint64_t random_number(void)
{
	static const uint64_t edges[] = { 0,           0x7fffffff, 0x80000000,          0xffffffff,
					  0x100000000, INT64_MAX,  (uint64_t)INT64_MIN, UINT64_MAX };

	switch (below(4)) {
	case 0:
		return below(16);
	case 1:
		return edges[below(8)] + below(3) - 1;
	case 2:
		return random_64() >> below(64);
	default:
		return -(uint64_t)below(16);
	}
}

static struct bpf_insn random_instruction(void)
{
	static const uint8_t operations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR,   BPF_AND, BPF_LSH,
					      BPF_RSH, BPF_XOR, BPF_MOV, BPF_ARSH, BPF_DIV };
	static const uint8_t jumps[] = { BPF_JEQ, BPF_JGT, BPF_JGE,  BPF_JNE,  BPF_JSGT, BPF_JSGE,
					 BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE, BPF_JSET };
	static const uint8_t sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	struct bpf_insn instruction = { .dst_reg = (uint8_t)(below(NUMBERS) & 15),
					.src_reg = (uint8_t)(below(NUMBERS) & 15),
					.imm = (int32_t)random_number() };
	uint8_t source = below(2) ? BPF_X : BPF_K;

	switch (below(8)) {
	case 0:
	case 1:
		instruction.code = (uint8_t)((below(2) ? BPF_JMP : BPF_JMP32) | jumps[below(11)] | source);
		break;
	case 2:
		instruction.code = (uint8_t)(BPF_STX | BPF_MEM | sizes[below(4)]);
		instruction.dst_reg = 10;
		instruction.off = (int16_t)(-8 - (int)below(17));
		break;
	case 3:
		instruction.code = (uint8_t)(BPF_LDX | BPF_MEM | sizes[below(4)]);
		instruction.src_reg = 10;
		instruction.off = (int16_t)(-8 - (int)below(17));
		break;
	default:
		instruction.code =
			(uint8_t)((below(2) ? BPF_ALU64 : BPF_ALU) | operations[below(11)] | source);
		if (BPF_OP(instruction.code) >= BPF_LSH && BPF_OP(instruction.code) != BPF_XOR &&
		    BPF_OP(instruction.code) != BPF_MOV)
			instruction.imm &= BPF_CLASS(instruction.code) == BPF_ALU64 ? 63 : 31;
	}
	return instruction;
}

static uint64_t compute(uint8_t operation, bool wide, uint64_t left, uint64_t right)
{
	uint64_t mask = wide ? 63 : 31;

	switch (operation) {
	case BPF_ADD:
		return left + right;
	case BPF_SUB:
		return left - right;
	case BPF_MUL:
		return left * right;
	case BPF_OR:
		return left | right;
	case BPF_AND:
		return left & right;
	case BPF_XOR:
		return left ^ right;
	case BPF_LSH:
		return left << (right & mask);
	case BPF_RSH:
		return left >> (right & mask);
	case BPF_ARSH:
		return wide ? (uint64_t)((int64_t)left >> (right & mask))
			    : (uint64_t)((int32_t)left >> (right & mask));
	case BPF_DIV:
		return right ? left / right : 0;
	default:
		return right;
	}
}

static bool compare(uint8_t operation, uint64_t left, uint64_t right, int64_t signed_left,
		    int64_t signed_right)
{
	switch (operation) {
	case BPF_JEQ:
		return left == right;
	case BPF_JNE:
		return left != right;
	case BPF_JGT:
		return left > right;
	case BPF_JGE:
		return left >= right;
	case BPF_JLT:
		return left < right;
	case BPF_JLE:
		return left <= right;
	case BPF_JSGT:
		return signed_left > signed_right;
	case BPF_JSGE:
		return signed_left >= signed_right;
	case BPF_JSLT:
		return signed_left < signed_right;
	case BPF_JSLE:
		return signed_left <= signed_right;
	default:
		return left & right;
	}
}

/* Executes an instruction; returns whether it jumps. */
static bool run(struct machine *machine, const struct bpf_insn *instruction)
{
	uint8_t class = BPF_CLASS(instruction->code);
	uint64_t left = class == BPF_LDX || class == BPF_STX ? 0 : machine->reg[instruction->dst_reg];
	uint64_t right = (uint64_t)(int64_t)instruction->imm;
	uint8_t *at = machine->stack + STATE_STACK + instruction->off;
	bool wide = class == BPF_ALU64 || class == BPF_JMP;

	if (class == BPF_LDX) {
		machine->reg[instruction->dst_reg] = 0;
		memcpy(&machine->reg[instruction->dst_reg], at, instruction_bytes(instruction));
		return false;
	}
	if (class == BPF_STX) {
		memcpy(at, &machine->reg[instruction->src_reg], instruction_bytes(instruction));
		return false;
	}
	if (BPF_SRC(instruction->code) == BPF_X)
		right = machine->reg[instruction->src_reg];
	if (!wide) {
		left = (uint32_t)left;
		right = (uint32_t)right;
	}
	if (class == BPF_JMP || class == BPF_JMP32)
		return compare(BPF_OP(instruction->code), left, right, wide ? (int64_t)left : (int32_t)left,
			       wide ? (int64_t)right : (int32_t)right);
	left = compute(BPF_OP(instruction->code), wide, left, right);
	machine->reg[instruction->dst_reg] = wide ? left : (uint32_t)left;
	return false;
}

static bool holds(const struct value *value, uint64_t number)
{
	return value->kinds & VALUE_NUMBER && number >= value->least && number <= value->most &&
	       (!value->half_known || (uint32_t)number == value->half);
}

static void check(const struct machine *machine, const struct state *state,
		  const struct bpf_insn *instruction, int program)
{
	char text[64];

	instruction_write(instruction, text, sizeof(text));
	for (int i = 0; i < NUMBERS; i++)
		cr_assert(holds(&state->reg[i], machine->reg[i]),
			  "seed %d, program %d: after %s, r%d is %#llx, not %#llx to %#llx", SEED, program,
			  text, i, (unsigned long long)machine->reg[i],
			  (unsigned long long)state->reg[i].least, (unsigned long long)state->reg[i].most);
	for (int i = 0; i < STATE_STACK; i++)
		cr_assert(!state_is_zero(state, 0, i - STATE_STACK) || !machine->stack[i],
			  "seed %d, program %d: after %s, byte %d of the stack is not 0", SEED, program, text,
			  i - STATE_STACK);
}

/* Known to be about a number that is among them. */
static struct value known_about(uint64_t number)
{
	uint64_t other = random_number();

	if (below(3) == 0)
		return value_number(number, number);
	return number < other ? value_number(number, other) : value_number(other, number);
}

static void run_program(const struct object *object, int program)
{
	static struct state state, other;
	struct machine machine = { .stack = { 0 } };

	state_begin(&state, 0);
	for (int i = 0; i < NUMBERS; i++) {
		machine.reg[i] = random_number();
		state.reg[i] = known_about(machine.reg[i]);
	}
	while (state.at < INSTRUCTIONS) {
		uint32_t at = state.at;
		const struct bpf_insn *instruction = &object->instructions[at];
		bool jumps = run(&machine, instruction);
		enum step next = step(object, &state, true, &other);

		cr_assert_neq(next, STEP_END, "seed %d, program %d: no way on after instruction %u", SEED,
			      program, at);
		if (next == STEP_BRANCH && jumps)
			state_copy(&state, &other);
		cr_assert_eq(state.at, at + 1 + jumps, "seed %d, program %d: went the wrong way from %u",
			     SEED, program, at);
		check(&machine, &state, instruction, program);
	}
}

Test(lint_step, holds_for_numbers)
{
	struct bpf_insn instructions[INSTRUCTIONS + 2];
	struct object_reference references[INSTRUCTIONS + 2] = { { .to = OBJECT_NOTHING } };
	struct object object = { .instructions = instructions,
				 .references = references,
				 .instruction_count = INSTRUCTIONS + 2 };

	random_state = SEED;
	for (int program = 0; program < PROGRAMS; program++) {
		for (int i = 0; i < INSTRUCTIONS + 2; i++) {
			instructions[i] = random_instruction();
			if (BPF_CLASS(instructions[i].code) == BPF_JMP ||
			    BPF_CLASS(instructions[i].code) == BPF_JMP32)
				instructions[i].off = 1;
		}
		run_program(&object, program);
	}
}

/* A value that includes another includes every number of it; so does a join. */
Test(lint_step, joins_hold)
{
	random_state = SEED;
	for (int i = 0; i < 100000; i++) {
		uint64_t first = random_number(), second = random_number();
		struct value joined = known_about(first), other = known_about(second), before = joined;

		value_join(&joined, &other, below(2));
		cr_assert(holds(&joined, first) && holds(&joined, second), "seed %d, round %d", SEED, i);
		cr_assert(value_includes(&joined, &before) && value_includes(&joined, &other),
			  "seed %d, round %d", SEED, i);
	}
}

/* Pointers go through the stack unharmed, and not when a byte of them is overwritten. */
Test(lint_step, pointers_on_the_stack)
{
	static struct state state;
	struct value packet = value_pointer(VALUE_PACKET), zero = value_number(0, 0);

	state_begin(&state, 0);
	packet.low = packet.high = 14;
	state_store(&state, 1, -16, -16, 8, &packet);
	cr_assert_eq(state_load(&state, 1, -16, -16, 8).kinds, VALUE_PACKET);
	cr_assert_eq(state_load(&state, 1, -16, -16, 8).low, 14);
	cr_assert_eq(state_load(&state, 1, -16, -16, 4).kinds, VALUE_NUMBER);
	cr_assert_eq(state_load(&state, 1, -12, -12, 8).kinds, VALUE_NUMBER);
	state_store(&state, 1, -13, -13, 1, &zero);
	cr_assert_eq(state_load(&state, 1, -16, -16, 8).kinds, VALUE_NUMBER);
	cr_assert(state_is_zero(&state, 0, -13) && !state_is_zero(&state, 0, -14));
}
