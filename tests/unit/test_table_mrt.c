// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"
#include "bench/workload/table_read.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

// Dumps written by BIRD 2.0.12: static routes with attributes of BGP.
// clang-format off
static const char bird_ipv4[] =
	"\x6b\x0d\x4b\xfa\x00\x0d\x00\x01\x00\x00\x00\x23\x0a\x00\x00\x01\x00\x02\x74\x34"
	"\x00\x01\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	"\x00\x00\x00\x00\x00\x00\x00\x6b\x0d\x4b\xfa\x00\x0d\x00\x02\x00\x00\x00\x27\x00"
	"\x00\x00\x00\x00\x00\x01\x00\x00\x6b\x0d\x4b\xf4\x00\x18\x00\x01\x01\x00\x00\x02"
	"\x0a\x02\x02\x00\x00\xfd\xe9\x00\x00\xfd\xf2\x00\x03\x04\xc0\x00\x02\x01\x6b\x0d"
	"\x4b\xfa\x00\x0d\x00\x02\x00\x00\x00\x29\x00\x00\x00\x01\x10\x0a\x01\x00\x01\x00"
	"\x00\x6b\x0d\x4b\xf4\x00\x18\x00\x01\x01\x00\x00\x02\x0a\x02\x02\x00\x00\xfd\xe9"
	"\x00\x00\xfd\xf2\x00\x03\x04\xc0\x00\x02\x01\x6b\x0d\x4b\xfa\x00\x0d\x00\x02\x00"
	"\x00\x00\x28\x00\x00\x00\x02\x08\x0a\x00\x01\x00\x00\x6b\x0d\x4b\xf4\x00\x18\x00"
	"\x01\x01\x00\x00\x02\x0a\x02\x02\x00\x00\xfd\xe9\x00\x00\xfd\xf2\x00\x03\x04\xc0"
	"\x00\x02\x01\x6b\x0d\x4b\xfa\x00\x0d\x00\x02\x00\x00\x00\x2b\x00\x00\x00\x03\x19"
	"\xc6\x33\x64\x80\x00\x01\x00\x00\x6b\x0d\x4b\xf4\x00\x18\x00\x01\x01\x00\x00\x02"
	"\x0a\x02\x02\x00\x00\xfd\xe9\x00\x00\xfd\xf2\x00\x03\x04\xc0\x00\x02\x01\x6b\x0d"
	"\x4b\xfa\x00\x0d\x00\x02\x00\x00\x00\x2b\x00\x00\x00\x04\x20\xcb\x00\x71\x07\x00"
	"\x01\x00\x00\x6b\x0d\x4b\xf4\x00\x18\x00\x01\x01\x00\x00\x02\x0a\x02\x02\x00\x00"
	"\xfd\xe9\x00\x00\xfd\xf2\x00\x03\x04\xc0\x00\x02\x01";
static const char bird_ipv6[] =
	"\x6b\x0d\x4b\xfa\x00\x0d\x00\x01\x00\x00\x00\x23\x0a\x00\x00\x01\x00\x02\x74\x36"
	"\x00\x01\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	"\x00\x00\x00\x00\x00\x00\x00\x6b\x0d\x4b\xfa\x00\x0d\x00\x04\x00\x00\x00\x30\x00"
	"\x00\x00\x00\x00\x00\x01\x00\x00\x6b\x0d\x4b\xf4\x00\x21\x00\x01\x01\x00\x00\x02"
	"\x06\x02\x01\xfa\x56\xea\x01\x80\x0e\x11\x10\x20\x01\x0d\xb8\x00\x00\x00\x00\x00"
	"\x00\x00\x00\x00\x00\x00\x01\x6b\x0d\x4b\xfa\x00\x0d\x00\x04\x00\x00\x00\x34\x00"
	"\x00\x00\x01\x20\x20\x01\x0d\xb8\x00\x01\x00\x00\x6b\x0d\x4b\xf4\x00\x21\x00\x01"
	"\x01\x00\x00\x02\x06\x02\x01\xfa\x56\xea\x01\x80\x0e\x11\x10\x20\x01\x0d\xb8\x00"
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x6b\x0d\x4b\xfa\x00\x0d\x00\x04\x00"
	"\x00\x00\x38\x00\x00\x00\x02\x40\x20\x01\x0d\xb8\x00\x01\x00\x02\x00\x01\x00\x00"
	"\x6b\x0d\x4b\xf4\x00\x21\x00\x01\x01\x00\x00\x02\x06\x02\x01\xfa\x56\xea\x01\x80"
	"\x0e\x11\x10\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";
