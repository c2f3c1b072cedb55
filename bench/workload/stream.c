// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

// Two buffers: packed holds bytes as they come from the file; plain holds decompressed bytes in [start, end),
// at least one whole line when there is one. Without compression only plain is used.
#define STREAM_PACKED_SIZE (64u << 10)
#define STREAM_PLAIN_SIZE  (128u << 10)
// xz -9 asks for 65 MB; a hostile header may not ask for more than this.
#define STREAM_XZ_MEMORY   (192u << 20)

enum stream_format { STREAM_PLAIN, STREAM_XZ, STREAM_GZIP };

struct stream {
	const char *name;
	struct stream_error *error;
	int fd; // -1: bytes in memory
	const __u8 *memory;
	size_t memory_left;
	enum stream_format format;
	lzma_stream xz;
	z_stream gzip;
	bool gzip_member_done; // at the end of a member: the file may end here, or another member may follow
	bool source_ended, ended;
	size_t start, end;
	__u64 offset;
	__u64 line;
	bool marked;
	__u64 mark;
	size_t packed_start, packed_end;
	__u8 packed[STREAM_PACKED_SIZE];
	__u8 plain[STREAM_PLAIN_SIZE + 1]; // one more for the 0 that ends a last line without line end
};

static ssize_t stream_source(struct stream *stream, __u8 *to, size_t room)
{
	ssize_t n;

	if (stream->fd < 0) {
		n = stream->memory_left < room ? stream->memory_left : room;
		if (n)
			memcpy(to, stream->memory, n);
		stream->memory += n;
		stream->memory_left -= n;
		return n;
	}
	do
		n = read(stream->fd, to, room);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		n = -errno;
		return stream_fail(stream, n, "reading failed: %s", strerror(-n));
	}
	return n;
}

static int stream_fill_packed(struct stream *stream)
{
	ssize_t n;

	if (stream->packed_start < stream->packed_end || stream->source_ended)
		return 0;
	n = stream_source(stream, stream->packed, sizeof(stream->packed));
	if (n < 0)
		return n;
	stream->packed_start = 0;
	stream->packed_end = n;
	stream->source_ended = !n;
	return 0;
}

static int stream_xz_cause(struct stream *stream, lzma_ret r)
{
	switch (r) {
	case LZMA_BUF_ERROR:
		return stream_fail(stream, -EBADMSG,
				   "the xz data ends early; the file is cut short, copy it again");
	case LZMA_MEMLIMIT_ERROR:
		return stream_fail(stream, -ENOMEM,
				   "unpacking it needs over %u MB; pack it again with xz -9 or less",
				   STREAM_XZ_MEMORY >> 20);
	case LZMA_MEM_ERROR:
		return stream_fail(stream, -ENOMEM, "no memory to unpack it");
	case LZMA_OPTIONS_ERROR:
		return stream_fail(stream, -EBADMSG,
				   "the xz data uses an unknown filter; pack it again with plain xz");
	default:
		return stream_fail(stream, -EBADMSG,
				   "the xz data is damaged; copy the file again (xz -t checks it)");
	}
}

static int stream_fill_xz(struct stream *stream)
{
	lzma_ret r;

	stream->xz.next_in = stream->packed + stream->packed_start;
	stream->xz.avail_in = stream->packed_end - stream->packed_start;
	stream->xz.next_out = stream->plain + stream->end;
	stream->xz.avail_out = STREAM_PLAIN_SIZE - stream->end;
	r = lzma_code(&stream->xz, stream->source_ended ? LZMA_FINISH : LZMA_RUN);
	stream->packed_start = stream->packed_end - stream->xz.avail_in;
	stream->end = STREAM_PLAIN_SIZE - stream->xz.avail_out;
	if (r == LZMA_STREAM_END)
		stream->ended = true;
	else if (r != LZMA_OK)
		return stream_xz_cause(stream, r);
	return 0;
}

// Several gzip members may follow each other (RFC 1952, 2.2): a new one starts where bytes follow the end of
// the last.
static int stream_gzip_next_member(struct stream *stream)
{
	if (stream->source_ended && stream->packed_start == stream->packed_end) {
		stream->ended = true;
		return 0;
	}
	stream->gzip_member_done = false;
	return inflateReset(&stream->gzip) == Z_OK ? 0
						   : stream_fail(stream, -ENOMEM, "no memory to unpack it");
}

