// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <stdio.h>

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
