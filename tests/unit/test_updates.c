// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"
#include "bench/workload/table_generate.h"
#include "bench/workload/updates.h"
#include "bench/workload/updates_trace.h"
#include "tests/oracle/lpm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXTHOPS 50

static struct table *table_for_updates(void)
{
	struct table_generate_options options = { 4, 8000, 4000, NEXTHOPS };
	struct table *table;

	cr_assert_eq(table_generate(&options, &table), 0);
	return table;
}

// Applies updates to a table kept by the oracle and counts what they do.
struct replay {
	struct lpm *lpms[2];
	size_t updates, withdrawals, changes,
		news;     // changes: same prefix, other next hop; news: prefix not in the table
	size_t most_gone; // routes missing at the same time
	size_t routes;    // of the table
	double seconds;
};

static struct lpm *replay_lpm(const struct replay *replay, const struct table_route *route)
{
	return replay->lpms[route->family == AF_INET6];
}

static void replay_start(struct replay *replay, const struct table *table)
{
	*replay = (struct replay){ .lpms = { lpm_new(32), lpm_new(128) }, .routes = table->count };
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		cr_assert_eq(lpm_insert(replay_lpm(replay, route), route->addr, route->len, route->nexthop),
			     0);
	}
}

static void replay_apply(struct replay *replay, const struct update *update)
{
	const struct table_route *route = &update->route;
	struct lpm *lpm = replay_lpm(replay, route);
	size_t count;
	__u32 old;

	replay->updates++;
	cr_assert_geq(update->seconds, replay->seconds);
	replay->seconds = update->seconds;
	if (update->withdraw) {
		cr_assert_eq(route->nexthop, 0);
		cr_assert(lpm_delete(lpm, route->addr, route->len), "a route that is not there is withdrawn");
		replay->withdrawals++;
	} else {
		cr_assert(route->nexthop >= 1 && route->nexthop <= NEXTHOPS, "next hop %u", route->nexthop);
		if (lpm_find(lpm, route->addr, route->len, &old)) {
			replay->changes++;
			cr_assert_neq(old, route->nexthop, "an announcement changes nothing");
		}
		cr_assert_eq(lpm_insert(lpm, route->addr, route->len, route->nexthop), 0);
	}
	count = lpm_count(replay->lpms[0]) + lpm_count(replay->lpms[1]);
	if (count < replay->routes && replay->routes - count > replay->most_gone)
		replay->most_gone = replay->routes - count;
}

static void replay_assert_is(const struct replay *replay, const struct table *table)
{
	cr_assert_eq(lpm_count(replay->lpms[0]) + lpm_count(replay->lpms[1]), table->count);
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		__u32 nexthop;

		cr_assert(lpm_find(replay_lpm(replay, route), route->addr, route->len, &nexthop));
		cr_assert_eq(nexthop, route->nexthop);
	}
}

// Runs the updates over the table; they must end with it.
static struct replay replay_all(const struct table *table, struct updates *updates)
{
	struct replay replay;
	struct update update;
	int r;

	replay_start(&replay, table);
	while ((r = updates_next(updates, &update)) > 0)
		replay_apply(&replay, &update);
	cr_assert_eq(r, 0);
	cr_assert_eq(updates_next(updates, &update), 0);
	replay_assert_is(&replay, table);
	updates_free(updates);
	lpm_free(replay.lpms[0]);
	lpm_free(replay.lpms[1]);
	return replay;
}

static const struct updates_options options = { .seed = 9, .count = 5000, .rate = 1000 };

Test(updates, flaps)
{
	struct table *table = table_for_updates();
	struct updates *updates;
	struct replay replay;

	cr_assert_eq(updates_flaps(table, &options, 0.01, &updates), 0);
	replay = replay_all(table, updates);
	cr_assert(replay.updates >= 5000 && replay.updates <= 5000 + 120, "%zu", replay.updates);
	cr_assert(replay.most_gone > 40 && replay.most_gone <= 120, "%zu", replay.most_gone);
	cr_assert_eq(replay.changes, 0);
	cr_assert_eq(replay.withdrawals * 2, replay.updates);
	cr_assert_float_eq(replay.seconds, (replay.updates - 1) / 1000.0, 1e-9);
	table_free(table);
}

