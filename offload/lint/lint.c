// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/lint.h"

#include <errno.h>

#include "offload/lint/judge.h"
#include "offload/lint/paths.h"

#define OTHER_INSTRUCTIONS 24 /* that the driver puts around every program */

static void judge_usage(struct lint *lint, const struct profile *profile,
			const struct object_function *program, const struct paths_usage *usage)
{
	if (usage->stack > profile->stack)
		findings_add(&lint->findings, RULE_stack_size, program->first, "program %s: %u bytes, %u fit",
			     program->name, usage->stack, profile->stack);
	if (usage->instructions + OTHER_INSTRUCTIONS > profile->program_length)
		findings_add(&lint->findings, RULE_program_length, program->first,
			     "program %s: %u of BPF, room for %u of the card's", program->name,
			     usage->instructions, profile->program_length);
	if (usage->instructions > lint->instructions)
		lint->instructions = usage->instructions;
	if (usage->stack > lint->stack)
		lint->stack = usage->stack;
}

static int judge_programs(struct lint *lint, struct judge *judge)
{
	for (uint32_t i = 0; i < lint->object->function_count; i++) {
		const struct object_function *function = &lint->object->functions[i];
		struct paths_usage usage;
		int error;

		if (!function->program || !object_is_xdp(function))
			continue;
		error = paths_walk(judge, function, &usage);
		if (error)
			return error;
		judge_usage(lint, judge->profile, function, &usage);
	}
	judge_end(judge);
	return 0;
}

/* Takes the object, also on failure. */
static int lint_object(struct object *object, const struct profile *profile, struct lint *ret,
		       struct why *why)
{
	struct lint lint = { .object = object };
	struct judge judge;

	if (findings_open(object->instruction_count, &lint.findings) < 0)
		goto free_object;
	if (judge_open(object, profile, &lint.findings, &judge) < 0)
		goto close_findings;
	resources_judge(object, profile, &lint.findings, &lint.resources);
	if (judge_programs(&lint, &judge) < 0)
		goto close_judge;
	judge_close(&judge);
	findings_sort(&lint.findings);
	*ret = lint;
	return 0;
close_judge:
	judge_close(&judge);
close_findings:
	findings_close(&lint.findings);
free_object:
	why_set(why, ENOMEM, "%s: out of memory", object->label);
	object_free(object);
	return -ENOMEM;
}

int lint_file(const char *path, const struct profile *profile, struct lint *ret, struct why *why)
{
	struct object *object;
	int error = object_load(path, &object, why);

	return error ? error : lint_object(object, profile, ret, why);
}

int lint_memory(const char *label, const uint8_t *bytes, size_t size, const struct profile *profile,
		struct lint *ret, struct why *why)
{
	struct object *object;
	int error = object_parse(label, bytes, size, &object, why);

	return error ? error : lint_object(object, profile, ret, why);
}

void lint_close(struct lint *lint)
{
	findings_close(&lint->findings);
	object_free(lint->object);
}
