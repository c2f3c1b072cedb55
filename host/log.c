// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "host/loop.h"

#define LINE_SIZE    1024
#define LIMIT_LINES  10
#define LIMIT_PERIOD 10000 /* ms */

enum form { FORM_TEXT, FORM_JOURNAL, FORM_JSON };

static struct {
	enum log_level most;
	enum form form;
} settings = { LOG_LEVEL_INFO, FORM_TEXT };

static struct {
	struct log_entry entry[LOG_RECENT];
	unsigned int count; /* of all there ever were */
	uint64_t errors, warnings;
} recent;

const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "?";
}

/* systemd says in JOURNAL_STREAM which file is the journal: "device:inode". */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

/* "12:03:04.567" in local time, or a full UTC time stamp for JSON. */
static void time_text(char *text, size_t size, bool full)
{
	char seconds[32];
	struct timespec now;
	struct tm fields;

	clock_gettime(CLOCK_REALTIME, &now);
	if (full) {
		gmtime_r(&now.tv_sec, &fields);
		strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &fields);
	} else {
		localtime_r(&now.tv_sec, &fields);
		strftime(seconds, sizeof(seconds), "%H:%M:%S", &fields);
	}
	snprintf(text, size, "%s.%03ld%s", seconds, now.tv_nsec / 1000000, full ? "Z" : "");
}

static void write_json(enum log_level level, const char *text)
{
	char stamp[64];
	json_t *line;
	char *dump = NULL;

	time_text(stamp, sizeof(stamp), true);
	line = json_pack("{s:s, s:s, s:s}", "time", stamp, "level", log_level_name(level), "message", text);
	if (line)
		dump = json_dumps(line, JSON_COMPACT);
	fprintf(stderr, "%s\n", dump ? dump : "{\"level\":\"error\",\"message\":\"unprintable log line\"}");
	free(dump);
	json_decref(line);
}

static void keep(enum log_level level, const char *text)
{
	struct log_entry *entry = &recent.entry[recent.count++ % LOG_RECENT];

	if (level == LOG_LEVEL_ERROR)
		recent.errors++;
	else
		recent.warnings++;
	*entry = (struct log_entry){ .time = time(NULL), .level = level };
	snprintf(entry->text, sizeof(entry->text), "%.*s", (int)sizeof(entry->text) - 1, text);
}

static void write_line(enum log_level level, const char *format, va_list arguments)
{
	char text[LINE_SIZE], stamp[64];

	vsnprintf(text, sizeof(text), format, arguments);
	for (char *c = text; *c; c++) /* one event, one line; interface names may hold anything */
		if (*c < ' ' || *c > '~')
			*c = '?';
	if (level <= LOG_LEVEL_WARNING)
		keep(level, text);
	switch (settings.form) {
	case FORM_JSON:
		write_json(level, text);
		break;
	case FORM_JOURNAL:
		fprintf(stderr, "<%d>%s\n", level, text);
		break;
	case FORM_TEXT:
		time_text(stamp, sizeof(stamp), false);
		fprintf(stderr, "%s %s: %s\n", stamp, log_level_name(level), text);
		break;
	}
}

static void write_note(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void write_note(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(level, format, arguments);
	va_end(arguments);
}

void log_open(enum log_level most, enum log_format format)
{
	settings.most = most;
	if (format == LOG_FORMAT_JSON)
		settings.form = FORM_JSON;
	else
		settings.form = format == LOG_FORMAT_AUTO && stderr_is_journal() ? FORM_JOURNAL : FORM_TEXT;
}

uint64_t log_count(enum log_level level)
{
	return level == LOG_LEVEL_ERROR ? recent.errors : recent.warnings;
}

unsigned int log_recent(struct log_entry *ret, unsigned int limit)
{
	unsigned int kept = recent.count < LOG_RECENT ? recent.count : LOG_RECENT;
	unsigned int count = kept < limit ? kept : limit;

	for (unsigned int i = 0; i < count; i++)
		ret[i] = recent.entry[(recent.count - count + i) % LOG_RECENT];
	return count;
}

bool log_enabled(enum log_level level)
{
	return level <= settings.most;
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_LEVEL_ERROR, format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	if (!log_enabled(LOG_LEVEL_WARNING))
		return;
	va_start(arguments, format);
	write_line(LOG_LEVEL_WARNING, format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	va_start(arguments, format);
	write_line(LOG_LEVEL_INFO, format, arguments);
	va_end(arguments);
}

void log_debug(const char *format, ...)
{
	va_list arguments;

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	va_start(arguments, format);
	write_line(LOG_LEVEL_DEBUG, format, arguments);
	va_end(arguments);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	uint64_t now = loop_now();
	va_list arguments;

	if (!log_enabled(level))
		return;
	if (now >= limit->start + LIMIT_PERIOD) {
		if (limit->count > LIMIT_LINES)
			write_note(level, "(%u more lines like the next one were left out)",
				   limit->count - LIMIT_LINES);
		*limit = (struct log_limit){ .start = now };
	}
	if (limit->count++ >= LIMIT_LINES)
		return;
	va_start(arguments, format);
	write_line(level, format, arguments);
	va_end(arguments);
}