Test(updates, session_loss)
{
	struct table *table = table_for_updates();
	struct updates *updates;
	struct update update, last = { 0 };
	struct replay replay;
	unsigned int sessions = 0;

	cr_assert_eq(updates_session_loss(table, &options, &updates), 0);
	replay = replay_all(table, updates);
	cr_assert_eq(replay.updates, 10000);
	cr_assert_eq(replay.withdrawals, 5000);
	cr_assert_eq(replay.most_gone, 5000);

	cr_assert_eq(updates_session_loss(table, &options, &updates), 0);
	for (unsigned int i = 0; i < 10000; i++) {
		cr_assert_eq(updates_next(updates, &update), 1);
		cr_assert_eq(update.withdraw, i < 5000);
		sessions += !update.withdraw && update.route.nexthop != last.route.nexthop;
		last = update;
	}
	cr_assert_leq(sessions, NEXTHOPS);
	updates_free(updates);
	table_free(table);
}

Test(updates, session_loss_of_all)
{
	struct updates_options all = { .seed = 1, .count = 1000000 };
	struct table *table = table_for_updates();
	struct updates *updates;
	struct replay replay;

	cr_assert_eq(updates_session_loss(table, &all, &updates), 0);
	replay = replay_all(table, updates);
	cr_assert_eq(replay.most_gone, table->count);
	cr_assert_eq(replay.seconds, 0);
	table_free(table);
}

Test(updates, nexthop_change_of_everything)
{
	struct table *table = table_for_updates();
	struct updates *updates;
	struct replay replay;

	cr_assert_eq(updates_nexthop_change(table, &options, NEXTHOPS, &updates), 0);
	replay = replay_all(table, updates);
	cr_assert_eq(replay.updates, table->count * 2);
	cr_assert_eq(replay.changes, table->count * 2);
	table_free(table);
}

Test(updates, mixture_has_everything)
{
	struct table *table = table_for_updates();
	struct updates *updates;
	struct replay replay;

	cr_assert_eq(updates_mixture(table, &options, NEXTHOPS, &updates), 0);
	replay = replay_all(table, updates);
	cr_assert(replay.updates > 5000 && replay.updates < 10000, "%zu", replay.updates);
	cr_assert_gt(replay.withdrawals, 2000);
	cr_assert_gt(replay.changes, 1000);
	table_free(table);
}

Test(updates, same_seed_same_updates)
{
	struct table *table = table_for_updates();
	struct updates_options other = options;
	struct updates *a, *b, *c;
	unsigned int different = 0;

	other.seed++;
	cr_assert_eq(updates_mixture(table, &options, NEXTHOPS, &a), 0);
	cr_assert_eq(updates_mixture(table, &options, NEXTHOPS, &b), 0);
	cr_assert_eq(updates_mixture(table, &other, NEXTHOPS, &c), 0);
	for (unsigned int i = 0; i < 5000; i++) {
		struct update x, y, z;

		cr_assert(updates_next(a, &x) == 1 && updates_next(b, &y) == 1 && updates_next(c, &z) == 1);
		cr_assert_eq(x.withdraw, y.withdraw);
		cr_assert_eq(table_route_compare(&x.route, &y.route), 0);
		cr_assert_eq(x.route.nexthop, y.route.nexthop);
		different += table_route_compare(&x.route, &z.route) != 0;
	}
	cr_assert_gt(different, 4900);
	updates_free(a);
	updates_free(b);
	updates_free(c);
	table_free(table);
}

Test(updates, refuses)
{
	struct table *table = table_for_updates(), *empty = table_new();
	struct updates_options backwards = { .rate = -1 };
	struct updates *updates = NULL;

	cr_assert_eq(updates_flaps(table, &options, 0, &updates), -EINVAL);
	cr_assert_eq(updates_flaps(table, &options, 1.01, &updates), -EINVAL);
	cr_assert_eq(updates_flaps(empty, &options, 1, &updates), -ENOENT);
	cr_assert_eq(updates_session_loss(table, &backwards, &updates), -EINVAL);
	cr_assert_eq(updates_nexthop_change(table, &options, 1, &updates), -EINVAL);
	cr_assert_eq(updates_mixture(table, &options, TABLE_NEXTHOP_MAX + 1, &updates), -EINVAL);
	cr_assert_null(updates);
	updates_free(NULL);
	table_free(table);
	table_free(empty);
}

