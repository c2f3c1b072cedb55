// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * From the end to the beginning, again until nothing changes: live before an instruction is what it reads,
 * and what is live behind it and not written by it.
 */
#include "offload/lint/liveness.h"

#include <stdbool.h>
#include <stdlib.h>

#include "offload/lint/instruction.h"

#define ALL       0x07ff07ff
#define ARGUMENTS 0x003e003e /* r1 to r5 */
#define RESULT    0x00010001 /* r0 */
#define FRAME     0x04000400 /* r10 */
#define ROUNDS    64         /* then everything lives */

struct effect {
	uint32_t reads, writes;
};

static uint32_t bits(uint8_t reg, bool upper)
{
	return (upper ? 0x10001u : 1u) << reg;
}

static struct effect alu_effect(const struct bpf_insn *instruction, bool wide)
{
	uint32_t dst = bits(instruction->dst_reg, wide), src = bits(instruction->src_reg, wide);
	uint8_t operation = BPF_OP(instruction->code);
	bool reg = instruction_has_register(instruction);

	if (operation == BPF_END) {
		src = 0;
		dst = bits(instruction->dst_reg, instruction->imm == 64);
	}
	return (struct effect){ (operation == BPF_MOV ? 0 : dst) | (reg ? src : 0),
				bits(instruction->dst_reg, true) };
}

static struct effect jump_effect(const struct bpf_insn *instruction, bool wide)
{
	if (instruction->code == INSTRUCTION_CALL)
		return (struct effect){ ARGUMENTS, ARGUMENTS | RESULT };
	if (instruction->code == INSTRUCTION_EXIT)
		return (struct effect){ RESULT, 0 };
	if (BPF_OP(instruction->code) == BPF_JA)
		return (struct effect){ 0, 0 };
	return (struct effect){ bits(instruction->dst_reg, wide) | (instruction_has_register(instruction)
									    ? bits(instruction->src_reg, wide)
									    : 0),
				0 };
}

static struct effect effect_of(const struct bpf_insn *instruction)
{
	uint32_t dst = bits(instruction->dst_reg, true), src = bits(instruction->src_reg, true);
	uint8_t class = BPF_CLASS(instruction->code);

	switch (class) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu_effect(instruction, class == BPF_ALU64);
	case BPF_JMP:
	case BPF_JMP32:
		return jump_effect(instruction, class == BPF_JMP);
	case BPF_LDX:
		return (struct effect){ src, dst };
	case BPF_ST:
		return (struct effect){ dst, 0 };
	case BPF_STX: /* an atomic operation may leave something in src or r0; it is read, too */
		if (BPF_MODE(instruction->code) != BPF_MEM)
			return (struct effect){ dst | src | RESULT, 0 };
		return (struct effect){
			dst | bits(instruction->src_reg, BPF_SIZE(instruction->code) == BPF_DW), 0
		};
	default:
		if (instruction->code == INSTRUCTION_LOAD_64)
			return (struct effect){ 0, dst };
		return (struct effect){ ALL, 0 };
	}
}

static uint32_t live_at(const struct object *object, const uint32_t *live, int64_t at)
{
	return at >= 0 && at < object->instruction_count ? live[at] : ALL;
}

static uint32_t live_behind(const struct object *object, const uint32_t *live, uint32_t at)
{
	const struct bpf_insn *instruction = &object->instructions[at];
	int32_t far;

	if (instruction->code == INSTRUCTION_EXIT)
		return 0;
	if (instruction_is_jump(instruction, &far))
		return live_at(object, live, (int64_t)at + 1 + far);
	if (instruction_is_conditional(instruction))
		return live_at(object, live, (int64_t)at + 1) |
		       live_at(object, live, (int64_t)at + 1 + instruction->off);
	return live_at(object, live, (int64_t)at + (instruction->code == INSTRUCTION_LOAD_64 ? 2 : 1));
}

static bool update(const struct object *object, uint32_t *live)
{
	bool changed = false;

	for (uint32_t at = object->instruction_count; at--;) {
		struct effect effect = effect_of(&object->instructions[at]);
		uint32_t behind = live_behind(object, live, at);
		uint32_t before = effect.reads | (behind & ~effect.writes) | FRAME;

		changed = changed || before != live[at];
		live[at] = before;
	}
	return changed;
}

uint32_t *liveness_new(const struct object *object)
{
	uint32_t *live = calloc(object->instruction_count + 1, sizeof(*live));
	int rounds = 0;

	if (!live)
		return NULL;
	live[object->instruction_count] = ALL;
	while (update(object, live))
		if (++rounds == ROUNDS) {
			for (uint32_t i = 0; i < object->instruction_count; i++)
				live[i] = ALL;
			break;
		}
	return live;
}

bool liveness_reads_upper(const uint32_t *live, uint32_t at, uint8_t reg)
{
	return live[at] >> 16 & 1u << reg;
}
