// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/step.h"

#include <stddef.h>

#include "offload/lint/instruction.h"

static uint64_t most_of(uint32_t bytes)
{
	return bytes < 8 ? (1ull << bytes * 8) - 1 : UINT64_MAX;
}

/* The second operand. */
static struct value operand(const struct state *state, const struct bpf_insn *instruction)
{
	uint64_t constant = (uint64_t)(int64_t)instruction->imm;

	if (instruction_has_register(instruction))
		return state->reg[instruction->src_reg];
	return value_number(constant, constant);
}

static void step_alu(struct state *state, const struct bpf_insn *instruction, bool sound)
{
	struct value *to = &state->reg[instruction->dst_reg];
	bool wide = BPF_CLASS(instruction->code) == BPF_ALU64;
	struct value right = operand(state, instruction);

	if (!sound)
		*to = value_unjudged();
	else if (BPF_OP(instruction->code) == BPF_END || BPF_OP(instruction->code) == BPF_NEG)
		*to = value_number(0, UINT64_MAX); /* as much as the kernel knows */
	else
		*to = value_compute(BPF_OP(instruction->code), wide, to, &right);
}

static struct value load_context(const struct value *pointer, const struct bpf_insn *instruction)
{
	int32_t at = pointer->low + instruction->off;

	if (at == offsetof(struct xdp_md, data))
		return value_pointer(VALUE_PACKET);
	if (at == offsetof(struct xdp_md, data_end))
		return value_pointer(VALUE_PACKET_END);
	return value_unjudged();
}

static void step_load(struct state *state, const struct bpf_insn *instruction, bool sound)
{
	const struct value *pointer = &state->reg[instruction->src_reg];
	uint32_t bytes = instruction_bytes(instruction);
	struct value loaded = value_number(0, most_of(bytes));

	if (!sound || pointer->kinds & VALUE_UNJUDGED)
		loaded = value_unjudged();
	else if ((pointer->kinds & VALUE_POINTERS) == VALUE_STACK)
		loaded = state_load(state, pointer->frames, pointer->low + instruction->off,
				    pointer->high + instruction->off, bytes);
	else if ((pointer->kinds & VALUE_POINTERS) == VALUE_CONTEXT)
		loaded = load_context(pointer, instruction);
	state->reg[instruction->dst_reg] = loaded;
}

static void step_store(struct state *state, const struct bpf_insn *instruction)
{
	const struct value *pointer = &state->reg[instruction->dst_reg];
	uint64_t constant = (uint64_t)(int64_t)instruction->imm;
	struct value value = BPF_CLASS(instruction->code) == BPF_STX ? state->reg[instruction->src_reg]
								     : value_number(constant, constant);

	if (value.kinds & VALUE_UNSET)
		value = value_number(0, UINT64_MAX);
	if (pointer->kinds & VALUE_STACK)
		state_store(state, pointer->frames, pointer->low + instruction->off,
			    pointer->high + instruction->off, instruction_bytes(instruction), &value);
}

/* Other operations than addition are findings; what they leave behind is unjudged. */
static void step_atomic(struct state *state, const struct bpf_insn *instruction)
{
	if (instruction->imm == BPF_ADD)
		return;
	state->reg[instruction->src_reg] = value_unjudged();
	state->reg[0] = value_unjudged();
}

/* What a helper function returns. */
static struct value returned(const struct state *state, int32_t function)
{
	struct value value = value_number(0, UINT64_MAX);

	switch (function) {
	case BPF_FUNC_map_lookup_elem:
		value = state->reg[1];
		value.kinds = VALUE_MAP_VALUE | VALUE_NUMBER;
		value.least = value.most = 0;
		value.low = value.high = 0;
		break;
	case BPF_FUNC_get_prandom_u32:
		value.most = UINT32_MAX;
		break;
	}
	return value;
}

/*
 * For all that the kernel knows, a helper function writes the memory that it is given: of the 8 bytes where a
 * key begins nothing is known afterwards, if a register was stored there.
 */
static void forget_key(struct state *state)
{
	const struct value key = state->reg[2], something = value_number(0, UINT64_MAX);
	uint32_t size = key.low % 8 ? 4 : 8;

	if (key.kinds & VALUE_STACK && key.low == key.high)
		state_store(state, key.frames, key.low, key.high, size, &something);
}

static void step_helper(struct state *state, int32_t function, bool sound)
{
	if (function >= BPF_FUNC_map_lookup_elem && function <= BPF_FUNC_map_delete_elem)
		forget_key(state);
	state->reg[0] = sound ? returned(state, function) : value_unjudged();
	for (int i = 1; i < 6; i++)
		state->reg[i] = value_unset();
	if (function == BPF_FUNC_xdp_adjust_head || function == BPF_FUNC_xdp_adjust_tail)
		state_forget_packet(state);
	state->at++;
}

