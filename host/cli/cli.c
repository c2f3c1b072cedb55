// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	OPTION_NAME = 256,
	OPTION_LOG_LEVEL,
	OPTION_LOG_FORMAT,
	OPTION_FACTS,
	OPTION_PROFILE,
	OPTION_DEVICE,
	OPTION_ATTACH,
	OPTION_LINES
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "config", required_argument, NULL, 'c' },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
	{ "log-format", required_argument, NULL, OPTION_LOG_FORMAT },
	{ "facts", no_argument, NULL, OPTION_FACTS },
	{ "profile", required_argument, NULL, OPTION_PROFILE },
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "attach", no_argument, NULL, OPTION_ATTACH },
	{ "lines", no_argument, NULL, OPTION_LINES },
	{ NULL, 0, NULL, 0 },
};

/* The letter under which a command allows an option. */
static char letter_of(int option)
{
	switch (option) {
	case OPTION_NAME:
		return 'n';
	case OPTION_LOG_LEVEL:
	case OPTION_LOG_FORMAT:
		return 'l';
	case OPTION_PROFILE:
		return 'F';
	case OPTION_DEVICE:
	case OPTION_ATTACH:
		return 'D';
	case OPTION_LINES:
		return 'L';
	case OPTION_FACTS:
		return 'f';
	default:
		return (char)option;
	}
}

static void set_option(struct cli *cli, int option, const char *value)
{
	switch (option) {
	case 'j':
		cli->json = true;
		break;
	case 'p':
		cli->json = cli->pretty = true;
		break;
	case '4':
		cli->family = AF_INET;
		break;
	case '6':
		cli->family = AF_INET6;
		break;
	case 'c':
		cli->config = value;
		break;
	case OPTION_NAME:
		cli->name = value;
		break;
	case OPTION_LOG_LEVEL:
		cli->log_level = value;
		break;
	case OPTION_LOG_FORMAT:
		cli->log_format = value;
		break;
	case OPTION_PROFILE:
		cli->profile = value;
		break;
	case OPTION_DEVICE:
		cli->device = value;
		break;
	case OPTION_ATTACH:
		cli->attach = true;
		break;
	case OPTION_LINES:
		cli->lines = true;
		break;
	case OPTION_FACTS:
		cli->facts = true;
		break;
	}
}

static void complain(const char *format, va_list arguments)
{
	fputs("penstock: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

/* The long name of an option; those without one have their letter. */
static void name_of(int option, char *ret, size_t size)
{
	for (const struct option *each = long_options; each->name; each++)
		if (each->val == option) {
			snprintf(ret, size, "--%s", each->name);
			return;
		}
	snprintf(ret, size, "-%c", option);
}

int cli_parse(int argc, char **argv, const char *letters, struct cli *ret)
{
	static const char known[] = ":jp46c:";
	char name[32];
	int option;

	memset(ret, 0, sizeof(*ret));
	optind = 0; /* start afresh, GNU: permute */
	opterr = 0;
	while ((option = getopt_long(argc, argv, known, long_options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return -cli_refuse_option(argv, option, known, "penstock help");
		if (!strchr(letters, letter_of(option))) {
			name_of(option, name, sizeof(name));
			return -cli_usage("'%s' has no option '%s'; try: penstock help", argv[0], name);
		}
		set_option(ret, option, optarg);
	}
	return optind;
}

bool cli_matches(const char *word, const char *full)
{
	return *word && strncmp(word, full, strlen(word)) == 0;
}

const struct command *cli_find(const struct command *commands, const char *word)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(word, command->name) == 0)
			return command;
	for (const struct command *command = commands; command->name; command++)
		if (cli_matches(word, command->name))
			return command;
	return NULL;
}

int cli_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
	return CLI_FAILED;
}

int cli_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(format, arguments);
	va_end(arguments);
	return CLI_USAGE;
}

int cli_refuse_option(char **argv, int answer, const char *known, const char *help)
{
	const char *word = argv[optind - 1]; /* a letter may stand in the next one */
	const char letter[] = { '-', (char)optopt, 0 };

	if (answer == ':')
		return cli_usage("option '%s' needs a value", strncmp(word, "--", 2) == 0 ? word : letter);
	if (!optopt)
		return cli_usage("option '%s' is not known; try: %s", word, help);
	if (optopt < 256 && !strchr(known, optopt))
		return cli_usage("option '%s' is not known; try: %s", letter, help);
	return cli_usage("option '%s' takes no value", word);
}

int cli_print_json(const struct cli *cli, json_t *document)
{
	int error = json_dumpf(document, stdout, cli->pretty ? JSON_INDENT(2) : JSON_COMPACT);

	json_decref(document);
	if (error || putchar('\n') == EOF || fflush(stdout) == EOF)
		return cli_fail("cannot write to stdout");
	return CLI_DONE;
}
