// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"
#include "bench/workload/table_read.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static struct stream_error error;

static int read_bytes(const void *bytes, size_t count, struct table *table)
{
	struct stream *stream;
	int r = stream_open_memory("input", bytes, count, &error, &stream);

	if (r < 0)
		return r;
	r = table_read_stream(stream, NULL, table);
	stream_close(stream);
	return r;
}

static struct table *read_good(const void *bytes, size_t count)
{
	struct table *table = table_new();

	cr_assert_eq(read_bytes(bytes, count, table), 0, "%s", error.text);
	return table;
}

static void assert_bad(const void *bytes, size_t count, int code, const char *text)
{
	struct table *table = table_new();
	int r;

	error.text[0] = 0;
	r = read_bytes(bytes, count, table);
	cr_assert_eq(r, code, "%d instead of %d: %s", r, code, error.text);
	cr_assert(strstr(error.text, text), "'%s' does not tell '%s'", error.text, text);
	cr_assert_eq(table->count, 0);
	table_free(table);
}

static void assert_bad_text(const char *bytes, int code, const char *text)
{
	assert_bad(bytes, strlen(bytes), code, text);
}

static void assert_route(const struct table *table, size_t i, const char *prefix, __u32 nexthop)
{
	char text[PREFIX_TEXT_SIZE];

	cr_assert_lt(i, table->count);
	prefix_format(&table->routes[i], text);
	cr_assert_str_eq(text, prefix);
	cr_assert_eq(table->routes[i].nexthop, nexthop, "%s has %u", prefix, table->routes[i].nexthop);
}

static size_t pack_xz(const void *bytes, size_t count, __u8 *to, size_t room)
{
	size_t n = 0;

	cr_assert_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, bytes, count, to, &n, room), LZMA_OK);
	return n;
}

