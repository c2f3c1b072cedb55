// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock offload lint`: what is found, for people and for programs.
 */
#include "offload/lint/lint_command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"
#include "offload/lint/instruction.h"
#include "offload/lint/lint.h"

#define PATH_SIZE 1024

static const char *verdict_of(const struct finding *finding)
{
	return rule_verdict(finding->rule) == RULE_REFUSED ? "refused" : "wrong";
}

static bool has_instruction(const struct finding *finding)
{
	return finding->instruction != FINDING_OBJECT;
}

/* Takes out "folder/..", which build systems leave in names, and what leads to the current folder. */
static const char *shorten(char *path)
{
	char here[PATH_SIZE], *up;
	size_t length;

	while ((up = strstr(path, "/../"))) {
		char *folder = up;

		while (folder > path && folder[-1] != '/')
			folder--;
		if (folder == path || folder == up || strncmp(folder, "../", 3) == 0)
			break;
		memmove(folder, up + 4, strlen(up + 4) + 1);
	}
	length = getcwd(here, sizeof(here)) ? strlen(here) : 0;
	if (length && strncmp(path, here, length) == 0 && path[length] == '/')
		path += length + 1;
	return path;
}

/* The source's line, or without line information the object's instruction. */
static void print_place(const struct object *object, const struct finding *finding)
{
	struct lines_place place = { .file = "" };

	if (has_instruction(finding))
		place = object_place(object, finding->instruction);
	if (*place.file) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s", place.file);
		printf("%s:%u:%u: ", shorten(path), place.line, place.column);
	} else {
		printf("%s: ", object->label);
	}
}

static void print_instruction(const struct object *object, const struct finding *finding)
{
	const struct object_function *function = object_function_of(object, finding->instruction);
	struct lines_place place = object_place(object, finding->instruction);
	char text[64];

	instruction_write(&object->instructions[finding->instruction], text, sizeof(text));
	if (*place.text)
		printf("    %s\n", place.text);
	printf("    %s, instruction %u: %s\n", function->name, finding->instruction - function->first, text);
}

static void print_finding(const struct object *object, const struct finding *finding)
{
	print_place(object, finding);
	printf("%s [%s, %s]\n", rule_text(finding->rule), rule_name(finding->rule), verdict_of(finding));
	if (has_instruction(finding))
		print_instruction(object, finding);
	if (*finding->subject || *finding->detail)
		printf("    %s%s%s\n", finding->subject, *finding->subject && *finding->detail ? ": " : "",
		       finding->detail);
	printf("    do: %s\n", rule_remedy(finding->rule));
}

/* Of all programs, the largest. */
static void largest(const struct lint *lint, uint32_t *ret_card, uint32_t *ret_stack)
{
	*ret_card = *ret_stack = 0;
	for (uint32_t i = 0; i < lint->program_count; i++) {
		if (lint->programs[i].card > *ret_card)
			*ret_card = lint->programs[i].card;
		if (lint->programs[i].stack > *ret_stack)
			*ret_stack = lint->programs[i].stack;
	}
}

static void print_lint(const struct lint *lint, const struct profile *profile)
{
	uint32_t card, stack;

	largest(lint, &card, &stack);
	for (uint32_t i = 0; i < lint->findings.count; i++)
		print_finding(lint->object, &lint->findings.list[i]);
	if (lint->findings.left_out)
		printf("%s: %u more findings are not shown\n", lint->object->label, lint->findings.left_out);
	printf("%s: ", lint->object->label);
	if (lint->findings.count)
		printf("%u finding%s", lint->findings.count, lint->findings.count > 1 ? "s" : "");
	else
		printf("clean");
	printf("; profile %s: %u of %u maps, %llu of %u elements, %u of %u bytes of stack, about %u of %u "
	       "instructions\n",
	       profile->name, lint->resources.maps, profile->maps,
	       (unsigned long long)lint->resources.entries, profile->entries, stack, profile->stack, card,
	       profile->program_length);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static void set(json_t *document, const char *key, json_t *value)
{
	json_object_set_new(document, key, value ? value : json_null()); /* NULL: not UTF-8 */
}

static json_t *finding_document(const struct object *object, const struct finding *finding)
{
	json_t *document = json_object();
	struct lines_place place = { .file = "", .text = "" };
	char text[64] = "";

	if (has_instruction(finding)) {
		const struct object_function *function = object_function_of(object, finding->instruction);

		place = object_place(object, finding->instruction);
		instruction_write(&object->instructions[finding->instruction], text, sizeof(text));
		set(document, "function", json_string(function->name));
		set(document, "index", json_integer(finding->instruction - function->first));
		set(document, "instruction", json_string(text));
	}
	set(document, "rule", json_string(rule_name(finding->rule)));
	set(document, "verdict", json_string(verdict_of(finding)));
	set(document, "text", json_string(rule_text(finding->rule)));
	set(document, "subject", text_or_null(finding->subject));
	set(document, "detail", text_or_null(finding->detail));
	set(document, "do", json_string(rule_remedy(finding->rule)));
	set(document, "file", text_or_null(place.file));
	set(document, "line", *place.file ? json_integer(place.line) : json_null());
	set(document, "column", *place.file ? json_integer(place.column) : json_null());
	set(document, "source", text_or_null(place.text));
	return document;
}

static json_t *lint_document(const struct lint *lint, const struct profile *profile)
{
	json_t *findings = json_array(), *document = json_object();
	uint32_t card, stack;

	largest(lint, &card, &stack);

	for (uint32_t i = 0; i < lint->findings.count; i++)
		json_array_append_new(findings, finding_document(lint->object, &lint->findings.list[i]));
	set(document, "object", json_string(lint->object->label));
	set(document, "profile", json_string(profile->name));
	set(document, "findings", findings);
	set(document, "left_out", json_integer(lint->findings.left_out));
	set(document, "maps", json_integer(lint->resources.maps));
	set(document, "entries", json_integer((json_int_t)lint->resources.entries));
	set(document, "stack", json_integer(stack));
	set(document, "card", json_integer(card));
	return document;
}

/* One object; `list` is NULL for people. */
static int lint_one(const char *path, const struct profile *profile, json_t *list)
{
	struct why why = { "" };
	struct lint lint;
	int status;

	if (lint_file(path, profile, false, &lint, &why) < 0)
		return cli_usage("%s", why.text);
	status = lint.findings.count ? CLI_FAILED : CLI_DONE;
	if (list)
		json_array_append_new(list, lint_document(&lint, profile));
	else
		print_lint(&lint, profile);
	lint_close(&lint);
	return status;
}

int lint_command(int argc, char **argv)
{
	struct profile profile = profiles[0];
	int status = CLI_DONE, first;
	struct why why = { "" };
	json_t *list = NULL;
	struct cli cli;

	first = cli_parse(argc, argv, "jpF", &cli);
	if (first < 0)
		return -first;
	if (first == argc)
		return cli_usage("lint which object? give files that clang -target bpf wrote");
	if (cli.profile && profile_find(cli.profile, &profile, &why) < 0)
		return cli_usage("%s", why.text);
	if (cli.json)
		list = json_array();
	for (int i = first; i < argc; i++) {
		int one = lint_one(argv[i], &profile, list);

		status = one > status ? one : status;
	}
	if (list && cli_print_json(&cli, list) != CLI_DONE)
		return CLI_FAILED;
	return status;
}
