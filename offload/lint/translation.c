// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The card computes with 32 bits, so most of BPF's 64-bit operations are two instructions. A constant that
 * does not fit into an operand takes one or two more. What has written 32 bits clears the upper half only
 * where somebody reads it. The first 64 bytes of a stack frame are as good as registers; for others a pointer
 * has to be set, which takes five.
 */
#include "offload/lint/translation.h"

#include <stdlib.h>

#include "offload/lint/frames.h"
#include "offload/lint/instruction.h"
#include "offload/lint/liveness.h"

#define NEAR_STACK 64   /* bytes */
#define FAR_STACK  5    /* instructions to point elsewhere */
#define OPERAND    1023 /* the largest constant in an operand, */
#define SHORT      255  /* and in one of the shorter forms */

struct translation {
	const struct judge *judge;
	const struct object_function *program, *function;
	const uint32_t *live;
};

/* Instructions that load a constant. */
static uint32_t load_size(uint32_t constant)
{
	for (int i = 0; i < 2; i++, constant = ~constant)
		if (!(constant & 0xffff0000) || !(constant & 0xff0000ff) || !(constant & 0xffff))
			return 1;
	return 2;
}

static uint32_t operand_size(uint32_t constant, uint32_t most)
{
	return constant <= most ? 0 : load_size(constant);
}

/* One half of an operation with a constant. */
static uint32_t half_size(uint8_t operation, uint32_t constant)
{
	if (operation == BPF_AND && (!constant || !~constant))
		return !constant;
	if ((operation == BPF_OR || operation == BPF_XOR) && (!constant || !~constant))
		return !!constant;
	return operand_size(constant, OPERAND) + 1;
}

/* Clearing the upper half of what the instruction writes. */
static uint32_t clear_size(const struct translation *translation, uint32_t at)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];

	return liveness_reads_upper(translation->live, at + 1, instruction->dst_reg);
}

static uint32_t constant_size(const struct translation *translation, uint32_t at, bool wide)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];
	uint8_t operation = BPF_OP(instruction->code);
	int64_t constant = instruction->imm;

	if ((operation == BPF_ADD || operation == BPF_SUB) && constant < 0)
		constant = -constant; /* the other of the two is used */
	if (!wide)
		return half_size(operation, (uint32_t)constant) + clear_size(translation, at);
	return half_size(operation, (uint32_t)constant) + half_size(operation, (uint32_t)(constant >> 32));
}

static uint32_t shift_size(const struct translation *translation, uint32_t at, bool wide)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];
	const struct judge_seen *seen = &translation->judge->seen[at];
	bool reg = instruction_has_register(instruction);

	if (!wide)
		return (reg ? 2 : instruction->imm != 0) + clear_size(translation, at);
	if (!reg)
		return instruction->imm ? 2 : 0;
	return seen->right_most < 32 ? 5 : seen->right_least >= 32 ? 3 : 12;
}

static uint32_t multiply_size(const struct translation *translation, uint32_t at)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];
	const struct judge_seen *seen = &translation->judge->seen[at];
	bool small = seen->left_most <= UINT16_MAX && seen->right_most <= UINT16_MAX;
	uint32_t load =
		instruction_has_register(instruction) ? 0 : operand_size((uint32_t)instruction->imm, OPERAND);

	return load + (small ? 4 : 7);
}

static uint32_t move_size(const struct translation *translation, const struct bpf_insn *instruction,
			  bool wide)
{
	if (!instruction_has_register(instruction))
		return load_size((uint32_t)instruction->imm) +
		       (wide ? load_size((uint32_t)((int64_t)instruction->imm >> 32)) : 1);
	return 2;
}