static int stream_fill_gzip(struct stream *stream)
{
	int r;

	if (stream->gzip_member_done) {
		r = stream_gzip_next_member(stream);
		if (r < 0 || stream->ended)
			return r;
	}
	stream->gzip.next_in = stream->packed + stream->packed_start;
	stream->gzip.avail_in = stream->packed_end - stream->packed_start;
	stream->gzip.next_out = stream->plain + stream->end;
	stream->gzip.avail_out = STREAM_PLAIN_SIZE - stream->end;
	r = inflate(&stream->gzip, Z_NO_FLUSH);
	stream->packed_start = stream->packed_end - stream->gzip.avail_in;
	stream->end = STREAM_PLAIN_SIZE - stream->gzip.avail_out;
	if (r == Z_STREAM_END)
		stream->gzip_member_done = true;
	else if (r == Z_BUF_ERROR && stream->source_ended)
		return stream_fail(stream, -EBADMSG,
				   "the gzip data ends early; the file is cut short, copy it again");
	else if (r == Z_MEM_ERROR)
		return stream_fail(stream, -ENOMEM, "no memory to unpack it");
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return stream_fail(stream, -EBADMSG,
				   "the gzip data is damaged; copy the file again (gzip -t checks it)");
	return 0;
}

static int stream_fill_plain(struct stream *stream)
{
	size_t n = stream->packed_end - stream->packed_start, room = STREAM_PLAIN_SIZE - stream->end;

	if (n > room)
		n = room;
	memcpy(stream->plain + stream->end, stream->packed + stream->packed_start, n);
	stream->packed_start += n;
	stream->end += n;
	stream->ended = stream->source_ended && stream->packed_start == stream->packed_end;
	return 0;
}

// Makes at least count bytes available in plain, fewer only at the end of the input.
static int stream_fill(struct stream *stream, size_t count)
{
	int r = 0;

	if (stream->end - stream->start >= count)
		return 0;
	memmove(stream->plain, stream->plain + stream->start, stream->end - stream->start);
	stream->end -= stream->start;
	stream->start = 0;
	while (r >= 0 && stream->end < count && !stream->ended) {
		r = stream_fill_packed(stream);
		if (r < 0)
			return r;
		if (stream->format == STREAM_XZ)
			r = stream_fill_xz(stream);
		else if (stream->format == STREAM_GZIP)
			r = stream_fill_gzip(stream);
		else
			r = stream_fill_plain(stream);
	}
	return r;
}

static void stream_consume(struct stream *stream, size_t count)
{
	stream->start += count;
	stream->offset += count;
}

// Reads until the first 6 bytes, which tell the format, are there (a pipe may hand them out one by one).
static int stream_detect(struct stream *stream)
{
	static const __u8 xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0 }, gzip[] = { 0x1f, 0x8b };

	while (stream->packed_end < sizeof(xz) && !stream->source_ended) {
		ssize_t n = stream_source(stream, stream->packed + stream->packed_end,
					  sizeof(stream->packed) - stream->packed_end);

		if (n < 0)
			return n;
		stream->packed_end += n;
		stream->source_ended = !n;
	}
	if (!stream->packed_end)
		return stream_fail(stream, -ENODATA, "is empty; a table has one route per line");
	if (stream->packed_end >= sizeof(xz) && !memcmp(stream->packed, xz, sizeof(xz))) {
		stream->format = STREAM_XZ;
		if (lzma_stream_decoder(&stream->xz, STREAM_XZ_MEMORY, LZMA_CONCATENATED) != LZMA_OK)
			return stream_fail(stream, -ENOMEM, "no memory to unpack it");
	} else if (stream->packed_end >= sizeof(gzip) && !memcmp(stream->packed, gzip, sizeof(gzip))) {
		if (inflateInit2(&stream->gzip, 15 + 16) != Z_OK)
			return stream_fail(stream, -ENOMEM, "no memory to unpack it");
		stream->format = STREAM_GZIP;
	} else if (stream->packed_end >= 4 && !memcmp(stream->packed, "BZh", 3)) {
		return stream_fail(stream, -EPROTONOSUPPORT,
				   "is packed with bzip2; unpack it with bunzip2 first");
	}
	return 0;
}

