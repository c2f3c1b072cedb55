// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The table of options of benches: what is given counts, then what is usual; what is out of range is refused.
#include "bench/option.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS 24

static struct values {
	unsigned int rounds, count, family_count;
	double seconds;
	bool quick, json;
	const char *file;
	__u8 families[OPTION_FAMILIES];
	char taken[64]; // all values that take() was given
} values;

static int take(void *into, const char *bench, const char *value)
{
	struct values *mine = into;
	size_t length = strlen(mine->taken);

	cr_assert_str_eq(bench, "test");
	snprintf(mine->taken + length, sizeof(mine->taken) - length, "%s;", value);
	return strcmp(value, "bad") == 0 ? option_refuse(bench, "--word", value, "good ones") : 0;
}

// Parses words with blanks between them; `arguments` may stand behind the options.
static int parse(const char *words, int arguments)
{
	static const struct option_line lines[] = {
		{ "rounds", "N", "how often", "7", .number = &values.rounds, .least = 1, .most = 100 },
		{ "seconds", "S", "how long", "0.5", .seconds = &values.seconds, .least = 0.01, .most = 2 },
		{ "family", "4|6|both", "what", "both", .families = values.families,
		  .family_count = &values.family_count },
		{ "word", "W", "one word\nof several lines", "usual", .take = take, .into = &values },
		{ 0 },
	};
	static const struct option_line more[] = {
		{ "count", "N", "nothing without it", .number = &values.count, .least = 0,
		  .most = 4294967295 },
		{ "quick", NULL, "a flag", .flag = &values.quick },
		{ "output", "FILE", "where to", .text = &values.file, .letter = 'o' },
		{ 0 },
	};
	const struct option_set set = { .bench = "test",
					.about = "Tests.\n",
					.json = &values.json,
					.lines = lines,
					.more = more,
					.arguments = arguments };
	static char copy[256], *argv[WORDS + 1];
	char *rest = copy;
	int argc = 0;

	memset(&values, 0, sizeof(values));
	snprintf(copy, sizeof(copy), "test%s%s", *words ? " " : "", words);
	while (argc < WORDS && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	return option_parse(&set, argc, argv);
}

Test(option, usual_values_where_none_is_given)
{
	cr_assert_eq(parse("", 0), 0);
	cr_assert_eq(values.rounds, 7);
	cr_assert_eq(values.seconds, 0.5);
	cr_assert(values.family_count == 2 && values.families[0] == AF_INET &&
		  values.families[1] == AF_INET6);
	cr_assert_str_eq(values.taken, "usual;");
	cr_assert(values.count == 0 && !values.quick && !values.json && !values.file);
}

Test(option, given_values_count)
{
	cr_assert_eq(parse("--rounds 100 --seconds=0.01 --family 6 --word a --word b --count 4294967295 "
			   "--quick -j "
			   "-o x --rounds 1",
			   0),
		     0);
	cr_assert_eq(values.rounds, 1, "the last one counts");
	cr_assert_eq(values.seconds, 0.01);
	cr_assert(values.family_count == 1 && values.families[0] == AF_INET6);
	cr_assert_str_eq(values.taken, "a;b;");
	cr_assert_eq(values.count, 4294967295);
	cr_assert(values.quick && values.json);
	cr_assert_str_eq(values.file, "x");
}

Test(option, arguments_behind_the_options)
{
	char told[128];

	cr_assert_eq(parse("--quick one two", 2), 0);
	cr_assert_eq(optind, 2);
	cr_redirect_stderr();
	cr_assert_eq(parse("--quick one two three", 2), -EINVAL);
	fflush(stderr);
	snprintf(told, sizeof(told), "%s: bench test: unknown argument three; see --help\n",
		 program_invocation_short_name);
	cr_assert_stderr_eq_str(told);
}

Test(option, bad_values_are_refused)
{
	static const char *const bad[] = {
		"--rounds 0",    "--rounds 101", "--rounds 1x",     "--rounds -1",
		"--rounds",      "--rounds=",    "--seconds 0.009", "--seconds 2.1",
		"--seconds nan", "--seconds=",   "--family mix",    "--family 5",
		"--word bad",    "--nonsense",   "surplus",         "--count 4294967296",
		"--quick=1",     "-x",           "--json=1",        "--count 99999999999999999999"
	};

	cr_redirect_stderr();
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(parse(bad[i], 0), -EINVAL, "%s", bad[i]);
}

Test(option, help_tells_ranges_and_usual_values)
{
	cr_redirect_stdout();
	cr_assert_eq(parse("--rounds 3 --help", 0), 1);
	fflush(stdout);
	cr_assert_stdout_eq_str("Usage: penstock bench test [OPTION]...\n"
				"Tests.\n"
				"\n"
				"  --rounds N         how often, 1 to 100 (7)\n"
				"  --seconds S        how long, 0.01 to 2 (0.5)\n"
				"  --family 4|6|both  what (both)\n"
				"  --word W           one word (usual)\n"
				"                     of several lines\n"
				"  --count N          nothing without it, 0 to 4294967295\n"
				"  --quick            a flag\n"
				"  --output FILE      where to\n"
				"  --json             results as JSON\n");
}