static enum step step_call(const struct object *object, struct state *state, bool sound)
{
	const struct bpf_insn *instruction = &object->instructions[state->at];
	uint32_t function;

	if (!object_calls(object, state->at, &function)) {
		step_helper(state, instruction->src_reg ? 0 : instruction->imm, sound);
		return STEP_ON;
	}
	if (!sound)
		return STEP_END;
	state_call(state, function, state->at + 1);
	return STEP_ON;
}

/* Narrows what is compared, in the state where the comparison came out as `taken`. */
static bool narrow(struct state *state, const struct bpf_insn *instruction, bool taken)
{
	bool wide = BPF_CLASS(instruction->code) == BPF_JMP;
	struct value *left = &state->reg[instruction->dst_reg];
	struct value right = operand(state, instruction);

	if (!wide && !instruction_has_register(instruction))
		right = value_low_half(&right);
	if (instruction_has_register(instruction) && instruction->src_reg == instruction->dst_reg)
		return true;
	if (!value_compare(BPF_OP(instruction->code), wide, taken, left, &right))
		return false;
	if (instruction_has_register(instruction))
		state->reg[instruction->src_reg] = right;
	return true;
}

static enum step step_conditional(struct state *state, const struct bpf_insn *instruction,
				  struct state *other)
{
	bool falls, jumps;

	state_copy(other, state);
	jumps = narrow(other, instruction, true);
	falls = narrow(state, instruction, false);
	other->at = (uint32_t)((int64_t)state->at + 1 + instruction->off);
	state->at++;
	if (falls && jumps)
		return STEP_BRANCH;
	if (jumps)
		state_copy(state, other);
	return falls || jumps ? STEP_ON : STEP_END;
}

static enum step step_jump(const struct object *object, struct state *state, bool sound, struct state *other)
{
	const struct bpf_insn *instruction = &object->instructions[state->at];
	int32_t far;

	if (instruction->code == INSTRUCTION_CALL)
		return step_call(object, state, sound);
	if (instruction->code == INSTRUCTION_EXIT) {
		if (!state->depth)
			return STEP_END;
		state_return(state);
		return STEP_ON;
	}
	if (instruction_is_jump(instruction, &far)) {
		state->at = (uint32_t)((int64_t)state->at + 1 + far);
		return STEP_ON;
	}
	return instruction_is_conditional(instruction) ? step_conditional(state, instruction, other)
						       : STEP_END;
}

static void step_load_64(const struct object *object, struct state *state)
{
	const struct bpf_insn *instruction = &object->instructions[state->at];
	const struct object_reference *reference = &object->references[state->at];
	uint64_t constant = (uint32_t)instruction->imm;
	struct value *to = &state->reg[instruction->dst_reg];

	if (reference->to == OBJECT_MAP)
		*to = value_map(VALUE_MAP, reference->index);
	else if (reference->to != OBJECT_NOTHING || instruction->src_reg)
		*to = value_unjudged();
	else {
		if (state->at + 1 < object->instruction_count)
			constant |= (uint64_t)(uint32_t)instruction[1].imm << 32;
		*to = value_number(constant, constant);
	}
	state->at += 2;
}

static bool writes_result(const struct bpf_insn *instruction)
{
	uint8_t class = BPF_CLASS(instruction->code);

	if (class == BPF_ALU || class == BPF_ALU64 || class == BPF_LD || class == BPF_LDX)
		return instruction->dst_reg == 0;
	return instruction->code == INSTRUCTION_CALL;
}

enum step step(const struct object *object, struct state *state, bool sound, struct state *other)
{
	const struct bpf_insn *instruction = &object->instructions[state->at];

	if (writes_result(instruction))
		state->result_from = state->at;
	switch (BPF_CLASS(instruction->code)) {
	case BPF_JMP:
	case BPF_JMP32:
		return step_jump(object, state, sound, other);
	case BPF_ALU:
	case BPF_ALU64:
		step_alu(state, instruction, sound);
		break;
	case BPF_LDX:
		step_load(state, instruction, sound);
		break;
	case BPF_ST:
	case BPF_STX:
		if (BPF_MODE(instruction->code) == BPF_ATOMIC)
			step_atomic(state, instruction);
		else
			step_store(state, instruction);
		break;
	default:
		if (instruction->code == INSTRUCTION_LOAD_64) {
			step_load_64(object, state);
			return STEP_ON;
		}
		state->reg[0] = value_unjudged(); /* loads of the socket filters of old */
	}
	state->at++;
	return STEP_ON;
}
