// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/capture_out.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/replay/capture.h"

#define NANO     1000000000ull
#define ETHERNET 1
#define BUFFER   (1 << 18)

struct out_file {
	FILE *file;
	bool temporary;      /* is written under another name */
	char path[PATH_MAX]; /* what it will be called */
	char name[PATH_MAX]; /* what it is called until then */
};

struct capture_out {
	const char *path;
	const char *const *name;
	unsigned int count;
	bool per_port;
	struct out_file **file; /* one, or one for each port, NULL: not begun */
};

/* pcapng, section header and interfaces */
struct section_block {
	__u32 type, length, order;
	__u16 major, minor;
	__s64 section_length;
	__u32 length_again;
} __attribute__((packed));

struct packet_block {
	__u32 type, length, interface, time_high, time_low, captured, wire;
};

/* pcap, with nanoseconds */
struct pcap_header {
	__u32 magic;
	__u16 major, minor;
	__u32 zone, accuracy, snap, type;
};

struct pcap_record {
	__u32 seconds, nanoseconds, captured, wire;
};

static int cannot_write(const struct out_file *file, struct why *why)
{
	int error = errno ? errno : EIO;

	return why_set(why, error, "%s: cannot be written: %s", file->path, strerror(error));
}

static int write_bytes(struct out_file *file, const void *bytes, size_t count, struct why *why)
{
	return fwrite(bytes, 1, count, file->file) == count ? 0 : cannot_write(file, why);
}

/* A new file beside the one of that name; others than regular files are written as they stand. */
static int open_file(struct out_file *file, struct why *why)
{
	mode_t mask = umask(0);
	struct stat status;
	int fd;

	umask(mask);
	file->temporary = stat(file->path, &status) < 0 || S_ISREG(status.st_mode);
	if (!file->temporary) {
		file->file = fopen(file->path, "wbe");
		return file->file ? 0 : cannot_write(file, why);
	}
	if (snprintf(file->name, sizeof(file->name), "%s.XXXXXX", file->path) >= (int)sizeof(file->name)) {
		errno = ENAMETOOLONG;
		return cannot_write(file, why);
	}
	fd = mkstemp(file->name);
	if (fd < 0)
		return cannot_write(file, why);
	(void)fchmod(fd, 0666 & ~mask);
	file->file = fdopen(fd, "wb");
	if (file->file)
		return 0;
	close(fd);
	unlink(file->name);
	return why_set(why, ENOMEM, "out of memory");
}

static int open_output(struct out_file *file, struct why *why)
{
	int r = 0;

	if (strcmp(file->path, "-") == 0) {
		if (isatty(STDOUT_FILENO))
			return why_set(why, EINVAL, "standard output is a terminal; give -o FILE, or a pipe");
		file->file = fdopen(dup(STDOUT_FILENO), "wb");
		snprintf(file->path, sizeof(file->path), "standard output");
		r = file->file ? 0 : cannot_write(file, why);
	} else {
		r = open_file(file, why);
	}
	if (!r)
		(void)setvbuf(file->file, NULL, _IOFBF, BUFFER);
	return r;
}

static int write_pcap_header(struct out_file *file, struct why *why)
{
	struct pcap_header header = {
		.magic = 0xa1b23c4d, .major = 2, .minor = 4, .snap = CAPTURE_MOST, .type = ETHERNET
	};

	return write_bytes(file, &header, sizeof(header), why);
}

/* An interface description with its name and the unit of time stamps (10^-9 s). */
static int write_interface(struct out_file *file, const char *name, struct why *why)
{
	__u32 block[64] = { 1, 0, ETHERNET, CAPTURE_MOST };
	__u32 length = strlen(name), words = 4;

	length = length < 128 ? length : 128;
	block[words++] = 2 | length << 16; /* if_name */
	memcpy(&block[words], name, length);
	words += (length + 3) / 4;
	block[words++] = 9 | 1u << 16; /* if_tsresol */
	block[words++] = 9;
	block[words++] = 0; /* the end of the options */
	block[1] = block[words] = (words + 1) * 4;
	return write_bytes(file, block, block[1], why);
}

static int write_section(struct capture_out *out, struct out_file *file, struct why *why)
{
	struct section_block section = { .type = 0x0a0d0d0a,
					 .length = sizeof(section),
					 .order = 0x1a2b3c4d,
					 .major = 1,
					 .section_length = -1,
					 .length_again = sizeof(section) };
	int r = write_bytes(file, &section, sizeof(section), why);

	for (unsigned int i = 0; i < out->count && !r; i++)
		r = write_interface(file, out->name[i], why);
	return r;
}

