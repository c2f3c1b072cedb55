// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/mirror/audit.h"
#include "tests/netns/mirror_fixture.h"

static struct mirror_fixture fixture;

static void setup(void)
{
	mirror_fixture_namespace(&fixture);
}

TestSuite(mirror, .init = setup);

static void expect_same(const char *when, const char *address)
{
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, address), "%s: %s", when, address);
}

Test(mirror, what_was_there_before)
{
	mirror_fixture_run(
		"ip route add 198.51.100.0/24 via 10.0.0.2; ip route add 198.51.100.128/25 via 10.0.1.2;"
		"ip route add blackhole 203.0.113.0/24; ip -6 route add 2001:db8:ff::/48 via 2001:db8:2::2");
	mirror_fixture_start(&fixture, NULL);
	expect_same("at start", "198.51.100.1");
	expect_same("at start", "198.51.100.129");
	expect_same("at start", "203.0.113.9");
	expect_same("at start", "2001:db8:ff::1");
	expect_same("at start", "10.0.0.1");
	expect_same("at start", "10.0.0.9");
	expect_same("at start", "10.0.0.255");
	expect_same("at start", "8.8.8.8");
	mirror_fixture_stop(&fixture);
}

/* --- random changes --- */

#define GROUPS  4
#define OBJECTS 8

static unsigned dice;
static FILE *batch;
static bool compatible = true; /* nexthop_compat_mode */
static bool carrier;           /* the batch has changed one: the kernel takes up to a second to act */

static unsigned below(unsigned n)
{
	return (unsigned)rand_r(&dice) % n;
}

static void command(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(batch, format, arguments);
	va_end(arguments);
	fputc('\n', batch);
}

static const char *gateway(char *text, bool v6)
{
	unsigned link = below(FIXTURE_LINKS), host = 2 + below(6);

	if (v6)
		sprintf(text, "via 2001:db8:%u::%u dev v%u", link, host, link);
	else if (!below(8))
		sprintf(text, "via inet6 2001:db8:%u::%u dev v%u", link, host, link);
	else
		sprintf(text, "via 10.0.%u.%u dev v%u", link, host, link);
	return text;
}

static void prefix(char *text, bool v6)
{
	unsigned a = below(4), b = below(3);
	static const char *const ipv4[] = { "10.%u.0.0/16", "10.%u.128.0/17", "10.%u.%u.0/24",
					    "10.%u.%u.7/32" };
	static const char *const ipv6[] = { "2001:db8:1%u::/48", "2001:db8:1%u:8000::/49",
					    "2001:db8:1%u:%u::/64", "2001:db8:1%u:%u::7/128" };

	if (!below(20))
		strcpy(text, v6 ? "::/0" : "0.0.0.0/0");
	else
		sprintf(text, v6 ? ipv6[below(4)] : ipv4[below(4)], v6 ? a : 100 + a, b);
}

static void target(char *text, bool v6)
{
	char hop[3][80];

	switch (below(12)) {
	case 0:
		sprintf(text, "dev v%u", below(FIXTURE_LINKS));
		return;
	case 1:
	case 2:
		sprintf(text, "nexthop %s weight %u nexthop %s weight %u", gateway(hop[0], v6), 1 + below(3),
			gateway(hop[1], v6), 1 + below(3));
		return;
	case 3:
		sprintf(text, "nexthop %s nexthop %s nexthop %s", gateway(hop[0], v6), gateway(hop[1], v6),
			gateway(hop[2], v6));
		return;
	case 4:
	case 5:
		sprintf(text, "nhid %u",
			(v6 ? 100 : 0) + (below(2) ? 1 + below(OBJECTS) : 21 + below(GROUPS)));
		return;
	}
	gateway(text, v6);
}

