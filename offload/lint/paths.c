// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/paths.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "offload/lint/frames.h"
#include "offload/lint/instruction.h"
#include "offload/lint/step.h"
#include "offload/lint/translation.h"

#define STEP_LIMIT   1000000 /* of one program: instructions looked at, frames compared */
#define ALL_STEPS    4000000 /* of all programs */
#define MEMORY_LIMIT (128u << 20)
#define KEEP         8   /* states where paths meet, */
#define KEEP_LOOP    256 /* and in loops, which are known round by round, until that takes too long; */
#define KEEP_ALIKE   8   /* so many that differ in bounds only */
#define WIDEN_LOOP   4   /* joins after which moving bounds are given up, */
#define WIDEN        64  /* and where no loop moves them for ever */
#define KEEPERS      18  /* instructions of the card's */

/* A state that some path had at a place. */
struct passed {
	struct passed *next;
	uint32_t joins, node;
	struct state state; /* only as large as its depth needs */
};

struct waiting {
	struct waiting *next;
	uint32_t node;
	struct cost since;
	struct state state;
};

enum { PLACE_MEETS = 1, PLACE_LOOPS = 2, PLACE_REACHED = 4, PLACE_INSIDE = 8 };

struct paths {
	struct judge *judge;
	const struct object *object;
	uint8_t *place;  /* of each instruction */
	uint16_t *sizes; /* of instructions on the card */
	struct passed **passed;
	struct waiting *waiting;
	struct state state, other;
	struct costs *costs; /* NULL: nobody asks */
	uint32_t node;       /* the last one passed, */
	struct cost since;   /* and what the path has cost since */
	uint32_t last_step;
	size_t memory;
};

static void *take(struct paths *paths, size_t head, const struct state *state)
{
	size_t size = head + state_size(state->depth);

	if (paths->memory + size > MEMORY_LIMIT)
		return NULL;
	paths->memory += size;
	return malloc(size);
}

/* Marks where more than one path can come to. `loops` counts how many loops begin and end at a place. */
static void mark(uint8_t *place, uint8_t *seen, int32_t *loops, uint32_t from, int64_t to, uint32_t count)
{
	if (to < 0 || to >= count)
		return;
	if (seen[to])
		place[to] |= PLACE_MEETS;
	seen[to] = 1;
	if (to > from)
		return;
	place[to] |= PLACE_MEETS | PLACE_LOOPS;
	loops[to]++;
	loops[from + 1]--;
}

/* What a function called in a loop does is done in the loop; and what it calls. */
static void mark_called(struct paths *paths)
{
	bool more = true;

	for (int depth = 0; more && depth < STATE_FRAMES; depth++) {
		more = false;
		for (uint32_t i = 0; i < paths->object->instruction_count; i++) {
			const struct object_function *function;
			uint32_t called;

			if (!(paths->place[i] & PLACE_INSIDE) || !object_calls(paths->object, i, &called) ||
			    paths->place[called] & PLACE_INSIDE)
				continue;
			function = object_function_of(paths->object, called);
			for (uint32_t at = function->first; at < function->first + function->count; at++)
				paths->place[at] |= PLACE_INSIDE;
			more = true;
		}
	}
}

static int mark_places(struct paths *paths)
{
	uint32_t count = paths->object->instruction_count;
	int32_t *loops = calloc(count + 1, sizeof(*loops));
	uint8_t *seen = calloc(count, 1);

	if (!seen || !loops) {
		free(loops);
		free(seen);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < paths->object->function_count; i++) {
		seen[paths->object->functions[i].first] = 1;
		paths->place[paths->object->functions[i].first] |= PLACE_MEETS;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct bpf_insn *instruction = &paths->object->instructions[i];
		uint32_t function;
		int32_t far;

		if (i + 1 < count && object_calls(paths->object, i, &function))
			paths->place[i + 1] |= PLACE_MEETS; /* each way out of the function comes here */
		if (instruction_is_jump(instruction, &far)) {
			mark(paths->place, seen, loops, i, (int64_t)i + 1 + far, count);
			continue;
		}
		if (instruction_is_conditional(instruction))
			mark(paths->place, seen, loops, i, (int64_t)i + 1 + instruction->off, count);
		if (instruction->code == INSTRUCTION_LOAD_64)
			i++;
		if (instruction->code != INSTRUCTION_EXIT)
			mark(paths->place, seen, loops, i, (int64_t)i + 1, count);
	}
	for (uint32_t i = 0; i < count; i++) {
		loops[i] += i ? loops[i - 1] : 0;
		paths->place[i] |= loops[i] > 0 ? PLACE_INSIDE : 0;
	}
	mark_called(paths);
	free(loops);
	free(seen);
	return 0;
}