static int stream_start(struct stream *stream, struct stream **ret_stream)
{
	int r = stream_detect(stream);

	if (r < 0)
		stream_close(stream);
	else
		*ret_stream = stream;
	return r;
}

static struct stream *stream_new(const char *name, struct stream_error *error)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream) {
		snprintf(error->text, sizeof(error->text), "%s: no memory to read it", name);
		return NULL;
	}
	stream->name = name;
	stream->error = error;
	stream->fd = -1;
	return stream;
}

int stream_open(const char *path, struct stream_error *error, struct stream **ret_stream)
{
	bool standard_input = !strcmp(path, "-");
	struct stream *stream = stream_new(standard_input ? "standard input" : path, error);
	int r;

	if (!stream)
		return -ENOMEM;
	stream->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (stream->fd < 0) {
		r = stream_fail(stream, -errno, "cannot be opened: %m");
		stream_close(stream);
		return r;
	}
	return stream_start(stream, ret_stream);
}

int stream_open_memory(const char *name, const void *bytes, size_t count, struct stream_error *error,
		       struct stream **ret_stream)
{
	struct stream *stream = stream_new(name, error);

	if (!stream)
		return -ENOMEM;
	stream->memory = bytes;
	stream->memory_left = count;
	return stream_start(stream, ret_stream);
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->format == STREAM_XZ)
		lzma_end(&stream->xz);
	if (stream->format == STREAM_GZIP)
		inflateEnd(&stream->gzip);
	if (stream->fd > STDIN_FILENO)
		close(stream->fd);
	free(stream);
}

int stream_peek(struct stream *stream, size_t count, const __u8 **ret_bytes)
{
	int r = stream_fill(stream, count);
	size_t n = stream->end - stream->start;

	if (r < 0)
		return r;
	*ret_bytes = stream->plain + stream->start;
	return n < count ? n : count;
}

int stream_line(struct stream *stream, char **ret_line)
{
	char *line, *end;
	size_t n;
	int r;

	r = stream_fill(stream, STREAM_LINE_MAX + 1);
	if (r < 0)
		return r;
	n = stream->end - stream->start;
	if (!n)
		return 0;
	stream->line++;
	line = (char *)stream->plain + stream->start;
	end = memchr(line, '\n', n);
	if (end)
		n = end - line;
	if (n > STREAM_LINE_MAX)
		return stream_fail(stream, -EBADMSG, "is longer than %u bytes; is this a table?",
				   STREAM_LINE_MAX);
	if (memchr(line, 0, n))
		return stream_fail(stream, -EBADMSG, "holds a 0 byte; is this a text table?");
	stream_consume(stream, n + !!end);
	line[n] = 0;
	if (n && line[n - 1] == '\r')
		line[n - 1] = 0;
	*ret_line = line;
	return 1;
}

int stream_bytes(struct stream *stream, void *bytes, size_t count)
{
	__u8 *to = bytes;

	for (size_t done = 0; done < count;) {
		size_t n;
		int r = stream_fill(stream, 1);

		if (r < 0)
			return r;
		n = stream->end - stream->start;
		if (!n && !done)
			return 0;
		if (!n)
			return stream_fail(
				stream, -EBADMSG,
				"the file ends in the middle of a record; it is cut short, copy it again");
		if (n > count - done)
			n = count - done;
		memcpy(to + done, stream->plain + stream->start, n);
		stream_consume(stream, n);
		done += n;
	}
	return 1;
}

void stream_mark(struct stream *stream)
{
	stream->marked = true;
	stream->mark = stream->offset;
}

int stream_fail(struct stream *stream, int code, const char *format, ...)
{
	char *text = stream->error->text;
	size_t n = 0, size = sizeof(stream->error->text);
	va_list arguments;

	n = snprintf(text, size, "%.160s: ", stream->name);
	if (stream->marked)
		n += snprintf(text + n, size - n, "offset %llu: ", stream->mark);
	else if (stream->line)
		n += snprintf(text + n, size - n, "line %llu: ", stream->line);
	va_start(arguments, format);
	vsnprintf(text + n, size - n, format, arguments);
	va_end(arguments);
	for (; *text; text++)
		if ((__u8)*text < ' ' || (__u8)*text >= 0x7f)
			*text = '?'; // quoted input must not reach a terminal raw
	return code;
}