static void change_route(bool v6)
{
	static const char *const verbs[] = { "add",     "append", "prepend", "replace",
					     "replace", "change", "del",     "del" };
	static const char *const types[] = { "blackhole", "unreachable", "prohibit", "throw" };
	const char *verb = verbs[below(8)];
	char to[64], through[400], extra[64] = "";

	prefix(to, v6);
	if (below(3))
		sprintf(extra, "metric %u", 10 * below(3) + v6);
	if (!below(30) && !v6)
		strcat(extra, " tos 0x10");
	if (!strcmp(verb, "del") && below(2)) {
		command("route del %s %s", to, extra);
		return;
	}
	if (!below(8)) {
		command("route %s %s %s %s", verb, types[below(4)], to, extra);
		return;
	}
	target(through, v6);
	if (!below(12))
		strcat(extra, " mtu 1300");
	command("route %s %s %s %s", verb, to, through, extra);
}

static void change_object(bool v6)
{
	unsigned base = v6 ? 100 : 0, id = 1 + below(OBJECTS);
	char hop[80];

	switch (below(6)) {
	case 0:
		command("nexthop del id %u", base + id);
		return;
	case 1:
		command("nexthop replace id %u group %u,%u/%u,3", base + 21 + below(GROUPS),
			base + 1 + below(4), base + 5 + below(4), 1 + below(3));
		return;
	case 2:
		command("nexthop del id %u", base + 21 + below(GROUPS));
		return;
	}
	gateway(hop, v6);
	if (strstr(hop, "inet6"))
		return;
	command("nexthop replace id %u %s", base + id, hop);
}

static void change_link(bool carriers)
{
	unsigned link = below(FIXTURE_LINKS);

	switch (below(carriers ? 7 : 5)) {
	case 0:
	case 1:
		command("link set dev v%u down", link);
		return;
	case 2:
	case 3:
		command("link set dev v%u up", link);
		command("addr replace 2001:db8:%u::1/64 dev v%u nodad", link, link);
		command("addr replace 10.0.%u.1/24 dev v%u", link, link);
		return;
	case 4:
		command("addr del 10.0.%u.1/24 dev v%u", link, link);
		return;
	}
	carrier = true;
	command("link set dev p%u %s", link, below(2) ? "down" : "up");
}

static void all_up(void)
{
	for (int i = 0; i < FIXTURE_LINKS; i++)
		mirror_fixture_run("ip link set dev v%d up; ip link set dev p%d up; ip addr replace "
				   "10.0.%d.1/24 dev v%d; "
				   "ip -6 addr replace 2001:db8:%d::1/64 dev v%d nodad",
				   i, i, i, i, i, i);
}

static void random_address(__u8 *address, bool v6)
{
	memset(address, 0, 16);
	if (v6) {
		address[0] = 0x20;
		address[1] = 1;
		address[2] = 0xd;
		address[3] = 0xb8;
		address[5] = (__u8)(0x10 + below(5));
		address[6] = below(2) ? 0x80 : 0;
		address[7] = (__u8)below(4);
		address[15] = (__u8)(5 + below(3));
		if (!below(10)) {
			address[5] = (__u8)below(3);
			address[15] = (__u8)below(10);
		}
	} else {
		address[0] = 10;
		address[1] = (__u8)(100 + below(5));
		address[2] = (__u8)(below(2) ? below(4) : below(256));
		address[3] = (__u8)(5 + below(4));
		if (!below(10)) {
			address[1] = 0;
			address[2] = (__u8)below(3);
			address[3] = (__u8)below(10);
		}
	}
}

/* Returns how many of the probes the image leaves to the kernel. */
static unsigned probe(unsigned count, unsigned seed, unsigned round)
{
	unsigned punts = 0;
	__u8 address[16];

	for (unsigned i = 0; i < count; i++) {
		bool v6 = i % 2;

		random_address(address, v6);
		cr_assert(mirror_fixture_same(&fixture, v6 ? AF_INET6 : AF_INET, address, &punts),
			  "seed %u, round %u: the kernel and the image disagree", seed, round);
	}
	return punts;
}

/* The oracle wants to be told next hops. */
static unsigned probe_compatible(unsigned count, unsigned seed, unsigned round)
{
	unsigned punts;

	mirror_fixture_run("sysctl -qw net.ipv4.nexthop_compat_mode=1");
	punts = probe(count, seed, round);
	mirror_fixture_run("sysctl -qw net.ipv4.nexthop_compat_mode=0");
	return punts;
}