// clang-format on

static struct stream_error error;

static int read_dump(const void *bytes, size_t count, struct gateways *gateways, struct table *table)
{
	struct stream *stream;
	int r = stream_open_memory("dump", bytes, count, &error, &stream);

	if (r < 0)
		return r;
	r = table_read_stream(stream, gateways, table);
	stream_close(stream);
	return r;
}

static void assert_route(const struct table *table, size_t i, const char *prefix, __u32 nexthop)
{
	char text[PREFIX_TEXT_SIZE];

	cr_assert_lt(i, table->count);
	prefix_format(&table->routes[i], text);
	cr_assert_str_eq(text, prefix);
	cr_assert_eq(table->routes[i].nexthop, nexthop, "%s has %u", prefix, table->routes[i].nexthop);
}

Test(table_mrt, dumps_of_bird)
{
	struct gateways *gateways = gateways_new();
	struct table *table = table_new();

	cr_assert_eq(read_dump(bird_ipv4, sizeof(bird_ipv4) - 1, gateways, table), 0, "%s", error.text);
	cr_assert_eq(read_dump(bird_ipv6, sizeof(bird_ipv6) - 1, gateways, table), 0, "%s", error.text);
	cr_assert_eq(table->count, 8);
	assert_route(table, 0, "0.0.0.0/0", 1);
	assert_route(table, 1, "10.1.0.0/16", 1);
	assert_route(table, 2, "10.0.0.0/8", 1);
	assert_route(table, 3, "198.51.100.128/25", 1);
	assert_route(table, 4, "203.0.113.7/32", 1);
	assert_route(table, 5, "::/0", 2);
	assert_route(table, 6, "2001:db8::/32", 2);
	assert_route(table, 7, "2001:db8:1:2::/64", 2);
	cr_assert_eq(gateways_id(gateways, "192.0.2.1"), 1);
	cr_assert_eq(gateways_id(gateways, "2001:db8::1"), 2);
	table_free(table);
	gateways_free(gateways);
}

// A dump that is written piece by piece, with numbers of any width.
struct dump {
	__u8 bytes[4096];
	size_t count;
	size_t record; // where the last record starts
};

// Appends numbers, each as (bytes, value), until bytes is 0.
static void put(struct dump *dump, int bytes, ...)
{
	va_list arguments;

	va_start(arguments, bytes);
	for (; bytes; bytes = va_arg(arguments, int)) {
		unsigned int value = va_arg(arguments, unsigned int);

		for (int i = bytes - 1; i >= 0; i--)
			dump->bytes[dump->count++] = value >> 8 * i;
	}
	va_end(arguments);
}

static void begin(struct dump *dump, unsigned int type, unsigned int subtype)
{
	dump->record = dump->count;
	put(dump, 4, 1700000000, 2, type, 2, subtype, 4, 0, 0);
}

static void end(struct dump *dump)
{
	unsigned int length = dump->count - dump->record - 12;

	dump->bytes[dump->record + 10] = length >> 8;
	dump->bytes[dump->record + 11] = length;
}

static void assert_bad(struct dump *dump, const char *cause)
{
	struct table *table = table_new();
	int r;

	end(dump);
	error.text[0] = 0;
	r = read_dump(dump->bytes, dump->count, NULL, table);
	cr_assert_eq(r, -EBADMSG, "%d: %s", r, error.text);
	cr_assert(strstr(error.text, cause), "'%s' does not tell '%s'", error.text, cause);
	cr_assert_eq(table->count, 0);
	table_free(table);
}

// One entry of a peer with an AS path of the given ASes and the next hop 192.0.2.hop.
static void put_entry(struct dump *dump, bool path_id, unsigned int hop, unsigned int ases,
		      unsigned int origin)
{
	put(dump, 2, 0, 4, 0, 0);
	if (path_id)
		put(dump, 4, 77, 0);
	put(dump, 2, 7 + 5 + ases * 4, 0);
	put(dump, 1, 0x40, 1, 3, 1, 4, 4, 0xc0000200 + hop, 0);
	put(dump, 1, 0x40, 1, 2, 1, 2 + ases * 4, 1, 2, 1, ases, 0);
	for (unsigned int i = 0; i < ases; i++)
		put(dump, 4, i + 1 < ases ? 64500 : origin, 0);
}