/* The path comes to a node, or to a way out. */
static int enter(struct paths *paths, uint32_t node)
{
	uint32_t from = paths->node;
	struct cost since = paths->since;

	if (!paths->costs)
		return 0;
	paths->node = node;
	paths->since = (struct cost){ .instructions = 0 };
	return costs_add(paths->costs, from, node, &since);
}

/* The ways out that a program's end may be. */
static int enter_ways_out(struct paths *paths)
{
	struct value result = value_low_half(&paths->state.reg[0]);
	struct cost since = paths->since;
	uint32_t from = paths->node;
	int error = 0;

	for (uint32_t way = 0; way < COSTS_WAYS_OUT && !error; way++) {
		bool lost = way == XDP_ABORTED && result.most >= COSTS_WAYS_OUT;

		if (!lost && (way < result.least || way > result.most))
			continue;
		paths->node = from;
		paths->since = since;
		error = enter(paths, way);
	}
	return error;
}

/* Counts the instruction that comes next. */
static void spend(struct paths *paths)
{
	const struct bpf_insn *instruction = &paths->object->instructions[paths->state.at];
	uint16_t from = paths->state.reg[instruction->src_reg].kinds,
		 to = paths->state.reg[instruction->dst_reg].kinds;
	uint8_t class = BPF_CLASS(instruction->code);

	paths->since.instructions++;
	paths->since.card += paths->sizes[paths->state.at];
	if (instruction->code == INSTRUCTION_CALL && !instruction->src_reg)
		paths->since.lookups += instruction->imm >= BPF_FUNC_map_lookup_elem &&
					instruction->imm <= BPF_FUNC_map_delete_elem;
	else if (instruction_is_atomic(instruction))
		paths->since.counts++;
	else if (instruction_is_load(instruction) && from & VALUE_MAP_VALUE)
		paths->since.values++;
	else if ((class == BPF_LDX && from & VALUE_PACKET) || (class == BPF_STX && to & VALUE_PACKET))
		paths->since.packet++;
}

static int add_passed(struct paths *paths, const struct state *state)
{
	struct passed *passed = take(paths, offsetof(struct passed, state), state);

	if (!passed)
		return -ENOMEM;
	passed->joins = 0;
	passed->node = paths->costs ? costs_node(paths->costs) : 0;
	state_copy(&passed->state, state);
	passed->next = paths->passed[state->at];
	paths->passed[state->at] = passed;
	return enter(paths, passed->node);
}

/* Of what is known at a place, only what somebody asks for later is compared. */
static void drop_unread(struct paths *paths, struct state *state)
{
	for (int i = 0; i < STATE_REGISTERS; i++)
		if (!(paths->judge->live[state->at] & 1u << i))
			state->reg[i] = value_unset();
	if (paths->object->instructions[state->at].code == INSTRUCTION_EXIT && !state->depth)
		state_forget_stack(state);
}

/* Whether a path has to go on from here: 1, 0: no, all has been seen, negative: an error. Where enough is
 * kept, it goes on with the nearest of that. */
