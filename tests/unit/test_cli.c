// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host/cli/cli.h"

#define WORDS 8

/* A command line of words with blanks between. */
static int parse(const char *line, const char *letters, struct cli *ret)
{
	static char text[128];
	static char *argv[WORDS + 1];
	int argc = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word && argc < WORDS; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return cli_parse(argc, argv, letters, ret);
}

Test(cli, options_in_any_place)
{
	struct cli cli;

	cr_assert_eq(parse("show routes -6 --name edge 10.0.0.0/8 -p", "jp46n", &cli), 5);
	cr_expect(cli.json && cli.pretty);
	cr_expect_eq(cli.family, AF_INET6);
	cr_expect_str_eq(cli.name, "edge");
	cr_assert_eq(parse("run -cFILE --log-level=debug eth0", "cnl", &cli), 3);
	cr_expect_str_eq(cli.config, "FILE");
	cr_expect_str_eq(cli.log_level, "debug");
	cr_expect(!cli.json && !cli.name);
}

/* The option itself is named, wherever getopt has got to. */
Test(cli, refusals_name_the_option, .init = cr_redirect_stderr)
{
	static const char *const lines[] = {
		"status -xj",        "status --json -xj", "status --bogus", "status --name",   "status -jc",
		"status --config f", "status -c f",       "status eth0 -4", "status --json=1",
	};
	struct cli cli;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_eq(parse(lines[i], "jpn", &cli), -CLI_USAGE, "%s", lines[i]);
	fflush(stderr);
	cr_assert_stderr_eq_str("penstock: option '-x' is not known; try: penstock help\n"
				"penstock: option '-x' is not known; try: penstock help\n"
				"penstock: option '--bogus' is not known; try: penstock help\n"
				"penstock: option '--name' needs a value\n"
				"penstock: option '-c' needs a value\n"
				"penstock: 'status' has no option '--config'; try: penstock help\n"
				"penstock: 'status' has no option '--config'; try: penstock help\n"
				"penstock: 'status' has no option '-4'; try: penstock help\n"
				"penstock: option '--json=1' takes no value\n");
}

Test(cli, words_may_be_shortened)
{
	static const struct command commands[] = { { "show", "", "", NULL },
						   { "status", "", "", NULL },
						   { "stat", "", "", NULL },
						   { NULL, NULL, NULL, NULL } };

	cr_expect_eq(cli_find(commands, "s"), &commands[0]);
	cr_expect_eq(cli_find(commands, "sta"), &commands[1]);
	cr_expect_eq(cli_find(commands, "stat"), &commands[2], "what is whole goes first");
	cr_expect_null(cli_find(commands, "statusx"));
	cr_expect_null(cli_find(commands, ""));
}
