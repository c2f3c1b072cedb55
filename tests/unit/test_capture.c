// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Captures in and out: written by hand in both byte orders, broken in every way, and read back by libpcap.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/workload/random.h"
#include "host/replay/capture.h"
#include "host/replay/capture_out.h"

#define FRAME 20

/* --- files made by hand --- */

struct bytes {
	__u8 at[4096];
	size_t count;
	bool swapped; // big-endian
};

static void put(struct bytes *bytes, __u64 value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		bytes->at[bytes->count++] = value >> 8 * (bytes->swapped ? size - 1 - i : i);
}

static void put_text(struct bytes *bytes, const char *text, size_t padded)
{
	memset(bytes->at + bytes->count, 0, padded);
	memcpy(bytes->at + bytes->count, text, strlen(text));
	bytes->count += padded;
}

static void put_frame(struct bytes *bytes, __u8 number, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		bytes->at[bytes->count++] = number + i;
	while (bytes->count % 4)
		bytes->at[bytes->count++] = 0;
}

static size_t begin_block(struct bytes *bytes, __u32 type)
{
	size_t begin = bytes->count;

	put(bytes, type, 4);
	put(bytes, 0, 4);
	return begin;
}

static void end_block(struct bytes *bytes, size_t begin)
{
	__u32 length = bytes->count - begin + 4;
	size_t end = bytes->count;

	bytes->count = begin + 4;
	put(bytes, length, 4);
	bytes->count = end;
	put(bytes, length, 4);
}

static void put_section(struct bytes *bytes)
{
	size_t begin = begin_block(bytes, 0x0a0d0d0a);

	put(bytes, 0x1a2b3c4d, 4);
	put(bytes, 1, 2);
	put(bytes, 0, 2);
	put(bytes, ~0ull, 8);
	end_block(bytes, begin);
}

// resolution 0: not given; offset in seconds
static void put_interface(struct bytes *bytes, const char *name, __u16 type, __u8 resolution, __u64 offset)
{
	size_t begin = begin_block(bytes, 1);

	put(bytes, type, 2);
	put(bytes, 0, 2);
	put(bytes, 12, 4);
	if (name) {
		put(bytes, 2, 2);
		put(bytes, strlen(name), 2);
		put_text(bytes, name, (strlen(name) + 3) & ~3ul);
	}
	if (resolution) {
		put(bytes, 9, 2);
		put(bytes, 1, 2);
		put_text(bytes, (char[]){ (char)resolution, 0 }, 4);
	}
	if (offset) {
		put(bytes, 14, 2);
		put(bytes, 8, 2);
		put(bytes, offset, 8);
	}
	put(bytes, 0, 4);
	end_block(bytes, begin);
}

static void put_packet(struct bytes *bytes, __u32 interface, __u64 time, __u8 number, __u32 captured,
		       __u32 length, __u32 flags)
{
	size_t begin = begin_block(bytes, 6);

	put(bytes, interface, 4);
	put(bytes, time >> 32, 4);
	put(bytes, (__u32)time, 4);
	put(bytes, captured, 4);
	put(bytes, length, 4);
	put_frame(bytes, number, captured);
	if (flags) {
		put(bytes, 2, 2);
		put(bytes, 4, 2);
		put(bytes, flags, 4);
		put(bytes, 0, 4);
	}
	end_block(bytes, begin);
}

static void put_pcap(struct bytes *bytes, __u32 magic, __u32 type)
{
	put(bytes, magic, 4);
	put(bytes, 2, 2);
	put(bytes, 4, 2);
	put(bytes, 0, 8);
	put(bytes, 262144, 4);
	put(bytes, type, 4);
	for (__u8 i = 0; i < 3; i++) {
		put(bytes, 1000 + i, 4);
		put(bytes, 7 + i, 4);
		put(bytes, FRAME, 4);
		put(bytes, FRAME + i, 4);
		put_frame(bytes, i, FRAME);
	}
}

/* --- reading --- */

struct reader {
	int fd;
	char path[32];
	struct capture *capture;
	struct why why;
};

static int open_bytes(struct reader *reader, const struct bytes *bytes, size_t count)
{
	memset(reader, 0, sizeof(*reader));
	reader->fd = memfd_create("capture", 0);
	cr_assert_eq(write(reader->fd, bytes->at, count), (ssize_t)count);
	snprintf(reader->path, sizeof(reader->path), "/proc/self/fd/%d", reader->fd);
	return capture_open(reader->path, &reader->capture, &reader->why);
}

static void close_reader(struct reader *reader)
{
	capture_close(reader->capture);
	close(reader->fd);
}