static uint32_t alu_size(const struct translation *translation, uint32_t at)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];
	bool wide = BPF_CLASS(instruction->code) == BPF_ALU64;

	switch (BPF_OP(instruction->code)) {
	case BPF_MOV:
		return move_size(translation, instruction, wide);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		return shift_size(translation, at, wide);
	case BPF_MUL:
		return multiply_size(translation, at);
	case BPF_DIV:
		return instruction->imm > 0 && !(instruction->imm & (instruction->imm - 1)) ? 1 : 11;
	case BPF_END:
		return instruction->imm == 64 ? 5 : 3;
	case BPF_NEG:
		return wide ? 2 : 1 + clear_size(translation, at);
	default:
		if (!instruction_has_register(instruction))
			return constant_size(translation, at, wide);
		return wide ? 2 : 1 + clear_size(translation, at);
	}
}

static uint32_t equal_size(const struct bpf_insn *instruction, bool wide)
{
	uint32_t low = (uint32_t)instruction->imm, high = (uint32_t)((int64_t)instruction->imm >> 32);
	uint32_t size = 2;

	if (BPF_OP(instruction->code) == BPF_JNE) {
		size += operand_size(low, OPERAND);
		return low && wide ? size + 2 + operand_size(high, OPERAND) : size;
	}
	if (!wide)
		return size + operand_size(low, OPERAND);
	size += low ? operand_size(low, OPERAND) + 1 : 0;
	return size + (high ? operand_size(high, OPERAND) + 1 : 0);
}

static uint32_t compare_size(const struct bpf_insn *instruction)
{
	bool wide = BPF_CLASS(instruction->code) == BPF_JMP;
	uint8_t operation = BPF_OP(instruction->code);
	int64_t constant = instruction->imm;

	if (instruction_has_register(instruction)) {
		if (operation == BPF_JEQ || operation == BPF_JNE || operation == BPF_JSET)
			return wide ? 4 : 2;
		return wide ? 3 : 2;
	}
	if (operation == BPF_JEQ || operation == BPF_JNE)
		return equal_size(instruction, wide);
	if (operation == BPF_JSET)
		return 2 + operand_size((uint32_t)constant, OPERAND) + (wide && constant < 0);
	if (constant < 0 && operation != BPF_JGT && operation != BPF_JSGT && operation != BPF_JLE &&
	    operation != BPF_JSLE)
		constant = -constant;
	return 2 + operand_size((uint32_t)constant, OPERAND) +
	       (wide ? 1 + operand_size((uint32_t)(constant >> 32), OPERAND) : 0);
}

static uint32_t frame_of(const struct translation *translation)
{
	return frames_size(translation->judge, translation->function,
			   translation->function != translation->program);
}

static uint32_t stack_size(const struct translation *translation, uint32_t at, uint32_t bytes, bool load)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];
	const struct judge_seen *seen = &translation->judge->seen[at];
	int32_t offset = (int32_t)frame_of(translation) + instruction->off + seen->stack_low;
	uint32_t size = bytes == 8 ? 2 : 1;

	if (load && bytes < 8)
		size += clear_size(translation, at);
	if (seen->stack_varies || seen->other_frame)
		return size + FAR_STACK;
	return offset + (int32_t)bytes <= NEAR_STACK ? size : size + FAR_STACK;
}

static uint32_t memory_size(const struct translation *translation, uint32_t at, bool load)
{
	const struct bpf_insn *instruction = &translation->judge->object->instructions[at];
	const struct judge_seen *seen = &translation->judge->seen[at];
	uint32_t bytes = instruction_bytes(instruction), words = bytes == 8 ? 2 : 1;
	uint32_t clear = load && bytes < 8 ? clear_size(translation, at) : 0;

	switch (seen->kinds) {
	case VALUE_CONTEXT:
		return load ? 2 : 5;
	case VALUE_STACK:
		return stack_size(translation, at, bytes, load);
	case VALUE_MAP_VALUE:
		return 1 + words + clear +
		       (instruction->off ? 2 + operand_size((uint32_t)instruction->off, SHORT) : 0);
	default:
		return 1 + words + clear + operand_size((uint32_t)instruction->off, SHORT);
	}
}