static size_t pack_gzip(const void *bytes, size_t count, __u8 *to, size_t room)
{
	z_stream z = { .next_in = (void *)bytes, .avail_in = count, .next_out = to, .avail_out = room };

	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static const char ids[] = "# two routes\n\n10.0.0.0/8 1\r\n2001:db8::/32\t16777215";

Test(table_read, prefix_and_id_lines)
{
	struct table *table = read_good(ids, strlen(ids));

	cr_assert_eq(table->count, 2);
	assert_route(table, 0, "10.0.0.0/8", 1);
	assert_route(table, 1, "2001:db8::/32", 16777215);
	table_free(table);
}

Test(table_read, ip_route_lines)
{
	static const char text[] =
		"default via 192.0.2.1 dev eth0 proto dhcp metric 100 \n"
		"10.0.0.0/8 via 192.0.2.9 dev eth1 proto bgp \n"
		"10.1.0.0/16 proto bgp metric 20 \n"
		"\tnexthop via 192.0.2.1 dev eth0 weight 1 \n"
		"\tnexthop via 192.0.2.9 dev eth1 weight 1 \n"
		"10.2.0.0/16 nhid 44 via 192.0.2.9 dev eth1 proto bgp \n"
		"unreachable 10.3.0.0/16 metric 4278198272 \n"
		"192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.7 \n"
		"198.51.100.1 via 192.0.2.9 dev eth1 \n"
		"broadcast 192.0.2.255 dev eth0 table local \n"
		"10.9.0.0/16 via inet6 fe80::1 dev eth0 \n"
		"default via fe80::1 dev eth0 proto ra metric 1024 pref medium\n"
		"2001:db8::/32 proto bgp metric 20 \\\tnexthop via fe80::1 dev eth0 weight 1 \\";
	struct table *table = read_good(text, strlen(text));

	cr_assert_eq(table->count, 10);
	assert_route(table, 0, "0.0.0.0/0", 1);
	assert_route(table, 1, "10.0.0.0/8", 2);
	assert_route(table, 2, "10.1.0.0/16", 1);
	assert_route(table, 3, "10.2.0.0/16", 3);
	assert_route(table, 4, "10.3.0.0/16", 4);
	assert_route(table, 5, "192.0.2.0/24", 5);
	assert_route(table, 6, "198.51.100.1/32", 2);
	assert_route(table, 7, "10.9.0.0/16", 6);
	assert_route(table, 8, "::/0", 6);
	assert_route(table, 9, "2001:db8::/32", 6);
	table_free(table);
}

Test(table_read, shares_gateways)
{
	static const char a[] = "10.0.0.0/8 via 192.0.2.1",
			  b[] = "10.0.0.0/8 via 192.0.2.2\n11.0.0.0/8 via 192.0.2.1";
	struct gateways *gateways = gateways_new();
	struct table *table = table_new();
	struct stream *stream;

	cr_assert_eq(stream_open_memory("a", a, strlen(a), &error, &stream), 0);
	cr_assert_eq(table_read_stream(stream, gateways, table), 0);
	stream_close(stream);
	cr_assert_eq(stream_open_memory("b", b, strlen(b), &error, &stream), 0);
	cr_assert_eq(table_read_stream(stream, gateways, table), 0);
	stream_close(stream);
	assert_route(table, 0, "10.0.0.0/8", 1);
	assert_route(table, 1, "10.0.0.0/8", 2);
	assert_route(table, 2, "11.0.0.0/8", 1);
	cr_assert_eq(gateways_count(gateways), 2);
	table_free(table);
	gateways_free(gateways);
}

Test(table_read, gateways_have_a_limit)
{
	struct gateways *gateways = gateways_new();
	char name[16];

	for (unsigned int i = 1; i <= GATEWAYS_MAX; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		cr_assert_eq(gateways_id(gateways, name), (int)i);
	}
	cr_assert_eq(gateways_id(gateways, "one more"), -E2BIG);
	cr_assert_eq(gateways_id(gateways, "g77"), 77);
	gateways_free(gateways);
}

// Larger than all buffers, so that refills, long xz runs and several gzip members are crossed.
static size_t large_text(char *text, unsigned int lines)
{
	size_t n = 0;

	for (unsigned int i = 0; i < lines; i++)
		n += sprintf(text + n, "10.%u.%u.0/24 %u\n", i >> 8 & 255, i & 255, i + 1);
	return n;
}

static void assert_large(const void *bytes, size_t count, unsigned int lines)
{
	struct table *table = read_good(bytes, count);

	cr_assert_eq(table->count, lines);
	for (unsigned int i = 0; i < lines; i++)
		cr_assert_eq(table->routes[i].nexthop, i + 1);
	table_free(table);
}

Test(table_read, plain_xz_and_gzip_of_any_size)
{
	static char text[2 << 20];
	static __u8 packed[2 << 20];
	size_t n = large_text(text, 65536), half;

	cr_assert_gt(n, 1000000);
	assert_large(text, n, 65536);
	assert_large(packed, pack_xz(text, n, packed, sizeof(packed)), 65536);
	half = pack_gzip(text, n / 2, packed, sizeof(packed));
	assert_large(packed, half + pack_gzip(text + n / 2, n - n / 2, packed + half, sizeof(packed) - half),
		     65536);
	half = pack_xz(text, n / 2, packed, sizeof(packed));
	assert_large(packed, half + pack_xz(text + n / 2, n - n / 2, packed + half, sizeof(packed) - half),
		     65536);
}

Test(table_read, file_and_missing_file)
{
	char path[] = "/tmp/penstock-test-table-XXXXXX";
	int fd = mkstemp(path);
	struct table *table = table_new();

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, ids, strlen(ids)), (ssize_t)strlen(ids));
	close(fd);
	cr_assert_eq(table_read(path, NULL, table, &error), 0, "%s", error.text);
	cr_assert_eq(table->count, 2);
	unlink(path);
	cr_assert_eq(table_read(path, NULL, table, &error), -ENOENT);
	cr_assert(strstr(error.text, "No such file"), "%s", error.text);
	cr_assert(strstr(error.text, path), "%s", error.text);
	cr_assert_eq(table_read("/tmp", NULL, table, &error), -EISDIR);
	cr_assert_eq(table->count, 2);
	table_free(table);
}

