// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/judge.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "offload/lint/instruction.h"
#include "offload/lint/judge_call.h"
#include "offload/lint/judge_memory.h"
#include "offload/lint/liveness.h"

static void see_operands(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	struct judge_seen *seen = &judge->seen[state->at];
	struct value left = state->reg[instruction->dst_reg], right = state->reg[instruction->src_reg];

	if (instruction_is_alu(instruction) && !instruction_has_register(instruction))
		right = value_number((uint32_t)instruction->imm, (uint32_t)instruction->imm);
	if (instruction->code == INSTRUCTION_CALL)
		right = state->reg[2]; /* of a helper function */
	if (left.kinds != VALUE_NUMBER)
		left.most = UINT64_MAX;
	if (right.kinds != VALUE_NUMBER)
		right = value_number(0, UINT64_MAX);
	if (left.most > seen->left_most)
		seen->left_most = left.most;
	if (right.least < seen->right_least)
		seen->right_least = right.least;
	if (right.most > seen->right_most)
		seen->right_most = right.most;
}

static bool judge_multiply(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	const struct value *left = &state->reg[instruction->dst_reg];
	const struct value *right = &state->reg[instruction->src_reg];
	bool wide = left->kinds == VALUE_NUMBER && left->most > UINT32_MAX;

	if (instruction_has_register(instruction))
		wide = wide || (right->kinds == VALUE_NUMBER && right->most > UINT32_MAX);
	else if (instruction->imm < 0 && BPF_CLASS(instruction->code) == BPF_ALU64)
		return judge_say(judge, state, RULE_negative_operand);
	return wide ? judge_say(judge, state, RULE_wide_multiply) : true;
}

static bool judge_divide(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	const struct value *left = &state->reg[instruction->dst_reg];
	const struct value *right = &state->reg[instruction->src_reg];

	if (instruction->off)
		return judge_say(judge, state, RULE_signed_division);
	if (!instruction_has_register(instruction) && instruction->imm < 0)
		return judge_say(judge, state, RULE_negative_operand);
	if (instruction_has_register(instruction) && right->kinds == VALUE_NUMBER &&
	    (!value_is_constant(right) || right->most > UINT32_MAX))
		return judge_say(judge, state, RULE_variable_divisor);
	if (left->kinds == VALUE_NUMBER && left->most > UINT32_MAX)
		return judge_say(judge, state, RULE_wide_dividend);
	return true;
}

static bool judge_alu(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	bool reg = instruction_has_register(instruction);

	switch (BPF_OP(instruction->code)) {
	case BPF_MUL:
		return judge_multiply(judge, state, instruction);
	case BPF_DIV:
		return judge_divide(judge, state, instruction);
	case BPF_MOD:
		return judge_say(judge, state, RULE_modulo);
	case BPF_MOV:
		if (instruction->off)
			return judge_say(judge, state,
					 reg && instruction->off >= 8 ? RULE_sign_extending_move
								      : RULE_opcode);
		return true;
	case BPF_NEG:
		return reg ? judge_say(judge, state, RULE_opcode) : true;
	case BPF_END:
		if (BPF_CLASS(instruction->code) == BPF_ALU64)
			return judge_say(judge, state, reg ? RULE_opcode : RULE_bswap);
		return reg ? true : judge_say(judge, state, RULE_little_endian);
	default:
		return BPF_OP(instruction->code) < BPF_END ? true : judge_say(judge, state, RULE_opcode);
	}
}

static bool judge_exit(struct judge *judge, const struct state *state)
{
	struct value value = value_low_half(&state->reg[0]);

	if (state->depth || value.kinds & VALUE_UNJUDGED || value.most <= XDP_TX)
		return true;
	if (value_is_constant(&value))
		findings_add(judge->findings, RULE_return_value, state->result_from, "it returns %u%s",
			     (uint32_t)value.least, value.least == XDP_TX + 1 ? ", which is REDIRECT" : "");
	else
		findings_add(judge->findings, RULE_return_value, state->result_from, "it may return %u to %u",
			     (uint32_t)value.least, (uint32_t)value.most);
	return false;
}

static bool judge_jump(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	int32_t far;

	if (instruction->code == INSTRUCTION_CALL)
		return judge_call(judge, state);
	if (instruction->code == INSTRUCTION_EXIT)
		return judge_exit(judge, state);
	if (instruction_is_jump(instruction, &far))
		return instruction->code == (BPF_JMP | BPF_JA) ? true
							       : judge_say(judge, state, RULE_long_jump);
	return instruction_is_conditional(instruction) ? true : judge_say(judge, state, RULE_opcode);
}