static struct stream_error error;

static int start(const void *bytes, size_t count, struct gateways *gateways, struct updates **ret_updates)
{
	struct stream *stream;
	int r = stream_open_memory("trace", bytes, count, &error, &stream);

	return r < 0 ? r : updates_trace_start(stream, gateways, ret_updates);
}

static void assert_next(struct updates *updates, double seconds, const char *kind_and_prefix, __u32 nexthop)
{
	char text[PREFIX_TEXT_SIZE + 2];
	struct update update;

	cr_assert_eq(updates_next(updates, &update), 1, "%s", error.text);
	text[0] = update.withdraw ? 'w' : 'a';
	text[1] = ' ';
	prefix_format(&update.route, text + 2);
	cr_assert_str_eq(text, kind_and_prefix);
	cr_assert_float_eq(update.seconds, seconds, 1e-6, "%f", update.seconds);
	cr_assert_eq(update.route.nexthop, nexthop, "%u", update.route.nexthop);
}

static void assert_end(struct updates *updates)
{
	struct update update;

	cr_assert_eq(updates_next(updates, &update), 0);
	updates_free(updates);
}

static const char text_trace[] = "# a trace\n\n"
				 "1418774413 w 202.70.88.0/21 0.0.0.0\n"
				 "1418774413.5 a 202.70.88.0/21 195.66.226.74\r\n"
				 "1418774412 a 2001:db8::/32 2001:db8::1\n"
				 "1418774415\tw\t2001:db8::/32\n"
				 "1418774415 a 10.0.0.0/8 77";

Test(updates_trace, text)
{
	struct gateways *gateways = gateways_new();
	struct updates *updates;

	cr_assert_eq(gateways_id(gateways, "192.0.2.1"), 1);
	cr_assert_eq(start(text_trace, sizeof(text_trace) - 1, gateways, &updates), 0, "%s", error.text);
	assert_next(updates, 0, "w 202.70.88.0/21", 0);
	assert_next(updates, 0.5, "a 202.70.88.0/21", 2);
	assert_next(updates, 0.5, "a 2001:db8::/32", 3);
	assert_next(updates, 2, "w 2001:db8::/32", 0);
	assert_next(updates, 2, "a 10.0.0.0/8", 77);
	assert_end(updates);
	gateways_free(gateways);
}

Test(updates_trace, packed_file)
{
	char path[] = "/tmp/penstock-test-trace-XXXXXX";
	int fd = mkstemp(path);
	struct updates *updates;
	__u8 packed[1000];
	size_t n = 0;

	cr_assert_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, (const __u8 *)text_trace,
					     sizeof(text_trace) - 1, packed, &n, sizeof(packed)),
		     LZMA_OK);
	cr_assert_eq(write(fd, packed, n), (ssize_t)n);
	close(fd);
	cr_assert_eq(updates_trace_open(path, NULL, &error, &updates), 0, "%s", error.text);
	unlink(path);
	assert_next(updates, 0, "w 202.70.88.0/21", 0);
	updates_free(updates);
	cr_assert_eq(updates_trace_open(path, NULL, &error, &updates), -ENOENT);
}