Test(table_mrt, shortest_path_wins_then_the_first_peer)
{
	struct dump dump = { 0 };
	struct table *table = table_new();
	struct gateways *gateways = gateways_new();

	for (unsigned int subtype = 2; subtype <= 8; subtype += 6) { // without and with path ids
		begin(&dump, 13, subtype);
		put(&dump, 4, 0, 1, 24, 3, 0xc63364 + subtype, 2, 3, 0);
		put_entry(&dump, subtype == 8, 1, 3, 1);
		put_entry(&dump, subtype == 8, 2, 2, 2);
		put_entry(&dump, subtype == 8, 3, 2, 3);
		end(&dump);
	}
	cr_assert_eq(read_dump(dump.bytes, dump.count, gateways, table), 0, "%s", error.text);
	assert_route(table, 0, "198.51.102.0/24", 1);
	assert_route(table, 1, "198.51.108.0/24", 1);
	cr_assert_eq(gateways_id(gateways, "192.0.2.2"), 1);
	table_free(table);
	gateways_free(gateways);
}

Test(table_mrt, ids_by_origin)
{
	struct dump dump = { 0 };
	struct table *table = table_new();
	struct gateways *gateways = gateways_new_by_origin(500);

	for (unsigned int i = 0; i < 6; i++) {
		begin(&dump, 13, 2);
		put(&dump, 4, i, 1, 24, 3, 0xc63300 + i, 2, 1, 0);
		put_entry(&dump, false, i, 2, 65000 + i / 2);
		end(&dump);
	}
	cr_assert_eq(read_dump(dump.bytes, dump.count, gateways, table), 0, "%s", error.text);
	for (unsigned int i = 0; i < 6; i++)
		cr_assert(table->routes[i].nexthop >= 1 && table->routes[i].nexthop <= 500);
	cr_assert_eq(table->routes[0].nexthop, table->routes[1].nexthop);
	cr_assert_eq(table->routes[2].nexthop, table->routes[3].nexthop);
	cr_assert(table->routes[0].nexthop != table->routes[2].nexthop ||
		  table->routes[2].nexthop != table->routes[4].nexthop);
	table_free(table);
	gateways_free(gateways);
}

Test(table_mrt, whole_mp_reach_and_other_records)
{
	struct dump dump = { 0 };
	struct table *table = table_new();
	struct gateways *gateways = gateways_new();

	begin(&dump, 13, 3); // multicast
	put(&dump, 1, 0, 0);
	end(&dump);
	begin(&dump, 11, 0); // OSPF
	put(&dump, 4, 0, 0);
	end(&dump);
	begin(&dump, 13, 4);
	// Host bits behind /33 are there on the wire; MP_REACH_NLRI as in an UPDATE, with global and
	// link-local next hop.
	put(&dump, 4, 0, 1, 33, 4, 0x20010db8, 1, 0xff, 2, 1, 2, 0, 4, 0, 2, 44, 0);
	put(&dump, 1, 0x90, 1, 14, 2, 40, 2, 2, 1, 1, 1, 32, 4, 0x20010db8, 4, 0, 4, 0, 4, 9, 0);
	put(&dump, 4, 0xfe800000, 4, 0, 4, 0, 4, 9, 4, 0, 0);
	end(&dump);
	cr_assert_eq(read_dump(dump.bytes, dump.count, gateways, table), 0, "%s", error.text);
	cr_assert_eq(table->count, 1);
	assert_route(table, 0, "2001:db8:8000::/33", 1);
	cr_assert_eq(gateways_id(gateways, "2001:db8::9"), 1);
	table_free(table);
	gateways_free(gateways);
}

Test(table_mrt, refuses_bad_lengths)
{
	struct dump dump = { 0 };

	begin(&dump, 13, 2);
	put(&dump, 4, 0, 1, 33, 4, 0, 1, 0, 2, 1, 0);
	assert_bad(&dump, "dump: offset 0: MRT record 1: an IPv4 prefix is longer than /32");

	dump.count = 0;
	begin(&dump, 13, 1);
	end(&dump);
	begin(&dump, 13, 4);
	put(&dump, 4, 0, 1, 129, 4, 0, 4, 0, 4, 0, 4, 0, 1, 0, 2, 1, 0);
	assert_bad(&dump, "dump: offset 12: MRT record 2: an IPv6 prefix is longer than /128");

	dump.count = 0;
	begin(&dump, 13, 2);
	put(&dump, 2, 0, 0);
	assert_bad(&dump, "it is too short");

	dump.count = 0;
	begin(&dump, 13, 2);
	put(&dump, 4, 0, 1, 24, 2, 0, 0);
	assert_bad(&dump, "a prefix runs over its record");

	dump.count = 0;
	begin(&dump, 13, 2);
	put(&dump, 4, 0, 1, 0, 2, 0, 0);
	assert_bad(&dump, "it has no entry");

	dump.count = 0;
	begin(&dump, 13, 2);
	put(&dump, 4, 0, 1, 0, 2, 1, 2, 0, 4, 0, 2, 5, 4, 0, 0);
	assert_bad(&dump, "an entry runs over its record");
}