static bool judge_load_64(struct judge *judge, const struct state *state)
{
	switch (judge->object->references[state->at].to) {
	case OBJECT_FUNCTION:
		return judge_say(judge, state, RULE_callback);
	case OBJECT_EXTERN:
		findings_add(judge->findings, RULE_external, state->at, "%s",
			     judge->object->references[state->at].name);
		return false;
	default:
		return true;
	}
}

static bool judge_store(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	if (instruction_is_store(instruction))
		return judge_access(judge, state, JUDGE_STORE);
	if (instruction_is_atomic(instruction))
		return judge_atomic(judge, state);
	return judge_say(judge, state,
			 BPF_MODE(instruction->code) == BPF_ATOMIC ? RULE_atomic_operation : RULE_opcode);
}

static bool judge_load(struct judge *judge, const struct state *state, const struct bpf_insn *instruction)
{
	if (instruction_is_load(instruction))
		return judge_access(judge, state, JUDGE_LOAD);
	if (BPF_MODE(instruction->code) == INSTRUCTION_MEMSX && BPF_SIZE(instruction->code) != BPF_DW)
		return judge_say(judge, state, RULE_sign_extending_load);
	return judge_say(judge, state, RULE_opcode);
}

static void end_word(struct judge *judge, uint32_t map, uint32_t word)
{
	const struct judge_word *use = &judge->words[map][word];
	const char *name = judge->object->maps[map].name;

	if (use->counted && use->read)
		findings_add(judge->findings, RULE_word_conflict, use->counted - 1,
			     "map %s, bytes %u to %u: read in line %u", name, word * 4, word * 4 + 3,
			     object_place(judge->object, use->read - 1).line);
	if (use->counted && use->updated)
		findings_add(judge->findings, RULE_atomic_update, use->updated - 1,
			     "map %s, bytes %u to %u: counted in line %u", name, word * 4, word * 4 + 3,
			     object_place(judge->object, use->counted - 1).line);
}

int judge_open(const struct object *object, const struct profile *profile, struct findings *findings,
	       struct judge *ret)
{
	struct judge judge = { .object = object, .profile = profile, .findings = findings };

	judge.seen = calloc(object->instruction_count, sizeof(*judge.seen));
	judge.live = liveness_new(object);
	judge.stack = calloc(object->function_count, sizeof(*judge.stack));
	judge.words = calloc(object->map_count + 1, sizeof(*judge.words));
	if (!judge.seen || !judge.live || !judge.stack || !judge.words) {
		judge_close(&judge);
		return -ENOMEM;
	}
	*ret = judge;
	return 0;
}

void judge_close(struct judge *judge)
{
	free(judge->seen);
	free(judge->live);
	free(judge->stack);
	free(judge->words);
}

bool judge_say(struct judge *judge, const struct state *state, enum rule rule)
{
	findings_add(judge->findings, rule, state->at, "%s", "");
	return false;
}

void judge_begin(struct judge *judge)
{
	memset(judge->stack, 0, judge->object->function_count * sizeof(*judge->stack));
	for (uint32_t i = 0; i < judge->object->instruction_count; i++)
		judge->seen[i] = (struct judge_seen){ .right_least = UINT64_MAX };
}

void judge_see_stack(struct judge *judge, const struct state *state, const struct value *pointer)
{
	struct judge_seen *seen = &judge->seen[state->at];

	seen->stack_varies = seen->stack_varies || (seen->alignments && seen->stack_low != pointer->low);
	seen->other_frame = seen->other_frame || pointer->frames != 1u << state->depth;
	seen->stack_low = pointer->low;
	seen->alignments |= (uint8_t)(1u << (pointer->low & 3));
}

bool judge_instruction(struct judge *judge, const struct state *state)
{
	const struct bpf_insn *instruction = &judge->object->instructions[state->at];

	see_operands(judge, state, instruction);
	switch (BPF_CLASS(instruction->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return judge_alu(judge, state, instruction);
	case BPF_JMP:
	case BPF_JMP32:
		return judge_jump(judge, state, instruction);
	case BPF_LDX:
		return judge_load(judge, state, instruction);
	case BPF_STX:
		return judge_store(judge, state, instruction);
	case BPF_ST:
		return judge_say(judge, state,
				 BPF_MODE(instruction->code) == BPF_MEM ? RULE_store_immediate : RULE_opcode);
	default:
		if (instruction->code == INSTRUCTION_LOAD_64)
			return judge_load_64(judge, state);
		return judge_say(judge, state, RULE_opcode);
	}
}

void judge_end(struct judge *judge)
{
	for (uint32_t map = 0; map < judge->object->map_count; map++)
		for (uint32_t word = 0; word < JUDGE_WORDS; word++)
			end_word(judge, map, word);
}