// Messages of a session between two BIRD 2.0.12: OPEN, KEEPALIVE, UPDATE of two IPv4 and one IPv6 prefix,
// End-of-RIB.
// clang-format off
static const char bird_messages[] =
	"\x6b\x0d\x4d\x0f\x00\x10\x00\x01\x00\x00\x00\x4b\xfd\xe9\xfd\xea\x00\x00\x00\x01"
	"\x7f\x00\x00\x01\x7f\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\x00\x3b\x01\x04\xfd\xe9\x00\xf0\x0a\x00\x00\x01\x1e\x02\x1c\x01"
	"\x04\x00\x01\x00\x01\x01\x04\x00\x02\x00\x01\x02\x00\x40\x02\x00\x78\x41\x04\x00"
	"\x00\xfd\xe9\x46\x00\x47\x00\x6b\x0d\x4d\x0f\x00\x10\x00\x01\x00\x00\x00\x23\xfd"
	"\xe9\xfd\xea\x00\x00\x00\x01\x7f\x00\x00\x01\x7f\x00\x00\x02\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x13\x04\x6b\x0d\x4d\x12\x00\x10"
	"\x00\x04\x00\x00\x00\x48\x00\x00\xfd\xe9\x00\x00\xfd\xea\x00\x00\x00\x01\x7f\x00"
	"\x00\x01\x7f\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\x00\x34\x02\x00\x00\x00\x14\x40\x01\x01\x00\x40\x02\x06\x02\x01\x00\x00"
	"\xfd\xe9\x40\x03\x04\xc0\x00\x02\x01\x18\xc6\x33\x64\x19\xcb\x00\x71\x80\x6b\x0d"
	"\x4d\x12\x00\x10\x00\x04\x00\x00\x00\x2b\x00\x00\xfd\xe9\x00\x00\xfd\xea\x00\x00"
	"\x00\x01\x7f\x00\x00\x01\x7f\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff\xff\x00\x17\x02\x00\x00\x00\x00\x6b\x0d\x4d\x12\x00\x10\x00"
	"\x04\x00\x00\x00\x58\x00\x00\xfd\xe9\x00\x00\xfd\xea\x00\x00\x00\x01\x7f\x00\x00"
	"\x01\x7f\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\x00\x44\x02\x00\x00\x00\x2d\x90\x0e\x00\x1c\x00\x02\x01\x10\x20\x01\x0d\xb8"
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x30\x20\x01\x0d\xb8\x00\x05"
	"\x40\x01\x01\x00\x40\x02\x06\x02\x01\x00\x00\xfd\xe9\x6b\x0d\x4d\x12\x00\x10\x00"
	"\x04\x00\x00\x00\x31\x00\x00\xfd\xe9\x00\x00\xfd\xea\x00\x00\x00\x01\x7f\x00\x00"
	"\x01\x7f\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\x00\x1d\x02\x00\x00\x00\x06\x80\x0f\x03\x00\x02\x01";
// clang-format on

Test(updates_trace, messages_of_bird)
{
	struct gateways *gateways = gateways_new();
	struct updates *updates;

	cr_assert_eq(start(bird_messages, sizeof(bird_messages) - 1, gateways, &updates), 0, "%s",
		     error.text);
	assert_next(updates, 0, "a 198.51.100.0/24", 1);
	assert_next(updates, 0, "a 203.0.113.128/25", 1);
	assert_next(updates, 0, "a 2001:db8:5::/48", 2);
	assert_end(updates);
	cr_assert_eq(gateways_id(gateways, "192.0.2.1"), 1);
	cr_assert_eq(gateways_id(gateways, "2001:db8::1"), 2);
	gateways_free(gateways);
}

// A BGP4MP_ET MESSAGE (2-byte ASes) with an UPDATE: two withdrawals, MP_UNREACH of one, a path, a next hop
// and one prefix.
// clang-format off
static const __u8 message[] = {
	0x65, 0, 0, 0, 0, 17, 0, 1, 0, 0, 0, 89, // MRT header
	0, 7, 0xa1, 0x20, // half a second
	0xfd, 0xe9, 0xfd, 0xea, 0, 0, 0, 1, 127, 0, 0, 1, 127, 0, 0, 2,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 69, 2,
	0, 6, 8, 10, 24, 198, 51, 100,
	0, 34,
	0x80, 15, 8, 0, 2, 1, 32, 0x20, 1, 0xd, 0xb8,
	0x40, 1, 1, 0,
	0x40, 2, 6, 2, 2, 0xfd, 0xe9, 0xfd, 0xea,
	0x40, 3, 4, 192, 0, 2, 1,
	0x80, 4, 0,
	16, 172, 16, 12, 172, 0xff,
};
// clang-format on

