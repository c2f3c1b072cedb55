// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/judge_memory.h"

#include <stddef.h>

#include "offload/lint/instruction.h"

/* One access: through `pointer`, `size` bytes, `offset` behind it. */
struct access {
	enum judge_access kind;
	const struct value *pointer;
	int32_t offset;
	uint32_t size;
};

static bool judge_context(struct judge *judge, const struct state *state, const struct access *access)
{
	int32_t at = access->pointer->low + access->offset;
	bool sure = access->pointer->low == access->pointer->high;

	if (access->kind == JUDGE_LOAD) {
		if (sure && (at == offsetof(struct xdp_md, data) || at == offsetof(struct xdp_md, data_end)))
			return true;
		findings_add(judge->findings, RULE_context_read, state->at, "byte %d of struct xdp_md", at);
		return false;
	}
	if (!sure || at != offsetof(struct xdp_md, rx_queue_index)) {
		findings_add(judge->findings, RULE_context_write, state->at, "byte %d of struct xdp_md", at);
		return false;
	}
	if (judge->profile->queue_select)
		return true;
	findings_add(judge->findings, RULE_firmware_queue, state->at, "profile %s", judge->profile->name);
	return false;
}

static bool judge_stack(struct judge *judge, const struct state *state, const struct access *access)
{
	const struct judge_seen *seen = &judge->seen[state->at];

	judge_use_stack(judge, state, access->pointer, access->offset);
	if (access->pointer->low != access->pointer->high) {
		findings_add(judge->findings, RULE_stack_variable, state->at, "bytes %d to %d from the top",
			     access->pointer->low + access->offset, access->pointer->high + access->offset);
		return false;
	}
	judge_see_stack(judge, state, access->pointer);
	if ((seen->alignments & (seen->alignments - 1)) == 0)
		return true;
	return judge_say(judge, state, RULE_stack_alignment);
}

static bool judge_packet(struct judge *judge, const struct state *state, const struct access *access)
{
	int64_t last = (int64_t)access->pointer->high + access->offset + access->size - 1;
	int64_t seen = (int64_t)judge->profile->inline_mtu - 32;

	if (last <= seen)
		return true;
	if (access->pointer->high >= VALUE_FAR)
		findings_add(judge->findings, RULE_packet_offset, state->at,
			     "no bound is known; it will not attach while the MTU is above %lld",
			     (long long)seen);
	else
		findings_add(judge->findings, RULE_packet_offset, state->at,
			     "byte %lld; it will not attach while the MTU is above %lld", (long long)last,
			     (long long)seen);
	return false;
}

/* Remembers the use of the words of one map; false: it ends behind the value. */
static bool use_words(struct judge *judge, uint32_t map, uint32_t at, const struct access *access,
		      int64_t first)
{
	int64_t end = first + access->size;

	if (first < 0 || end > judge->object->maps[map].is.value_size)
		return false;
	for (uint32_t word = (uint32_t)first / 4; word < JUDGE_WORDS && word * 4 < end; word++) {
		struct judge_word *use = &judge->words[map][word];
		uint32_t *by = access->kind == JUDGE_LOAD ? &use->read : &use->counted;

		if (!*by)
			*by = at + 1;
	}
	return true;
}

static bool judge_value(struct judge *judge, const struct state *state, const struct access *access)
{
	int64_t first = (int64_t)access->pointer->low + access->offset;

	if (access->kind == JUDGE_STORE) {
		return judge_say(judge, state, RULE_map_store);
	}
	if (access->pointer->low != access->pointer->high) {
		return judge_say(judge, state, RULE_map_variable_offset);
	}
	for (uint32_t map = 0; map < judge->object->map_count && map < VALUE_MAPS - 1; map++) {
		if (!(access->pointer->maps[map / 64] & 1ull << map % 64) ||
		    use_words(judge, map, state->at, access, first))
			continue;
		findings_add(judge->findings, RULE_map_bounds, state->at,
			     "map %s, value of %u bytes: %lld to %lld", judge->object->maps[map].name,
			     judge->object->maps[map].is.value_size, (long long)first,
			     (long long)first + access->size - 1);
		return false;
	}
	return true;
}

