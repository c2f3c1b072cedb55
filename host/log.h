// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The daemon's log: one line per event on stderr, in one of three forms: "12:03:04.567 warning: text"; with
 * <N> prefixes when stderr leads to the journal; or one JSON object a line. Only mirror, manager and engines
 * log, once per event; libraries return errors, the datapath counts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { /* the numbers are syslog's */
		 LOG_LEVEL_ERROR = 3,
		 LOG_LEVEL_WARNING = 4,
		 LOG_LEVEL_INFO = 6,
		 LOG_LEVEL_DEBUG = 7,
};

enum log_format {
	LOG_FORMAT_AUTO, /* journal prefixes if stderr is the journal, else text */
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* Sets what is logged and how. Before the first call: text, up to info. */
void log_open(enum log_level most, enum log_format format);
bool log_enabled(enum log_level level);

const char *log_level_name(enum log_level level);

/* The last errors and warnings are kept, whatever is written. */
#define LOG_RECENT 16
struct log_entry {
	int64_t time; /* seconds of the epoch */
	enum log_level level;
	char text[240];
};
uint64_t log_count(enum log_level level); /* of errors or of warnings since the start */
/* The newest, oldest of them first; returns their number. */
unsigned int log_recent(struct log_entry *ret, unsigned int limit);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For events that others can cause at any rate: at most 10 lines in 10 s per limit; the next line after a
 * silence says how many were left out. `static struct log_limit limit;` at the call site. */
struct log_limit {
	uint64_t start; /* ms, of the period under way */
	uint32_t count; /* lines asked for in it */
};
void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