static void expect(struct reader *reader, __u64 time, __u8 number, __u32 captured, __u32 length)
{
	struct capture_packet packet;

	cr_assert_eq(capture_next(reader->capture, &packet, &reader->why), 1, "%s", reader->why.text);
	cr_assert_eq(packet.time, time, "%llu instead of %llu", (unsigned long long)packet.time,
		     (unsigned long long)time);
	cr_assert_eq(packet.captured, captured);
	cr_assert_eq(packet.length, length);
	for (__u32 i = 0; i < captured; i++)
		cr_assert_eq(packet.bytes[i], (__u8)(number + i));
}

static void expect_end(struct reader *reader)
{
	struct capture_packet packet;

	cr_assert_eq(capture_next(reader->capture, &packet, &reader->why), 0, "%s", reader->why.text);
}

// Opening or reading to the end fails so.
static void expect_failure(const struct bytes *bytes, size_t count, int error, const char *text)
{
	struct capture_packet packet;
	struct reader reader;
	int r = open_bytes(&reader, bytes, count);

	while (r >= 0 && (r = capture_next(reader.capture, &packet, &reader.why)) > 0)
		;
	cr_assert_eq(r, -error, "%d: %s", r, reader.why.text);
	cr_assert(strstr(reader.why.text, text), "'%s' does not say '%s'", reader.why.text, text);
	cr_assert_not(strchr(reader.why.text, '\n'));
	close_reader(&reader);
}

Test(capture, pcap_of_both_kinds_and_orders)
{
	for (int kind = 0; kind < 4; kind++) {
		__u32 unit = kind & 1 ? 1 : 1000;
		struct bytes bytes = { .swapped = kind & 2 };
		struct reader reader;

		put_pcap(&bytes, kind & 1 ? 0xa1b23c4d : 0xa1b2c3d4, 1);
		cr_assert_eq(open_bytes(&reader, &bytes, bytes.count), 0, "%s", reader.why.text);
		for (__u8 i = 0; i < 3; i++)
			expect(&reader, (1000ull + i) * 1000000000 + (7u + i) * unit, i, FRAME, FRAME + i);
		expect_end(&reader);
		close_reader(&reader);
	}
}

static void fill_pcapng(struct bytes *bytes)
{
	size_t begin;

	put_section(bytes);
	put_interface(bytes, "eth0", 1, 0, 0);
	put_interface(bytes, NULL, 1, 9, 0);
	put_interface(bytes, "a name that is longer than names of interfaces are, by a lot", 1, 0x8a, 5);
	begin = begin_block(bytes, 0x0bad); // of another kind
	put(bytes, 1, 4);
	end_block(bytes, begin);
	put_packet(bytes, 0, 3000000, 1, 18, 18, 0);
	put_packet(bytes, 1, 0x100000005, 2, 7, 99, 2);
	put_packet(bytes, 2, 3 * 1024 + 512, 3, 4, 4, 1);
	begin = begin_block(bytes, 3); // simple: cut by the first interface's snaplen
	put(bytes, 40, 4);
	put_frame(bytes, 4, 12);
	end_block(bytes, begin);
	begin = begin_block(bytes, 2); // obsolete
	put(bytes, 1, 2);
	put(bytes, 0, 2);
	put(bytes, 0, 4);
	put(bytes, 6, 4);
	put(bytes, 8, 4);
	put(bytes, 8, 4);
	put_frame(bytes, 5, 8);
	end_block(bytes, begin);
}

static void fill_section(struct bytes *bytes)
{
	put_section(bytes);
	put_interface(bytes, "other", 1, 3, 0);
	put_packet(bytes, 0, 5, 6, 4, 4, 0);
}

Test(capture, pcapng_in_both_orders)
{
	for (int order = 0; order < 2; order++) {
		struct bytes bytes = { .swapped = order };
		struct capture_packet packet;
		struct reader reader;

		fill_pcapng(&bytes);
		bytes.swapped = !order; // each section has its own
		fill_section(&bytes);
		cr_assert_eq(open_bytes(&reader, &bytes, bytes.count), 0, "%s", reader.why.text);
		expect(&reader, 3000000000, 1, 18, 18);
		cr_assert_eq(capture_next(reader.capture, &packet, &reader.why), 1);
		cr_assert(packet.outbound);
		cr_assert_eq(packet.interface, 1);
		cr_assert_eq(packet.time, 0x100000005);
		cr_assert_eq(packet.length, 99);
		expect(&reader, 8500000000, 3, 4, 4);
		expect(&reader, 0, 4, 12, 40);
		expect(&reader, 6, 5, 8, 8);
		cr_assert_eq(capture_next(reader.capture, &packet, &reader.why), 1);
		cr_assert_eq(packet.time, 5000000);
		cr_assert_not(packet.outbound);
		cr_assert_str_eq(capture_interface(reader.capture, 0), "eth0");
		cr_assert_str_eq(capture_interface(reader.capture, 1), "");
		cr_assert_str_eq(capture_interface(reader.capture, packet.interface), "other");
		cr_assert_str_eq(capture_interface(reader.capture, 99), "");
		expect_end(&reader);
		close_reader(&reader);
	}
}