static int pass(struct paths *paths, struct state *state)
{
	bool loops = paths->place[state->at] & PLACE_LOOPS;
	bool tired = paths->judge->steps + STEP_LIMIT / 4 * 3 > paths->last_step ||
		     paths->memory > MEMORY_LIMIT / 4;
	bool exact = !tired && paths->place[state->at] & (PLACE_LOOPS | PLACE_INSIDE);
	uint32_t kept = 0, alike = 0, least = UINT32_MAX;
	struct passed *nearest = NULL;

	drop_unread(paths, state);
	for (struct passed *passed = paths->passed[state->at]; passed; passed = passed->next) {
		uint32_t distance;

		if (!state_comparable(&passed->state, state))
			continue;
		paths->judge->steps += state->depth + 1;
		distance = state_distance(&passed->state, state);
		if (!distance)
			return enter(paths, passed->node);
		if (distance < least) {
			least = distance;
			nearest = passed;
		}
		alike += distance < VALUE_OTHER;
		kept++;
	}
	if (kept < (exact ? KEEP_LOOP : KEEP) && alike < KEEP_ALIKE)
		return add_passed(paths, state) < 0 ? -E2BIG : 1;
	state_join(&nearest->state, state, nearest->joins++ >= (loops ? WIDEN_LOOP : WIDEN));
	state_copy(state, &nearest->state);
	return enter(paths, nearest->node) < 0 ? -E2BIG : 1;
}

static int add_waiting(struct paths *paths, const struct state *state)
{
	struct waiting *waiting = take(paths, offsetof(struct waiting, state), state);

	if (!waiting)
		return -ENOMEM;
	state_copy(&waiting->state, state);
	waiting->node = paths->node;
	waiting->since = paths->since;
	waiting->next = paths->waiting;
	paths->waiting = waiting;
	return 0;
}

static bool next_waiting(struct paths *paths)
{
	struct waiting *waiting = paths->waiting;

	if (!waiting)
		return false;
	state_copy(&paths->state, &waiting->state);
	paths->node = waiting->node;
	paths->since = waiting->since;
	paths->memory -= offsetof(struct waiting, state) + state_size(waiting->state.depth);
	paths->waiting = waiting->next;
	free(waiting);
	return true;
}

/* Whether a path stays within its function. */
static bool is_inside(struct paths *paths, const struct object_function *function, uint32_t from, uint32_t at)
{
	if (at >= function->first && at - function->first < function->count)
		return true;
	findings_add(paths->judge->findings, RULE_malformed, from, "it leaves function %s", function->name);
	return false;
}

static bool has_registers(struct paths *paths, const struct bpf_insn *instruction)
{
	if (instruction->dst_reg < STATE_REGISTERS && instruction->src_reg < STATE_REGISTERS)
		return true;
	findings_add(paths->judge->findings, RULE_malformed, paths->state.at,
		     "there are registers 0 to 10 only");
	return false;
}

/* One step of the path that paths->state is on. 1: it goes on, 0: it ends here. */
static int advance(struct paths *paths, const struct object_function **function)
{
	struct state *state = &paths->state;
	uint32_t from = state->at, depth = state->depth;
	bool sound = judge_instruction(paths->judge, state);

	if (paths->costs)
		spend(paths);
	if (paths->object->instructions[from].code == INSTRUCTION_EXIT && !depth)
		return enter_ways_out(paths) < 0 ? -E2BIG : 0;
	switch (step(paths->object, state, sound, &paths->other)) {
	case STEP_END:
		return 0;
	case STEP_BRANCH:
		if (is_inside(paths, *function, from, paths->other.at) &&
		    add_waiting(paths, &paths->other) < 0)
			return -E2BIG;
		break;
	case STEP_ON:
		break;
	}
	if (state->depth > depth)
		*function = object_function_of(paths->object, state->at);
	else if (state->depth < depth)
		*function = object_function_of(paths->object, state->at - 1); /* the call */
	return is_inside(paths, *function, from, state->at);
}

/* Follows one path to its end. */
static int walk(struct paths *paths)
{
	const struct object_function *function = object_function_of(paths->object, paths->state.at);
	int on = 1;

	while (on > 0) {
		uint32_t at = paths->state.at;

		if (paths->place[at] & PLACE_MEETS) {
			on = pass(paths, &paths->state);
			if (on <= 0)
				break;
		}
		if (++paths->judge->steps > paths->last_step)
			return -E2BIG;
		paths->place[at] |= PLACE_REACHED;
		on = has_registers(paths, &paths->object->instructions[at]) ? advance(paths, &function) : 0;
	}
	return on;
}

