// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>
#include <linux/types.h>

// Reads a file or standard input piece by piece, plain or compressed with xz or gzip; which one, the first
// bytes tell, never the name. All input is hostile: every failure leaves one line that names file, place,
// cause and fix.

#define STREAM_ERROR_SIZE 320
// Longer lines are refused.
#define STREAM_LINE_MAX   4096

struct stream_error {
	char text[STREAM_ERROR_SIZE];
};

struct stream;

// Opens path, "-" for standard input. The error is told in error, which must live as long as the stream.
int stream_open(const char *path, struct stream_error *error, struct stream **ret_stream);

// Reads from bytes that the caller keeps until stream_close(); name stands for the file in errors.
int stream_open_memory(const char *name, const void *bytes, size_t count, struct stream_error *error,
		       struct stream **ret_stream);

// Closes the file and frees the stream; NULL is fine.
void stream_close(struct stream *stream);

// Points ret_bytes at the next bytes without consuming them; returns how many there are, at most count (which
// is at most STREAM_LINE_MAX), fewer only at the end.
int stream_peek(struct stream *stream, size_t count, const __u8 **ret_bytes);

// Sets ret_line to the next line without its line end; valid until the next call. Returns 1, or 0 at the end.
int stream_line(struct stream *stream, char **ret_line);

// Reads exactly count bytes; returns 1, or 0 when the input ended before the first one. -EBADMSG when it
// ended later.
int stream_bytes(struct stream *stream, void *bytes, size_t count);

// A record starts here: errors name this offset from now on, instead of a line.
void stream_mark(struct stream *stream);

// Writes "FILE: line N: ..." (or "FILE: offset N: ...") into the stream's error and returns code.
__attribute__((format(printf, 3, 4))) int stream_fail(struct stream *stream, int code, const char *format,
						      ...);