static uint32_t atomic_size(const struct translation *translation, const struct bpf_insn *instruction,
			    const struct judge_seen *seen)
{
	bool wide = BPF_SIZE(instruction->code) == BPF_DW;
	uint32_t size = instruction->off ? 2 : 0;

	if (seen->right_most <= UINT16_MAX)
		return size + 3;
	return size + 2 + wide + (seen->right_least <= UINT16_MAX ? 8 : 0);
}

static uint32_t call_size(const struct translation *translation, uint32_t at, uint32_t called)
{
	const struct object *object = translation->judge->object;
	uint32_t there_and_back = frame_of(translation) ? 7 : 0;

	return 2 + object_keeps_registers(object, object_function_of(object, called)) + there_and_back;
}

static uint32_t helper_size(const struct translation *translation, uint32_t at)
{
	const struct judge_seen *seen = &translation->judge->seen[at];

	int32_t function = translation->judge->object->instructions[at].imm;

	switch (function) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_map_update_elem:
		if (!seen->stack_varies && (int32_t)frame_of(translation) + seen->stack_low == 0)
			return 3 + (function == BPF_FUNC_map_update_elem);
		return 8 + (function == BPF_FUNC_map_update_elem);
	case BPF_FUNC_xdp_adjust_head:
		return seen->right_least == seen->right_most ? 5 : 14;
	case BPF_FUNC_xdp_adjust_tail:
		return 11;
	default:
		return 3;
	}
}

static uint32_t jump_size(const struct translation *translation, uint32_t at)
{
	const struct object *object = translation->judge->object;
	const struct bpf_insn *instruction = &object->instructions[at];
	uint32_t called;

	if (object_calls(object, at, &called))
		return call_size(translation, at, called);
	if (instruction->code == INSTRUCTION_CALL)
		return helper_size(translation, at);
	if (instruction->code == INSTRUCTION_EXIT)
		return translation->function == translation->program ? 1 : 2;
	return instruction_is_conditional(instruction) ? compare_size(instruction) : 1;
}

static uint32_t size_of(const struct translation *translation, uint32_t at)
{
	const struct object *object = translation->judge->object;
	const struct bpf_insn *instruction = &object->instructions[at];

	switch (BPF_CLASS(instruction->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu_size(translation, at);
	case BPF_JMP:
	case BPF_JMP32:
		return jump_size(translation, at);
	case BPF_LDX:
		return memory_size(translation, at, true);
	case BPF_ST:
	case BPF_STX:
		if (instruction_is_atomic(instruction))
			return atomic_size(translation, instruction, &translation->judge->seen[at]);
		return memory_size(translation, at, false);
	default:
		if (instruction->code != INSTRUCTION_LOAD_64 || object->references[at].to == OBJECT_MAP)
			return 2;
		return load_size((uint32_t)instruction->imm) +
		       (at + 1 < object->instruction_count ? load_size((uint32_t)instruction[1].imm) : 1);
	}
}

uint16_t *translation_new(const struct judge *judge, const struct object_function *program,
			  const uint8_t *reached, uint8_t mask)
{
	const struct object *object = judge->object;
	struct translation translation = { .judge = judge, .program = program, .live = judge->live };
	uint16_t *sizes = calloc(object->instruction_count, sizeof(*sizes));

	if (!sizes)
		return NULL;
	for (uint32_t i = 0; i < object->function_count; i++) {
		translation.function = &object->functions[i];
		for (uint32_t at = translation.function->first;
		     at < translation.function->first + translation.function->count; at++)
			if (reached[at] & mask)
				sizes[at] = (uint16_t)size_of(&translation, at);
		/* what it begins with: the return address */
		if (reached[translation.function->first] & mask && translation.function != program)
			sizes[translation.function->first]++;
	}
	return sizes;
}