/* What an instruction points to, over all paths; false: to differing kinds. */
static bool judge_kinds(struct judge *judge, const struct state *state, uint16_t kinds)
{
	uint8_t *known = &judge->seen[state->at].kinds;

	*known |= (uint8_t)(kinds & VALUE_POINTERS);
	if ((*known & (*known - 1)) == 0)
		return true;
	findings_add(judge->findings, RULE_mixed_pointers, state->at, "%s%s%s%s",
		     *known & VALUE_CONTEXT ? "context " : "", *known & VALUE_STACK ? "stack " : "",
		     *known & VALUE_PACKET ? "packet " : "", *known & VALUE_MAP_VALUE ? "map value" : "");
	return false;
}

/* An access to one kind of memory at least. */
static bool judge_pointer(struct judge *judge, const struct state *state, const struct access *access)
{
	uint16_t kinds = access->pointer->kinds;

	if (kinds & VALUE_UNJUDGED)
		return true;
	if (!(kinds & VALUE_POINTERS)) {
		if (kinds & (VALUE_MAP | VALUE_PACKET_END))
			findings_add(judge->findings, RULE_pointer_kind, state->at, " ");
		else
			findings_add(judge->findings, RULE_malformed, state->at,
				     "a number is used as a pointer");
		return false;
	}
	if (!judge_kinds(judge, state, kinds))
		return false;
	switch (kinds & VALUE_POINTERS) {
	case VALUE_CONTEXT:
		return judge_context(judge, state, access);
	case VALUE_STACK:
		return judge_stack(judge, state, access);
	case VALUE_PACKET:
		return judge_packet(judge, state, access);
	default:
		return judge_value(judge, state, access);
	}
}

/* The function that a frame belongs to: the one that the next frame returns to. */
static uint32_t function_of_frame(const struct judge *judge, const struct state *state, uint32_t frame)
{
	uint32_t at = frame < state->depth ? state->frame[frame + 1].return_to : state->at;

	return (uint32_t)(object_function_of(judge->object, at) - judge->object->functions);
}

void judge_use_stack(struct judge *judge, const struct state *state, const struct value *pointer,
		     int32_t offset)
{
	int64_t lowest = (int64_t)pointer->low + offset;

	if (lowest >= 0)
		return;
	if (lowest < -STATE_STACK)
		lowest = -STATE_STACK;
	for (uint32_t frame = 0; frame <= state->depth; frame++) {
		uint32_t *stack = &judge->stack[function_of_frame(judge, state, frame)];

		if (pointer->frames & 1u << frame && *stack < (uint32_t)-lowest)
			*stack = (uint32_t)-lowest;
	}
}

bool judge_access(struct judge *judge, const struct state *state, enum judge_access access)
{
	const struct bpf_insn *instruction = &judge->object->instructions[state->at];
	uint8_t pointer = access == JUDGE_LOAD ? instruction->src_reg : instruction->dst_reg;
	struct access one = { access, &state->reg[pointer], instruction->off,
			      instruction_bytes(instruction) };

	return judge_pointer(judge, state, &one);
}

bool judge_atomic(struct judge *judge, const struct state *state)
{
	const struct bpf_insn *instruction = &judge->object->instructions[state->at];
	uint16_t pointer = state->reg[instruction->dst_reg].kinds,
		 number = state->reg[instruction->src_reg].kinds;

	if (instruction->imm != BPF_ADD) {
		return judge_say(judge, state, RULE_atomic_operation);
	}
	if (pointer & VALUE_UNJUDGED || number & VALUE_UNJUDGED)
		return true;
	if (!(pointer & VALUE_MAP_VALUE) || pointer & (VALUE_POINTERS & ~VALUE_MAP_VALUE) ||
	    number & ~(VALUE_NUMBER | VALUE_UNSET)) {
		return judge_say(judge, state, RULE_atomic_target);
	}
	return judge_access(judge, state, JUDGE_ATOMIC);
}
