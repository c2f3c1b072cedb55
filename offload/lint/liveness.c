// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * From the end to the beginning, again until nothing changes: live before an instruction is what it reads,
 * and what is live behind it and not written by it.
 */
#include "offload/lint/liveness.h"

#include <stdbool.h>
#include <stdlib.h>

#include "offload/lint/instruction.h"

#define ALL       0x7ff
#define ARGUMENTS 0x3e /* r1 to r5 */
#define ROUNDS    64   /* then everything lives */

struct effect {
	uint16_t reads, writes;
};

static struct effect effect_of(const struct bpf_insn *instruction)
{
	uint16_t dst = (uint16_t)(1u << instruction->dst_reg), src = (uint16_t)(1u << instruction->src_reg);
	uint8_t operation = BPF_OP(instruction->code);
	bool reg = instruction_has_register(instruction);

	switch (BPF_CLASS(instruction->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (operation == BPF_MOV)
			return (struct effect){ reg ? src : 0, dst };
		return (struct effect){ (uint16_t)(dst | (reg && operation != BPF_END ? src : 0)), dst };
	case BPF_LDX:
		return (struct effect){ src, dst };
	case BPF_ST:
		return (struct effect){ dst, 0 };
	case BPF_STX: /* an atomic operation may leave something in src or r0; it is read, too */
		return (struct effect){ (uint16_t)(dst | src | 1), 0 };
	case BPF_JMP:
	case BPF_JMP32:
		if (instruction->code == INSTRUCTION_CALL)
			return (struct effect){ ARGUMENTS, ARGUMENTS | 1 };
		if (instruction->code == INSTRUCTION_EXIT)
			return (struct effect){ 1, 0 };
		if (operation == BPF_JA)
			return (struct effect){ 0, 0 };
		return (struct effect){ (uint16_t)(dst | (reg ? src : 0)), 0 };
	default:
		if (instruction->code == INSTRUCTION_LOAD_64)
			return (struct effect){ 0, dst };
		return (struct effect){ ALL, 0 };
	}
}

static uint16_t live_at(const struct object *object, const uint16_t *live, int64_t at)
{
	return at >= 0 && at < object->instruction_count ? live[at] : ALL;
}

static uint16_t live_behind(const struct object *object, const uint16_t *live, uint32_t at)
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

static bool update(const struct object *object, uint16_t *live)
{
	bool changed = false;

	for (uint32_t at = object->instruction_count; at--;) {
		struct effect effect = effect_of(&object->instructions[at]);
		uint16_t behind = live_behind(object, live, at);
		uint16_t before = (uint16_t)(effect.reads | (behind & ~effect.writes) | 1u << 10);

		changed = changed || before != live[at];
		live[at] = before;
	}
	return changed;
}

uint16_t *liveness_new(const struct object *object)
{
	uint16_t *live = calloc(object->instruction_count, sizeof(*live));
	int rounds = 0;

	if (!live)
		return NULL;
	while (update(object, live))
		if (++rounds == ROUNDS) {
			for (uint32_t i = 0; i < object->instruction_count; i++)
				live[i] = ALL;
			break;
		}
	return live;
}