// A file may end between blocks, and nowhere else.
Test(capture, that_ends_anywhere)
{
	struct bytes ng = { 0 }, classic = { 0 };

	fill_pcapng(&ng);
	put_pcap(&classic, 0xa1b2c3d4, 1);
	for (size_t count = 0; count < ng.count; count++) {
		struct capture_packet packet;
		struct reader reader;
		bool ends = count == 0;
		int r = open_bytes(&reader, &ng, count);
		__u32 length;

		for (size_t at = 0; at < count && !ends; at += length) {
			memcpy(&length, ng.at + at + 4, 4);
			ends = at + length == count;
		}
		while (r >= 0 && (r = capture_next(reader.capture, &packet, &reader.why)) > 0)
			;
		cr_assert_eq(r, count == 0 ? -ENODATA : ends ? 0 : -EBADMSG, "at %zu: %d", count, r);
		close_reader(&reader);
	}
	for (size_t count = 1; count < classic.count; count++)
		if (count < 24 || (count - 24) % (16 + FRAME))
			expect_failure(&classic, count, EBADMSG, count < 24 ? "not a capture" : "truncated");
}

Test(capture, that_is_none)
{
	static const struct {
		const char *bytes;
		int error;
		const char *text;
	} cases[] = {
		{ "\x1f\x8b\x08 packed", EPROTONOSUPPORT, "zcat" },
		{ "\xfd"
		  "7zXZ",
		  EPROTONOSUPPORT, "xzcat" },
		{ "Once upon a time there was no capture", EBADMSG, "is not a capture" },
		{ "\n\n\n\nlines of text, not of pcapng", EBADMSG, "no section header" },
	};
	struct reader reader = { 0 };
	struct bytes bytes;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bytes.count = strlen(cases[i].bytes);
		memcpy(bytes.at, cases[i].bytes, bytes.count);
		expect_failure(&bytes, bytes.count, cases[i].error, cases[i].text);
	}
	cr_assert_eq(capture_open("/nonexistent/in.pcap", &reader.capture, &reader.why), -ENOENT);
	cr_assert_eq(capture_open("/tmp", &reader.capture, &reader.why), -EISDIR);
}

Test(capture, that_is_broken)
{
	struct bytes bytes = { 0 };
	size_t begin;

	put_section(&bytes);
	put_packet(&bytes, 0, 0, 0, 4, 4, 0);
	expect_failure(&bytes, bytes.count, EBADMSG, "not described");

	bytes.count = 0;
	put_section(&bytes);
	put_interface(&bytes, "tun0", 101, 0, 0);
	begin = bytes.count;
	put_packet(&bytes, 0, 0, 0, 4, 4, 0);
	expect_failure(&bytes, bytes.count, EPROTONOSUPPORT, "not Ethernet");

	bytes.at[begin + 4]++; // an odd length
	expect_failure(&bytes, bytes.count, EBADMSG, "impossible length");
	bytes.at[begin + 4] += 3; // longer than at its end
	put(&bytes, 0, 4);
	expect_failure(&bytes, bytes.count, EBADMSG, "does not end with the length");
	bytes.at[begin + 7] = 0x7f; // 2 GB
	expect_failure(&bytes, bytes.count, EBADMSG, "impossible length");

	bytes.count = 0;
	put_section(&bytes);
	put_interface(&bytes, "eth0", 1, 0, 0);
	begin = bytes.count;
	put_packet(&bytes, 0, 0, 0, 4, 4, 0);
	bytes.at[begin + 20] = 200; // more than the block has
	expect_failure(&bytes, bytes.count, EBADMSG, "shorter than its packet");

	bytes.count = 0;
	put_pcap(&bytes, 0xa1b2c3d4, 113);
	expect_failure(&bytes, bytes.count, EPROTONOSUPPORT, "LINUX_SLL");
}

// Whatever the bytes are: an answer, and nothing beyond what is there.
Test(capture, of_chance)
{
	struct random random;

	random_seed(&random, 20261130);
	for (int i = 0; i < 20000; i++) {
		struct bytes bytes = { .swapped = i & 1 };
		struct capture_packet packet;
		struct reader reader;
		unsigned int sum = 0, packets = 0;

		if (i % 4 < 2)
			fill_pcapng(&bytes);
		else
			put_pcap(&bytes, 0xa1b2c3d4, 1);
		for (int j = random_below(&random, 6); j >= 0; j--)
			bytes.at[random_below(&random, bytes.count)] = random_next(&random);
		if (open_bytes(&reader, &bytes, bytes.count) == 0)
			while (capture_next(reader.capture, &packet, &reader.why) > 0 && packets++ < 1000) {
				cr_assert_leq(packet.captured, packet.length);
				cr_assert_leq(packet.captured, CAPTURE_MOST);
				for (__u32 k = 0; k < packet.captured; k++)
					sum += packet.bytes[k];
			}
		close_reader(&reader);
		cr_assert_lt(sum, ~0u);
	}
}

