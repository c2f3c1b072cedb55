// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The cheapest and the dearest path to each way out, against walking every path of random programs. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "offload/lint/model.h"
#include "offload/lint/paths.h"

#define SEED     1
#define PROGRAMS 2000
#define LENGTH   48
#define HELPER   7 /* get_prandom_u32: what it returns nobody knows */

/* What walking all paths finds. */
struct walked {
	bool found[COSTS_WAYS_OUT];
	uint32_t least[COSTS_WAYS_OUT], most[COSTS_WAYS_OUT];
};

static struct bpf_insn program[LENGTH + 2];

static void put(int *at, uint8_t code, uint8_t dst, int16_t off, int32_t imm)
{
	program[(*at)++] = (struct bpf_insn){ .code = code, .dst_reg = dst, .off = off, .imm = imm };
}

/* Where a jump may lead: not behind the end, and not to where it would leave with any number, or jump for
 * sure. */
static int aim(int to, int end)
{
	while (to < end &&
	       (program[to].code == (BPF_JMP | BPF_EXIT) || program[to].code == (BPF_JMP | BPF_JEQ | BPF_K)))
		to++;
	return to < end ? to : end;
}

/* Jumps go forward, on what is not known, so that every path can be taken. */
static void write_program(void)
{
	int at = 0;

	put(&at, BPF_ALU64 | BPF_MOV | BPF_K, 6, 0, 0);
	while (at < LENGTH - 2)
		switch (rand() % 8) {
		case 0:
		case 1:
		case 2:
			put(&at, BPF_JMP | BPF_CALL, 0, 0, HELPER);
			put(&at, BPF_JMP | BPF_JEQ | BPF_K, 0, (int16_t)(rand() % 8), rand() % 100);
			break;
		case 3:
			put(&at, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, rand() % 5);
			put(&at, BPF_JMP | BPF_EXIT, 0, 0, 0);
			break;
		case 4:
			put(&at, BPF_ALU64 | BPF_MOV | BPF_K, 6, 0, rand() % 3);
			break;
		default:
			put(&at, BPF_ALU64 | BPF_ADD | BPF_K, 6, 0, 1);
		}
	for (int i = 0; i < at; i++)
		if (program[i].code == (BPF_JMP | BPF_JEQ | BPF_K))
			program[i].off = (int16_t)(aim(i + 1 + program[i].off, at) - i - 1);
	put(&at, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, XDP_PASS);
	put(&at, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

static void walk(struct walked *walked, int at, int result, uint32_t count)
{
	int way;

	for (; program[at].code != (BPF_JMP | BPF_EXIT); at++, count++) {
		if (program[at].code == (BPF_ALU64 | BPF_MOV | BPF_K) && program[at].dst_reg == 0)
			result = program[at].imm;
		if (program[at].code == (BPF_JMP | BPF_JEQ | BPF_K))
			walk(walked, at + 1 + program[at].off, 0, count + 1);
	}
	way = result > XDP_TX ? XDP_ABORTED : result;
	count++;
	if (!walked->found[way] || count < walked->least[way])
		walked->least[way] = count;
	if (!walked->found[way] || count > walked->most[way])
		walked->most[way] = count;
	walked->found[way] = true;
}

static uint64_t by_instructions(const struct cost *cost, const void *unused)
{
	return cost->instructions;
}

static void compare(int number)
{
	struct object_reference references[LENGTH + 2] = { { .to = OBJECT_NOTHING } };
	struct object_function function = {
		.name = "program", .section = "xdp", .count = LENGTH + 2, .program = true
	};
	struct object object = { .label = "program",
				 .instructions = program,
				 .references = references,
				 .functions = &function,
				 .instruction_count = LENGTH + 2,
				 .function_count = 1 };
	struct walked walked = { .found = { false } };
	struct paths_usage usage;
	struct findings findings;
	struct costs costs;
	struct judge judge;

	while (function.count && program[function.count - 1].code == 0)
		object.instruction_count = --function.count;
	walk(&walked, 0, 0, 0);
	costs_open(&costs);
	cr_assert_eq(findings_open(object.instruction_count, &findings), 0);
	cr_assert_eq(judge_open(&object, &profiles[0], &findings, &judge), 0);
	cr_assert_eq(paths_walk(&judge, &function, &costs, &usage), 0);
	for (uint32_t way = 0; way < COSTS_WAYS_OUT; way++) {
		struct costs_range range;

		cr_assert_eq(costs_range(&costs, way, by_instructions, NULL, 0, &range), 0);
		cr_assert_eq(range.found, walked.found[way], "seed %d, program %d, way %u", SEED, number,
			     way);
		cr_assert(!range.open);
		if (range.found)
			cr_assert(range.least.instructions == walked.least[way] &&
					  range.most.instructions == walked.most[way],
				  "seed %d, program %d, way %u: %u to %u, not %u to %u", SEED, number, way,
				  range.least.instructions, range.most.instructions, walked.least[way],
				  walked.most[way]);
	}
	free(usage.sizes);
	judge_close(&judge);
	findings_close(&findings);
	costs_close(&costs);
}

Test(lint_costs, as_walking_every_path)
{
	srand(SEED);
	for (int i = 0; i < PROGRAMS; i++) {
		for (int k = 0; k < LENGTH + 2; k++)
			program[k] = (struct bpf_insn){ .code = 0 };
		write_program();
		compare(i);
	}
}

/* The cheapest of all paths from a node that make `lookups` lookups at least; UINT32_MAX: there is none. */
static uint32_t cheapest(const struct costs *costs, uint32_t node, uint32_t way, uint32_t lookups)
{
	uint32_t least = node == way && !lookups ? 0 : UINT32_MAX;

	for (uint32_t i = 0; i < costs->edge_count; i++) {
		const struct costs_edge *edge = &costs->edges[i];
		uint32_t rest, left = lookups > edge->cost.lookups ? lookups - edge->cost.lookups : 0;

		if (edge->from != node)
			continue;
		rest = cheapest(costs, edge->to, way, left);
		if (rest != UINT32_MAX && rest + edge->cost.instructions < least)
			least = rest + edge->cost.instructions;
	}
	return least;
}

Test(lint_costs, with_lookups)
{
	enum { NODES = 8, GRAPHS = 300 };
	unsigned found = 0, missing = 0;

	srand(SEED + 1);
	for (int graph = 0; graph < GRAPHS; graph++) {
		struct costs costs;

		costs_open(&costs);
		for (int i = 0; i < NODES; i++)
			costs_node(&costs);
		for (uint32_t from = 0; from < NODES; from++)
			for (int i = 0; i < 3; i++) {
				struct cost cost = { .instructions = rand() % 50, .lookups = rand() % 3 };
				uint32_t step = 1 + rand() % 3;
				uint32_t to = from + step < NODES ? COSTS_WAYS_OUT + from + step
								  : (uint32_t)rand() % COSTS_WAYS_OUT;

				cr_assert_eq(costs_add(&costs, COSTS_WAYS_OUT + from, to, &cost), 0);
			}
		for (uint32_t way = 0; way < COSTS_WAYS_OUT; way++)
			for (uint32_t lookups = 0; lookups < 12; lookups++) {
				uint32_t least = cheapest(&costs, COSTS_WAYS_OUT, way, lookups);
				struct costs_range range;

				cr_assert_eq(costs_range(&costs, way, by_instructions, NULL, lookups, &range),
					     0);
				cr_assert_eq(range.typical_found, least != UINT32_MAX);
				cr_assert(!range.typical_found || (range.typical.instructions == least &&
								   range.typical.lookups >= lookups));
				found += range.typical_found;
				missing += !range.typical_found;
			}
		costs_close(&costs);
	}
	cr_assert(found > 1000 && missing > 1000, "%u and %u", found, missing);
}

Test(lint_costs, numbers_of_the_model)
{
	struct cost cost = { .instructions = 60, .card = 100, .lookups = 2, .values = 1 };
	uint64_t instructions;
	struct model model = model_default;
	struct why why = { "" };

	for (int i = 0; i < 3; i++)
		cr_assert_eq(
			model_set(&model, (const char *[]){ "threads=1", "clock=1000", "cores=1" }[i], &why),
			0);
	instructions = model_instructions(&model, &cost);
	cr_assert_geq(instructions, 100);
	cr_assert_eq(model_cycles(&cost, &model), instructions + 2 * model.lookup + model.value);
	cr_assert_float_eq(model_rate(&model, &cost), 1e9 / (double)model_cycles(&cost, &model), 1);
	model.length = 600;
	model_fit(&model, 300);
	cr_assert_eq(model_instructions(&model, &cost), 2 * instructions);
	for (int i = 0; i < 5; i++)
		cr_assert_lt(
			model_set(&model,
				  (const char *[]){ "clok=3", "clock", "clock=", "clock=-1", "clock=0" }[i],
				  &why),
			0);
}
