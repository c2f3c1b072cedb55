// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/judge_call.h"

#include "offload/lint/judge_memory.h"

/* bpf_clone_redirect, bpf_redirect_neigh, bpf_redirect_peer and the common two */
static bool is_redirect(int32_t function)
{
	return function == 13 || function == 23 || function == 51 || function == 152 || function == 155;
}

static bool has_firmware(struct judge *judge, const struct state *state, const char *name,
			 unsigned int capability)
{
	if (capability)
		return true;
	findings_add(judge->findings, RULE_firmware_helper, state->at, "%s, profile %s", name,
		     judge->profile->name);
	return false;
}

/* A key or a value, in register `reg`. */
static bool judge_stack_argument(struct judge *judge, const struct state *state, int reg)
{
	const struct value *pointer = &state->reg[reg];

	if (pointer->kinds & VALUE_UNJUDGED)
		return true;
	if ((pointer->kinds & ~VALUE_NUMBER) != VALUE_STACK) {
		findings_add(judge->findings, RULE_key_not_on_stack, state->at, "argument %d", reg);
		return false;
	}
	judge_use_stack(judge, state, pointer, 0);
	if (reg == 2)
		judge_see_stack(judge, state, pointer);
	if (pointer->low != pointer->high) {
		findings_add(judge->findings, RULE_key_variable, state->at,
			     "argument %d: bytes %d to %d from the top", reg, pointer->low, pointer->high);
		return false;
	}
	if (pointer->low & 3) {
		findings_add(judge->findings, RULE_key_alignment, state->at,
			     "argument %d: byte %d from the top", reg, pointer->low);
		return false;
	}
	return true;
}

/* Remembers which words of the value may be other than zero. */
static void use_update(struct judge *judge, const struct state *state)
{
	const struct value *map = &state->reg[1], *value = &state->reg[3];

	if (!(value->kinds & VALUE_STACK) || value->low != value->high)
		return;
	for (uint32_t i = 0; i < judge->object->map_count && i < VALUE_MAPS - 1; i++) {
		uint32_t size = judge->object->maps[i].is.value_size;

		if (!(map->maps[i / 64] & 1ull << i % 64))
			continue;
		for (uint32_t byte = 0; byte < size && byte < JUDGE_WORDS * 4; byte++)
			for (uint32_t frame = 0; frame <= state->depth; frame++)
				if (value->frames & 1u << frame &&
				    !state_is_zero(state, frame, value->low + (int32_t)byte) &&
				    !judge->words[i][byte / 4].updated)
					judge->words[i][byte / 4].updated = state->at + 1;
	}
}

static bool judge_map_call(struct judge *judge, const struct state *state, int32_t function)
{
	const struct profile *profile = judge->profile;

	if (function == BPF_FUNC_map_lookup_elem)
		return has_firmware(judge, state, "map_lookup_elem", profile->lookup) &&
		       judge_stack_argument(judge, state, 2);
	if (function == BPF_FUNC_map_delete_elem)
		return has_firmware(judge, state, "map_delete_elem", profile->delete) &&
		       judge_stack_argument(judge, state, 2);
	if (!has_firmware(judge, state, "map_update_elem", profile->update) ||
	    !judge_stack_argument(judge, state, 2) || !judge_stack_argument(judge, state, 3))
		return false;
	use_update(judge, state);
	return true;
}

static bool judge_event(struct judge *judge, const struct state *state)
{
	const uint16_t fine = VALUE_NUMBER | VALUE_STACK | VALUE_MAP_VALUE | VALUE_PACKET;
	struct value index = value_low_half(&state->reg[3]);
	const struct value *data = &state->reg[4];

	if (!has_firmware(judge, state, "perf_event_output", judge->profile->perf_event))
		return false;
	if (!(index.kinds & VALUE_UNJUDGED) && (!value_is_constant(&index) || index.least != UINT32_MAX)) {
		return judge_say(judge, state, RULE_event_cpu);
	}
	if (data->kinds & VALUE_UNJUDGED)
		return true;
	if (data->kinds & VALUE_STACK)
		judge_use_stack(judge, state, data, 0);
	if (data->kinds & (uint16_t)~fine ||
	    (data->kinds & VALUE_STACK && (data->low != data->high || data->low & 3))) {
		return judge_say(judge, state, RULE_event_data);
	}
	return true;
}

static bool judge_tail(struct judge *judge, const struct state *state)
{
	struct value bytes = value_low_half(&state->reg[2]);

	if (!has_firmware(judge, state, "xdp_adjust_tail", judge->profile->adjust_tail))
		return false;
	if (bytes.kinds != VALUE_NUMBER || bytes.least == 0 || bytes.most > INT32_MAX)
		return true;
	return judge_say(judge, state, RULE_grow_tail);
}

static bool judge_helper(struct judge *judge, const struct state *state, int32_t function)
{
	switch (function) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
		return judge_map_call(judge, state, function);
	case BPF_FUNC_xdp_adjust_head:
		return has_firmware(judge, state, "xdp_adjust_head",
				    judge->profile->head_most && judge->profile->adjust_head & 1);
	case BPF_FUNC_xdp_adjust_tail:
		return judge_tail(judge, state);
	case BPF_FUNC_get_prandom_u32:
		return has_firmware(judge, state, "get_prandom_u32", judge->profile->random);
	case BPF_FUNC_perf_event_output:
		return judge_event(judge, state);
	case BPF_FUNC_tail_call:
		return judge_say(judge, state, RULE_tail_call);
	default:
		findings_add(judge->findings, is_redirect(function) ? RULE_redirect : RULE_helper, state->at,
			     "helper function %d", function);
		return false;
	}
}

bool judge_call(struct judge *judge, const struct state *state)
{
	const struct bpf_insn *instruction = &judge->object->instructions[state->at];
	const struct object_reference *reference = &judge->object->references[state->at];

	if (reference->to == OBJECT_EXTERN || instruction->src_reg == BPF_PSEUDO_KFUNC_CALL) {
		findings_add(judge->findings, RULE_kernel_function, state->at, "%s",
			     reference->name ? reference->name : "");
		return false;
	}
	if (instruction->src_reg == BPF_PSEUDO_CALL) {
		uint32_t function;

		if (!object_calls(judge->object, state->at, &function) ||
		    object_function_of(judge->object, function)->first != function) {
			findings_add(judge->findings, RULE_malformed, state->at,
				     "it calls what is no function");
			return false;
		}
		if (state->depth < STATE_FRAMES - 1)
			return true;
		return judge_say(judge, state, RULE_call_depth);
	}
	if (instruction->src_reg) {
		return judge_say(judge, state, RULE_opcode);
	}
	return judge_helper(judge, state, instruction->imm);
}