/* What the card has to hold: the program and its functions; those that keep registers share two for that. */
static int measure(const struct paths *paths, const struct object_function *program, struct paths_usage *ret)
{
	const struct findings *findings = paths->judge->findings;
	bool keeps = false;
	int64_t stack = 0;

	ret->instructions = 0;
	ret->card = TRANSLATION_AROUND;
	for (uint32_t i = 0; i < paths->object->instruction_count; i++) {
		uint32_t called;

		if (!(paths->place[i] & PLACE_REACHED))
			continue;
		ret->instructions++;
		ret->card += paths->sizes[i];
		keeps = keeps ||
			(object_calls(paths->object, i, &called) &&
			 object_keeps_registers(paths->object, object_function_of(paths->object, called)));
	}
	ret->card += keeps ? KEEPERS : 0;
	if (!findings_has(findings, RULE_call_depth) && !findings_has(findings, RULE_complexity))
		stack = frames_deepest(paths->judge, program, paths->place, PLACE_REACHED);
	ret->stack = stack < 0 ? 0 : (uint32_t)stack;
	return stack < 0 ? -ENOMEM : 0;
}

/* Forgets what has been passed and waits. */
static void forget(struct paths *paths)
{
	while (next_waiting(paths))
		;
	for (uint32_t i = 0; paths->passed && i < paths->object->instruction_count; i++) {
		for (struct passed *next, *passed = paths->passed[i]; passed; passed = next) {
			next = passed->next;
			free(passed);
		}
		paths->passed[i] = NULL;
	}
	paths->memory = 0;
}

static void release(struct paths *paths)
{
	forget(paths);
	free(paths->passed);
	free(paths->place);
	free(paths->sizes);
	free(paths);
}

/* All paths, from the program's first instruction. */
static int walk_all(struct paths *paths, const struct object_function *program)
{
	int error;

	paths->node = paths->costs ? costs_node(paths->costs) : 0;
	paths->since = (struct cost){ .instructions = 0 };
	paths->last_step =
		paths->judge->steps + STEP_LIMIT < ALL_STEPS ? paths->judge->steps + STEP_LIMIT : ALL_STEPS;
	state_begin(&paths->state, program->first);
	do
		error = walk(paths);
	while (!error && next_waiting(paths));
	if (error != -E2BIG)
		return error;
	findings_add(paths->judge->findings, RULE_complexity, program->first, "program %s", program->name);
	return 0;
}

static int open_paths(struct judge *judge, struct paths **ret)
{
	struct paths *paths = calloc(1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	paths->judge = judge;
	paths->object = judge->object;
	paths->place = calloc(judge->object->instruction_count, sizeof(*paths->place));
	paths->passed = calloc(judge->object->instruction_count, sizeof(struct passed *));
	if (!paths->place || !paths->passed || mark_places(paths) < 0) {
		release(paths);
		return -ENOMEM;
	}
	*ret = paths;
	return 0;
}

int paths_walk(struct judge *judge, const struct object_function *program, struct costs *costs,
	       struct paths_usage *ret)
{
	uint32_t before = judge->steps;
	struct paths *paths;
	int error = open_paths(judge, &paths);

	if (error)
		return error;
	judge_begin(judge);
	error = walk_all(paths, program);
	if (error)
		goto release;
	error = -ENOMEM;
	paths->sizes = translation_new(judge, program, paths->place, PLACE_REACHED);
	if (!paths->sizes)
		goto release;
	error = measure(paths, program, ret);
	if (costs && !error) { /* again, now that sizes are known */
		forget(paths);
		judge->steps = before;
		paths->costs = costs;
		error = walk_all(paths, program);
	}
	if (!error) {
		ret->sizes = paths->sizes;
		paths->sizes = NULL;
	}
release:
	release(paths);
	return error;
}
