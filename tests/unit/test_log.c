// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/log.h"

static FILE *file;
static char text[8192];

static void setup(void)
{
	file = tmpfile();
	cr_assert_not_null(file);
	cr_assert_geq(dup2(fileno(file), STDERR_FILENO), 0);
	unsetenv("JOURNAL_STREAM");
}

TestSuite(log, .init = setup);

static const char *logged(void)
{
	fflush(stderr);
	text[pread(fileno(file), text, sizeof(text) - 1, 0)] = 0;
	return text;
}

static int lines(const char *all)
{
	int count = 0;

	for (; *all; all++)
		count += *all == '\n';
	return count;
}

Test(log, levels_below_the_limit_are_silent)
{
	log_open(LOG_LEVEL_WARNING, LOG_FORMAT_TEXT);
	log_info("not me");
	log_debug("nor me");
	log_warning("port %s is %d", "r0", 5);
	cr_expect_not_null(strstr(logged(), " warning: port r0 is 5\n"));
	cr_expect_eq(lines(text), 1, "%s", text);
}

Test(log, one_event_is_one_line_whatever_it_holds)
{
	log_open(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("name a\nb\033[2J\xff");
	cr_expect_not_null(strstr(logged(), "name a?b?[2J?\n"));
	cr_expect_eq(lines(text), 1, "%s", text);
}

Test(log, json_lines_parse)
{
	json_error_t error;
	json_t *line;

	log_open(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_error("a \"quoted\" \\ thing \xff");
	line = json_loads(logged(), 0, &error);
	cr_assert_not_null(line, "%s: %s", error.text, text);
	cr_expect_str_eq(json_string_value(json_object_get(line, "message")), "a \"quoted\" \\ thing ?");
	cr_expect_str_eq(json_string_value(json_object_get(line, "level")), "error");
	json_decref(line);
}

Test(log, journal_prefixes_only_when_stderr_is_the_journal)
{
	char stream[64];
	struct stat status;

	fstat(STDERR_FILENO, &status);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_error("one");
	cr_expect_not_null(strstr(logged(), " error: one\n"));
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
	log_error("two");
	cr_expect_not_null(strstr(logged(), "\n<3>two\n"));
}

Test(log, a_flood_is_cut_and_counted)
{
	struct log_limit limit = { 0 };

	log_open(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	for (int i = 0; i < 1000; i++)
		log_limited(&limit, LOG_LEVEL_INFO, "flood %d", i);
	cr_expect_eq(lines(logged()), 10, "%s", text);
	limit.start -= 10000; /* as if the period were over */
	log_limited(&limit, LOG_LEVEL_INFO, "again");
	cr_expect_not_null(strstr(logged(), "(990 more lines like the next one were left out)"));
	cr_expect_not_null(strstr(text, "again"));
}

Test(log, the_last_errors_and_warnings_are_kept)
{
	struct log_entry entries[LOG_RECENT + 1];

	log_open(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	cr_expect_eq(log_recent(entries, LOG_RECENT), 0);
	log_info("not this");
	log_error("first");
	log_warning("second %d", 2);
	cr_assert_eq(log_recent(entries, LOG_RECENT), 2);
	cr_expect_str_eq(entries[0].text, "first");
	cr_expect_eq(entries[0].level, LOG_LEVEL_ERROR);
	cr_expect_str_eq(entries[1].text, "second 2");
	cr_expect_gt(entries[1].time, 1000000000);
	for (int i = 0; i < 100; i++)
		log_warning("number %d", i);
	cr_assert_eq(log_recent(entries, LOG_RECENT + 1), LOG_RECENT);
	cr_expect_str_eq(entries[LOG_RECENT - 1].text, "number 99");
	cr_expect_str_eq(entries[0].text, "number 84");
	cr_assert_eq(log_recent(entries, 2), 2, "the newest");
	cr_expect_str_eq(entries[0].text, "number 98");
}
