// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The manners of the command: options in any place, words may be shortened, errors are one line on stderr,
 * exit status 0 done, 1 failed, 2 not understood.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "host/why.h"

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli { /* options */
	bool json, pretty;
	bool facts;
	int family; /* AF_INET or AF_INET6 if asked for, else 0 */
	const char *name;
	const char *config, *log_level, *log_format;
	const char *profile; /* of a NIC's firmware */
	const char *device;  /* an interface to try it on */
	bool attach;
	bool lines; /* of the source */
};

struct command {
	const char *name;
	const char *arguments; /* as help shows them */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the command's own word */
};

/* Takes the options out of argv, the words stay. `letters`: those that the command has, of "jp46c" and 'n'
 * (--name), 'l' (--log-level, --log-format), 'f' (--facts), 'F' (--profile), 'D' (--device, --attach), 'L'
 * (--lines). Returns the index of the first word, or -CLI_USAGE after complaining. */
int cli_parse(int argc, char **argv, const char *letters, struct cli *ret);
/* Whether `word` is `full` or its beginning. */
bool cli_matches(const char *word, const char *full);
/* The command a word means: exactly, else the first that begins with it. NULL: none. */
const struct command *cli_find(const struct command *commands, const char *word);

/* "penstock: text" on stderr; return the exit status. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Complains about what getopt_long() answered '?' or ':' to, and returns the exit status. known: its letters,
 * which begin with ':'. */
int cli_refuse_option(char **argv, int answer, const char *known, const char *help);

/* Prints a document for -j / -p, and gives it back to the heap. */
int cli_print_json(const struct cli *cli, json_t *document);
