// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/lint.h"

#include <errno.h>
#include <stdlib.h>

#include "offload/lint/judge.h"
#include "offload/lint/paths.h"

static void judge_usage(struct lint *lint, const struct profile *profile, const struct lint_program *program)
{
	const struct object_function *function = program->function;

	if (program->stack > profile->stack)
		findings_add(&lint->findings, RULE_stack_size, function->first,
			     "program %s: %u bytes, %u fit", function->name, program->stack, profile->stack);
	if (program->card > profile->program_length)
		findings_add(&lint->findings, RULE_program_length, function->first,
			     "program %s: about %u, there is room for %u", function->name, program->card,
			     profile->program_length);
}

static int judge_programs(struct lint *lint, struct judge *judge, bool costs)
{
	lint->programs = calloc(lint->object->function_count, sizeof(*lint->programs));
	if (!lint->programs)
		return -ENOMEM;
	for (uint32_t i = 0; i < lint->object->function_count; i++) {
		const struct object_function *function = &lint->object->functions[i];
		struct lint_program *program = &lint->programs[lint->program_count];
		struct paths_usage usage;
		int error;

		if (!function->program || !object_is_xdp(function))
			continue;
		program->function = function;
		costs_open(&program->costs);
		lint->program_count++;
		error = paths_walk(judge, function, costs ? &program->costs : NULL, &usage);
		if (error)
			return error;
		program->instructions = usage.instructions;
		program->card = usage.card;
		program->stack = usage.stack;
		program->sizes = usage.sizes;
		judge_usage(lint, judge->profile, program);
	}
	judge_end(judge);
	return 0;
}

static void free_programs(struct lint *lint)
{
	for (uint32_t i = 0; i < lint->program_count; i++) {
		costs_close(&lint->programs[i].costs);
		free(lint->programs[i].sizes);
	}
	free(lint->programs);
}

/* Takes the object, also on failure. */
static int lint_object(struct object *object, const struct profile *profile, bool costs, struct lint *ret,
		       struct why *why)
{
	struct lint lint = { .object = object };
	struct judge judge;

	if (findings_open(object->instruction_count, &lint.findings) < 0)
		goto free_object;
	if (judge_open(object, profile, &lint.findings, &judge) < 0)
		goto close_findings;
	resources_judge(object, profile, &lint.findings, &lint.resources);
	if (judge_programs(&lint, &judge, costs) < 0)
		goto close_judge;
	judge_close(&judge);
	findings_sort(&lint.findings);
	*ret = lint;
	return 0;
close_judge:
	free_programs(&lint);
	judge_close(&judge);
close_findings:
	findings_close(&lint.findings);
free_object:
	why_set(why, ENOMEM, "%s: out of memory", object->label);
	object_free(object);
	return -ENOMEM;
}

int lint_file(const char *path, const struct profile *profile, bool costs, struct lint *ret, struct why *why)
{
	struct object *object;
	int error = object_load(path, &object, why);

	return error ? error : lint_object(object, profile, costs, ret, why);
}

int lint_memory(const char *label, const uint8_t *bytes, size_t size, const struct profile *profile,
		bool costs, struct lint *ret, struct why *why)
{
	struct object *object;
	int error = object_parse(label, bytes, size, &object, why);

	return error ? error : lint_object(object, profile, costs, ret, why);
}

void lint_close(struct lint *lint)
{
	free_programs(lint);
	findings_close(&lint->findings);
	object_free(lint->object);
}