static void begin_with_attributes(struct dump *dump, unsigned int length)
{
	dump->count = 0;
	begin(dump, 13, 2);
	put(dump, 4, 0, 1, 0, 2, 1, 2, 0, 4, 0, 2, length, 0);
}

Test(table_mrt, refuses_bad_attributes)
{
	struct dump dump;

	begin_with_attributes(&dump, 1);
	put(&dump, 1, 0x40, 0);
	assert_bad(&dump, "a path attribute runs over its record");
	begin_with_attributes(&dump, 4);
	put(&dump, 1, 0x50, 1, 3, 2, 4, 0);
	assert_bad(&dump, "a path attribute runs over its record");
	begin_with_attributes(&dump, 6);
	put(&dump, 1, 0x40, 1, 3, 1, 3, 3, 0, 0);
	assert_bad(&dump, "NEXT_HOP is not 4 bytes long");
	begin_with_attributes(&dump, 9);
	put(&dump, 1, 0x40, 1, 2, 1, 6, 1, 2, 1, 2, 4, 5, 0);
	assert_bad(&dump, "an AS path runs over its attribute");
	begin_with_attributes(&dump, 7);
	put(&dump, 1, 0x80, 1, 14, 1, 4, 1, 5, 3, 0, 0);
	assert_bad(&dump, "a next hop is neither 4, 16 nor 32 bytes long");
	begin_with_attributes(&dump, 7);
	put(&dump, 1, 0x80, 1, 14, 1, 4, 1, 16, 3, 0, 0);
	assert_bad(&dump, "a next hop runs over its attribute");
	begin_with_attributes(&dump, 5);
	put(&dump, 1, 0x80, 1, 14, 1, 2, 2, 1, 0);
	assert_bad(&dump, "MP_REACH_NLRI is too short");
	begin_with_attributes(&dump, 5);
	put(&dump, 1, 0x80, 1, 15, 1, 2, 2, 1, 0);
	assert_bad(&dump, "MP_UNREACH_NLRI is too short");
}

Test(table_mrt, refuses_what_is_cut_or_too_long)
{
	struct dump dump = { 0 };
	struct table *table = table_new();

	for (size_t cut = 1; cut < sizeof(bird_ipv4) - 1; cut++) {
		static const unsigned int starts[] = { 47, 98, 151, 203, 258 };
		bool between = false;

		for (unsigned int i = 0; i < 5; i++)
			between = between || cut == starts[i];
		table->count = 0;
		if (between && cut > 47)
			cr_assert_eq(read_dump(bird_ipv4, cut, NULL, table), 0);
		else
			cr_assert_lt(read_dump(bird_ipv4, cut, NULL, table), 0, "cut at %zu", cut);
	}
	cr_assert_eq(read_dump(bird_ipv4, 60, NULL, table), -EBADMSG);
	cr_assert(strstr(error.text, "dump: offset 47: "), "%s", error.text);
	cr_assert_eq(read_dump(bird_ipv4, 47, NULL, table), -ENODATA);
	cr_assert(strstr(error.text, "holds no route"), "%s", error.text);
	put(&dump, 4, 0, 2, 13, 2, 2, 4, 0xffffffff, 4, 0, 0);
	cr_assert_eq(read_dump(dump.bytes, dump.count, NULL, table), -EBADMSG);
	cr_assert(strstr(error.text, "length is over 4 MB"), "%s", error.text);
	dump.count = 0;
	begin(&dump, 12, 1);
	cr_assert_eq(read_dump(dump.bytes, dump.count, NULL, table), -EPROTONOSUPPORT);
	cr_assert(strstr(error.text, "TABLE_DUMP_V2"), "%s", error.text);
	table_free(table);
}