static void random_changes(unsigned seed, unsigned rounds, bool carriers)
{
	unsigned punts = 0, probes = 0;

	dice = seed;
	for (unsigned round = 0; round < rounds; round++) {
		carrier = false;
		batch = popen("ip -force -batch - > /dev/null 2>&1", "w");
		cr_assert_not_null(batch);
		for (unsigned i = 0; i < 60; i++) {
			if (!below(40))
				change_link(carriers);
			else if (!below(5))
				change_object(below(2));
			else
				change_route(below(2));
		}
		pclose(batch);
		if (round % 4 == 3)
			all_up();
		if (carriers)
			mirror_fixture_pass(&fixture, 1300);
		mirror_fixture_settle(&fixture);
		if (compatible)
			punts += probe(400, seed, round);
		else
			punts += probe_compatible(400, seed, round);
		probes += 400;
	}
	printf("seed %u: %u probes, %u left to the kernel\n", seed, probes, punts);
	cr_expect_lt(punts, probes / 4 * 3);
}

Test(mirror, random_changes)
{
	mirror_fixture_start(&fixture, NULL);
	random_changes(20261130, 40, false);
	mirror_fixture_stop(&fixture);
}

Test(mirror, random_changes_with_carriers)
{
	mirror_fixture_start(&fixture, NULL);
	random_changes(20261201, 12, true);
	mirror_fixture_stop(&fixture);
}

Test(mirror, random_changes_where_linkdown_counts)
{
	mirror_fixture_run("sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1 "
			   "net.ipv6.conf.all.ignore_routes_with_linkdown=1");
	kernel_oracle_ignore_linkdown(fixture.oracle);
	mirror_fixture_start(&fixture, NULL);
	random_changes(20261202, 10, true);
	mirror_fixture_stop(&fixture);
}

/* Routes of next-hop objects are told without next hops then, and vanish even more quietly. */
Test(mirror, random_changes_without_compatibility)
{
	mirror_fixture_run("sysctl -qw net.ipv4.nexthop_compat_mode=0");
	compatible = false;
	mirror_fixture_start(&fixture, NULL);
	random_changes(20261203, 20, false);
	mirror_fixture_stop(&fixture);
}

/* --- the audit --- */

static struct audit_result audit_of(__u32 samples)
{
	struct audit_result result;

	cr_assert_eq(audit_start(mirror_audit(fixture.mirror), samples), 0);
	do {
		mirror_fixture_pass(&fixture, 50);
		audit_result(mirror_audit(fixture.mirror), &result);
	} while (result.running);
	return result;
}

Test(mirror, audit_finds_what_is_wrong_and_mends_it)
{
	struct fib_prefix prefix = { .family = AF_INET, .length = 16, .address = { 10, 100 } };
	struct fib_leaf_spec spec = { .reason = REASON_BLACKHOLE, .family = AF_INET };
	struct audit_result result;
	__u32 leaf;

	mirror_fixture_run("ip route add 10.100.0.0/16 via 10.0.0.2; ip route add 10.101.0.0/16 nexthop via "
			   "10.0.0.2 nexthop via "
			   "10.0.1.2; ip route add blackhole 10.102.0.0/16; ip -6 route add 2001:db8:99::/48 "
			   "via 2001:db8:1::2");
	mirror_fixture_start(&fixture, NULL);
	result = audit_of(2000);
	cr_expect_eq(result.run.samples, 2000);
	cr_expect_eq(result.run.differences, 0, "%s", result.text[0]);
	cr_expect_gt(result.run.same, 200);
	/* As if a notification had been misunderstood. */
	cr_assert_eq(fib_leaf_get(fixture.fib, &spec, &leaf), 0);
	cr_assert_eq(fib_route_set(fixture.fib, RT_TABLE_MAIN, &prefix, leaf, false), 0);
	fib_leaf_put(fixture.fib, leaf);
	result = audit_of(2000);
	cr_expect_gt(result.run.differences, 0);
	cr_expect_neq(result.text[0][0], 0);
	mirror_fixture_settle(&fixture);
	result = audit_of(2000);
	cr_expect_eq(result.run.differences, 0, "%s", result.text[0]);
	mirror_fixture_stop(&fixture);
}