Test(updates_trace, withdrawals_and_2_byte_ases)
{
	struct updates *updates;

	cr_assert_eq(start(message, sizeof(message), NULL, &updates), 0, "%s", error.text);
	assert_next(updates, 0, "w 10.0.0.0/8", 0);
	assert_next(updates, 0, "w 198.51.100.0/24", 0);
	assert_next(updates, 0, "w 2001:db8::/32", 0);
	assert_next(updates, 0, "a 172.16.0.0/16", 1);
	assert_next(updates, 0, "a 172.240.0.0/12", 1);
	assert_end(updates);
}

static void assert_bad(const void *bytes, size_t count, int code, const char *cause)
{
	struct updates *updates = NULL;
	struct update update;
	int r;

	error.text[0] = 0;
	r = start(bytes, count, NULL, &updates);
	while (r >= 0) {
		r = updates_next(updates, &update);
		cr_assert_neq(r, 0, "no error, but '%s' is expected", cause);
	}
	updates_free(updates);
	cr_assert_eq(r, code, "%d: %s", r, error.text);
	cr_assert(strstr(error.text, cause), "'%s' does not tell '%s'", error.text, cause);
}

static void assert_bad_text(const char *bytes, int code, const char *cause)
{
	assert_bad(bytes, strlen(bytes), code, cause);
}

Test(updates_trace, refuses_bad_text)
{
	assert_bad_text("", -ENODATA, "is empty");
	assert_bad_text("# nothing\n", -ENODATA, "holds no update");
	assert_bad_text("10.0.0.0/8 1\n", -EINVAL,
			"trace: line 1: is no update; write 'SECONDS a|w PREFIX NEXTHOP'");
	assert_bad_text("1 a\n", -EINVAL, "is no update");
	assert_bad_text("-1 a 10.0.0.0/8 1\n", -EINVAL, "is no update");
	assert_bad_text("nan a 10.0.0.0/8 1\n", -EINVAL, "is no update");
	assert_bad_text("1.2.3 a 10.0.0.0/8 1\n", -EINVAL, "is no update");
	assert_bad_text("1 x 10.0.0.0/8 1\n", -EINVAL, "is no update");
	assert_bad_text("1 a 10.0.0.0/8\n", -EINVAL, "no next hop");
	assert_bad_text("1 a 10.0.0.0/8 0\n", -ERANGE, "renumber");
	assert_bad_text("1 a 10.0.0.0/8 1\n2 a 10.0.0.1/8 1\n", -EDOM,
			"trace: line 2: '10.0.0.1/8' has host bits set");
	assert_bad_text("1 w 10.0.0.0/33\n", -ERANGE, "prefix length");
	assert_bad("\x7f"
		   "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
		   16, -EBADMSG, "0 byte");
}

Test(updates_trace, refuses_bad_messages)
{
	static const struct {
		unsigned int at;
		__u8 value;
		const char *cause;
	} wrong[] = {
		{ 23, 2, "a BGP message runs over its record" }, // IPv6 addresses are longer
								 // needed
		{ 49, 18, "a BGP message runs over its record" },
		{ 49, 200, "a BGP message runs over its record" },
		{ 52, 200, "a field runs over its message" },
		{ 53, 200, "an IPv4 prefix is longer than /32" },
		{ 55, 32, "a prefix runs over its record" },
		{ 60, 200, "a field runs over its message" },
		{ 63, 100, "a path attribute runs over its record" },
		{ 67, 129, "an IPv6 prefix is longer than /128" },
		{ 80, 9, "an AS path runs over its attribute" },
		{ 87, 9, "a path attribute runs over its record" },
		{ 95, 33, "an IPv4 prefix is longer than /32" },
	};
	__u8 bytes[sizeof(message)];

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		memcpy(bytes, message, sizeof(bytes));
		bytes[wrong[i].at] = wrong[i].value;
		assert_bad(bytes, sizeof(bytes), -EBADMSG, wrong[i].cause);
	}
	assert_bad(message, sizeof(message) - 1, -EBADMSG,
		   "trace: offset 0: the file ends in the middle of a record");
	assert_bad(message, 12, -EBADMSG, "its body is missing");
	assert_bad(bird_messages, 87, -ENODATA, "holds no update");
}