/* --- writing --- */

static const char *const names[] = { "eth0", "a-15-char-name0", "x" };

static void write_some(struct capture_out *out)
{
	struct why why = { "" };
	__u8 frame[64];

	for (unsigned int i = 0; i < 60; i++) {
		memset(frame, (int)i, sizeof(frame));
		cr_assert_eq(capture_out_write(out, i % 2 * 2, 1700000000000000000ull + i, frame, i,
					       i + i % 3, &why),
			     0, "%s", why.text);
	}
}

// What libpcap, which did not write it, reads.
static unsigned int count_by_libpcap(const char *path, unsigned int port, unsigned int ports)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
	struct pcap_pkthdr *header;
	unsigned int count = 0;
	const u_char *bytes;
	int r;

	cr_assert(pcap, "%s", error);
	cr_assert_eq(pcap_datalink(pcap), DLT_EN10MB);
	while ((r = pcap_next_ex(pcap, &header, &bytes)) == 1) {
		unsigned int i = count++ * ports + port;

		cr_assert_eq(header->caplen, i);
		cr_assert_eq(header->len, i + i % 3);
		cr_assert_eq(header->ts.tv_sec, 1700000000);
		cr_assert_eq(header->ts.tv_usec, i);
		for (unsigned int k = 0; k < i; k++)
			cr_assert_eq(bytes[k], i);
	}
	cr_assert_eq(r, PCAP_ERROR_BREAK, "%s", pcap_geterr(pcap));
	pcap_close(pcap);
	return count;
}

Test(capture, written_and_read_by_libpcap)
{
	char directory[] = "/tmp/penstock-capture-XXXXXX", path[64], first[64], last[64];
	struct capture_packet packet;
	struct capture_out *out;
	struct capture *capture;
	struct why why = { "" };

	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/all", directory);
	cr_assert_eq(capture_out_open(path, names, 3, &out, &why), 0, "%s", why.text);
	write_some(out);
	cr_assert_eq(capture_out_finish(out, &why), 0, "%s", why.text);
	cr_assert_eq(count_by_libpcap(path, 0, 1), 60);
	cr_assert_eq(capture_open(path, &capture, &why), 0);
	for (unsigned int i = 0; i < 60; i++) {
		cr_assert_eq(capture_next(capture, &packet, &why), 1, "%s", why.text);
		cr_assert_eq(packet.interface, i % 2 * 2);
	}
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_str_eq(capture_interface(capture, i), names[i]);
	capture_close(capture);
	unlink(path);

	snprintf(path, sizeof(path), "%s/%%i.pcap", directory);
	snprintf(first, sizeof(first), "%s/eth0.pcap", directory);
	snprintf(last, sizeof(last), "%s/x.pcap", directory);
	cr_assert_eq(capture_out_open(path, names, 3, &out, &why), 0, "%s", why.text);
	write_some(out);
	cr_assert_eq(capture_out_finish(out, &why), 0, "%s", why.text);
	cr_assert_eq(count_by_libpcap(first, 0, 2), 30);
	cr_assert_eq(count_by_libpcap(last, 1, 2), 30);
	unlink(first);
	unlink(last);
	cr_assert_eq(rmdir(directory), 0, "there is more than was sent");
}

Test(capture, taken_back)
{
	char directory[] = "/tmp/penstock-capture-XXXXXX", path[64], kept[64];
	struct capture_out *out;
	struct why why = { "" };
	struct stat status;
	FILE *file;

	cr_assert(mkdtemp(directory));
	snprintf(kept, sizeof(kept), "%s/eth0", directory);
	file = fopen(kept, "w");
	fputs("before", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/%%i", directory);
	cr_assert_eq(capture_out_open(path, names, 3, &out, &why), 0, "%s", why.text);
	write_some(out);
	capture_out_abandon(out);
	cr_assert_eq(stat(kept, &status), 0);
	cr_assert_eq(status.st_size, 6, "the file of before is gone");
	unlink(kept);
	cr_assert_eq(rmdir(directory), 0, "something was left behind");
	cr_assert_eq(capture_out_open("/nonexistent/out", names, 3, &out, &why), -ENOENT);
	cr_assert_eq(capture_out_open("/dev/full", names, 3, &out, &why), 0);
	write_some(out);
	cr_assert_eq(capture_out_finish(out, &why), -ENOSPC);
}