Test(table_read, refuses_bad_text)
{
	assert_bad_text("", -ENODATA, "input: is empty");
	assert_bad_text("\n# nothing\n", -ENODATA, "holds no route");
	assert_bad_text("10.0.0.0/33 1\n", -ERANGE, "input: line 1: '10.0.0.0/33' has a prefix length");
	assert_bad_text("10.0.0.0/8 1\n10.0.0.1/8 1\n", -EDOM, "line 2: '10.0.0.1/8' has host bits set");
	assert_bad_text("10.0.0.0/8 16777216\n", -ERANGE,
			"line 1: next-hop id '16777216' is not within 1 to 16777215");
	assert_bad_text("10.0.0.0/8 99999999999999999999999\n", -ERANGE, "renumber");
	assert_bad_text("10.0.0.0/8 0\n", -ERANGE, "renumber");
	assert_bad_text("10.0.0.0/8\n", -EINVAL, "line 1: no next hop");
	assert_bad_text("default 4\n", -EINVAL, "write 0.0.0.0/0 or ::/0");
	assert_bad_text("10.0.0.0/8 1\n11.0.0.0/8 via 192.0.2.1\n", -EINVAL, "line 2: 'PREFIX ID' and");
	assert_bad_text("10.0.0.0/8 proto bgp\n11.0.0.0/8 via 192.0.2.1\n", -EINVAL,
			"line 2: the route before");
	assert_bad_text("10.0.0.0/8 proto bgp\n", -EINVAL, "the route before names no gateway");
	assert_bad_text("hello world\n", -EINVAL, "'hello' is not an IPv4 or IPv6 prefix");
	assert_bad_text("blackhole\n", -EINVAL, "is not an IPv4 or IPv6 prefix");
	assert_bad_text("\xc3\xa4\x9b 1\n", -EINVAL, "'?\?\?'");
}

Test(table_read, refuses_what_is_no_text)
{
	static char text[STREAM_LINE_MAX + 100];

	assert_bad("\x7f"
		   "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
		   16, -EPROTONOSUPPORT, "is no routing table");
	assert_bad("\0", 1, -EPROTONOSUPPORT, "is no routing table");
	assert_bad("BZh91AY&SY", 10, -EPROTONOSUPPORT, "bunzip2");
	assert_bad("10.0.0.0/8 1\n10.0.0.0/8 \0\n", 26, -EBADMSG, "line 2: holds a 0 byte");
	memset(text, '1', sizeof(text));
	assert_bad(text, sizeof(text), -EBADMSG, "line 1: is longer than 4096 bytes");
}

Test(table_read, refuses_damaged_packing)
{
	static char text[2 << 20];
	static __u8 packed[2 << 20];
	size_t n = large_text(text, 20000), size;

	size = pack_xz(text, n, packed, sizeof(packed));
	assert_bad(packed, size / 2, -EBADMSG, "the xz data ends early");
	assert_bad(packed, size - 1, -EBADMSG, "the xz data ends early");
	assert_bad(packed, 6, -EBADMSG, "the xz data ends early");
	packed[size - 5] ^= 0x40; // in the check sums behind the data, so that no line is wrong before
	assert_bad(packed, size, -EBADMSG, "the xz data is damaged");
	size = pack_gzip(text, n, packed, sizeof(packed));
	assert_bad(packed, size / 2, -EBADMSG, "the gzip data ends early");
	assert_bad(packed, size - 1, -EBADMSG, "the gzip data ends early");
	packed[size - 5] ^= 0x40; // in the check sums behind the data, so that no line is wrong before
	assert_bad(packed, size, -EBADMSG, "the gzip data is damaged");
}