/* The name of a port in the place of %i. */
static int name_file(const struct capture_out *out, unsigned int port, char *ret, struct why *why)
{
	const char *place = out->per_port ? strstr(out->path, "%i") : NULL;
	int length = place ? snprintf(ret, PATH_MAX, "%.*s%s%s", (int)(place - out->path), out->path,
				      out->name[port], place + 2)
			   : snprintf(ret, PATH_MAX, "%s", out->path);

	return length < PATH_MAX ? 0
				 : why_set(why, ENAMETOOLONG, "%.60s...: the name is too long", out->path);
}

static int begin_file(struct capture_out *out, unsigned int port, struct why *why)
{
	struct out_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return why_set(why, ENOMEM, "out of memory");
	r = name_file(out, port, file->path, why);
	if (!r)
		r = open_output(file, why);
	if (r) {
		free(file);
		return r;
	}
	out->file[out->per_port ? port : 0] = file;
	return out->per_port ? write_pcap_header(file, why) : write_section(out, file, why);
}

int capture_out_open(const char *path, const char *const *name, unsigned int count, struct capture_out **ret,
		     struct why *why)
{
	struct capture_out *out = calloc(1, sizeof(*out));
	int r = 0;

	if (!out)
		return why_set(why, ENOMEM, "out of memory");
	*out = (struct capture_out){ .path = path, .name = name, .count = count };
	out->per_port = strstr(path, "%i") != NULL;
	out->file = calloc(count + 1, sizeof(*out->file));
	if (!out->file)
		r = why_set(why, ENOMEM, "out of memory");
	else if (!out->per_port)
		r = begin_file(out, 0, why);
	if (r) {
		capture_out_abandon(out);
		return r;
	}
	*ret = out;
	return 0;
}

static int write_pcap(struct out_file *file, __u64 time, const __u8 *bytes, __u32 captured, __u32 length,
		      struct why *why)
{
	struct pcap_record record = { (__u32)(time / NANO), (__u32)(time % NANO), captured, length };
	int r = write_bytes(file, &record, sizeof(record), why);

	return r ? r : write_bytes(file, bytes, captured, why);
}

static int write_pcapng(struct out_file *file, unsigned int port, __u64 time, const __u8 *bytes,
			__u32 captured, __u32 length, struct why *why)
{
	static const __u8 zeros[4];
	__u32 padding = -captured & 3, size = sizeof(struct packet_block) + captured + padding + 4;
	struct packet_block block = { 6, size, port, (__u32)(time >> 32), (__u32)time, captured, length };
	int r = write_bytes(file, &block, sizeof(block), why);

	if (!r)
		r = write_bytes(file, bytes, captured, why);
	if (!r)
		r = write_bytes(file, zeros, padding, why);
	return r ? r : write_bytes(file, &size, sizeof(size), why);
}

int capture_out_write(struct capture_out *out, unsigned int port, __u64 time, const __u8 *bytes,
		      __u32 captured, __u32 length, struct why *why)
{
	unsigned int index = out->per_port ? port : 0;
	int r = out->file[index] ? 0 : begin_file(out, port, why);

	if (r)
		return r;
	return out->per_port ? write_pcap(out->file[index], time, bytes, captured, length, why)
			     : write_pcapng(out->file[index], port, time, bytes, captured, length, why);
}

static int close_file(struct out_file *file, struct why *why)
{
	bool failed = fflush(file->file) != 0;
	int r = failed ? cannot_write(file, why) : 0;

	if (fclose(file->file) != 0 && !r)
		r = cannot_write(file, why);
	file->file = NULL;
	return r;
}

static int rename_file(struct out_file *file, struct why *why)
{
	if (file->temporary && rename(file->name, file->path) < 0)
		return cannot_write(file, why);
	file->temporary = false;
	return 0;
}

int capture_out_finish(struct capture_out *out, struct why *why)
{
	int r = 0;

	for (unsigned int i = 0; i <= out->count && !r; i++)
		r = out->file[i] ? close_file(out->file[i], why) : 0;
	for (unsigned int i = 0; i <= out->count && !r; i++)
		r = out->file[i] ? rename_file(out->file[i], why) : 0;
	capture_out_abandon(out);
	return r;
}

void capture_out_abandon(struct capture_out *out)
{
	if (!out)
		return;
	for (unsigned int i = 0; out->file && i <= out->count; i++) {
		struct out_file *file = out->file[i];

		if (!file)
			continue;
		if (file->file)
			fclose(file->file);
		if (file->temporary)
			unlink(file->name);
		free(file);
	}
	free(out->file);
	free(out);
}
