// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock offload`: which word means what.
 */
#include "offload/command.h"

#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"
#include "offload/check.h"
#include "offload/lint/lint_command.h"
#include "offload/lint/report_command.h"
#include "offload/profile.h"

static int profiles_command(int argc, char **argv);

static const struct command subcommands[] = {
	{ "check", "[--profile FILE|NAME[,...] | --device INTERFACE [--attach]] [-j] OBJECT...",
	  "what the driver of a card says to these BPF objects; no card is needed", check_command },
	{ "lint", "[--profile FILE|NAME] [-j] OBJECT...",
	  "what a card would not have in these BPF objects, and why", lint_command },
	{ "report", "[--profile FILE|NAME] [--lines] [-j] OBJECT [NAME=NUMBER...]",
	  "what a program would cost on a card, by a model", report_command },
	{ "profiles", "[-j]", "the limits of the firmwares that are known", profiles_command },
	{ NULL, NULL, NULL, NULL },
};

static json_t *profile_document(const struct profile *profile)
{
	json_t *document = json_pack("{s:s}", "profile", profile->name);

#define X(name, open, shipped, text) json_object_set_new(document, #name, json_integer(profile->name));
	NFP_LIMITS(X)
#undef X
	return document;
}

static int profiles_command(int argc, char **argv)
{
	json_t *list = json_array();
	struct cli cli;
	int first = cli_parse(argc, argv, "jp", &cli);

	for (int i = 0; i < PROFILE_COUNT; i++)
		json_array_append_new(list, profile_document(&profiles[i]));
	if (first >= 0 && cli.json)
		return cli_print_json(&cli, list);
	json_decref(list);
	if (first < 0)
		return -first;
	printf("%-15s %9s %9s\n", "", profiles[0].name, profiles[1].name);
#define X(name, open, shipped, text) printf("%-15s %9u %9u  %s\n", #name, open, shipped, text);
	NFP_LIMITS(X)
#undef X
	return CLI_DONE;
}

static void print_help(FILE *stream)
{
	fputs("usage: penstock offload COMMAND [...]\n\n", stream);
	for (const struct command *command = subcommands; command->name; command++)
		fprintf(stream, "  %-8s %s\n           %s\n", command->name, command->arguments,
			command->summary);
}

static bool asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int offload_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (asks_help(argv[1])) {
		print_help(stdout);
		return CLI_DONE;
	}
	command = cli_find(subcommands, argv[1]);
	if (!command)
		return cli_usage("there is no 'offload %s'; try: penstock offload --help", argv[1]);
	if (argc == 3 && asks_help(argv[2])) {
		printf("penstock offload %s %s\n    %s\n", command->name, command->arguments,
		       command->summary);
		return CLI_DONE;
	}
	return command->run(argc - 1, argv + 1);
}
