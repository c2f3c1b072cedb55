// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/mirror/rules.h"
#include "tests/unit/fake_fib.h"

static struct fib *fib;
static struct links *links;
static struct pathsets *pathsets;
static struct rib *rib;
static struct rules *rules;

static struct rule_message rule(__u8 family, __u32 priority, __u32 table)
{
	struct rule_message new;

	memset(&new, 0, sizeof(new));
	new.family = family;
	new.action = FR_ACT_TO_TBL;
	new.priority = priority;
	new.table = table;
	return new;
}

static void add(struct rule_message new)
{
	cr_assert_eq(rules_apply(rules, &new), 0);
	cr_assert_eq(rules_publish(rules, rib), 0);
}

static void del(struct rule_message old)
{
	old.deleted = true;
	add(old);
}

static void link_of(__u32 ifindex, const char *name, __u32 master, __u32 vrf_table)
{
	struct link_message link = { .ifindex = ifindex, .master = master, .vrf_table = vrf_table };
	struct links_change change;

	strcpy(link.name, name);
	cr_assert_eq(links_apply(links, &link, &change), 0);
}

static void setup(void)
{
	fib = fake_fib_new();
	cr_assert(!links_new(&links) && !pathsets_new(fib, links, &pathsets) &&
		  !rib_new(fib, pathsets, 0, &rib) && !rules_new(&rules));
	cr_assert_eq(rib_table_open(rib, RT_TABLE_LOCAL), 0);
	link_of(1, "eth0", 0, 0);
	link_of(2, "eth1", 3, 0);
	link_of(3, "red", 0, 10);
	for (int v6 = 0; v6 < 2; v6++) {
		__u8 family = v6 ? AF_INET6 : AF_INET;

		add(rule(family, 0, RT_TABLE_LOCAL));
		add(rule(family, 32766, RT_TABLE_MAIN));
		add(rule(family, 32767, RT_TABLE_DEFAULT));
	}
}

static void teardown(void)
{
	rules_free(rules);
	rib_free(rib);
	pathsets_free(pathsets);
	links_free(links);
	fake_fib_free(fib);
}

TestSuite(rules, .init = setup, .fini = teardown);

static bool punts(const char *link)
{
	return rules_punt(rules, links, links_named(links, link));
}

static bool punts_prefix(__u8 family, __u8 first, __u8 length)
{
	struct fib_prefix prefix = { .family = family, .length = length };
	const struct fake_route *route;

	prefix.address[0] = first;
	route = fake_fib_route(fib, RT_TABLE_LOCAL, &prefix);
	cr_expect(!route || (route->leaf == REASON_POLICY_RULE && route->shadow));
	return route;
}

static bool punts_all(__u8 family)
{
	return punts_prefix(family, 0, 0);
}

Test(rules, the_kernel_s_own_set_punts_nothing)
{
	__u32 all;

	cr_expect(!punts_all(AF_INET) && !punts_all(AF_INET6) && !punts("eth0"));
	cr_expect_eq(rules_count(rules, &all), 0);
	cr_expect_eq(all, 6);
}

Test(rules, to_a_prefix)
{
	struct rule_message to = rule(AF_INET, 100, 50);

	to.destination_length = 8;
	to.destination[0] = 77;
	add(to);
	cr_expect(punts_prefix(AF_INET, 77, 8) && !punts_all(AF_INET) && !punts("eth0"));
	/* What else it selects by makes it narrower still. */
	to.source_length = 8;
	to.source[0] = 5;
	to.narrow = true;
	to.priority = 101;
	add(to);
	cr_expect(!punts_all(AF_INET));
	del(to);
	to = rule(AF_INET, 100, 50);
	to.destination_length = 8;
	to.destination[0] = 77;
	to.invert = true;
	add(to);
	cr_expect(punts_all(AF_INET) && !punts_all(AF_INET6));
	del(to);
	cr_expect(punts_prefix(AF_INET, 77, 8) && !punts_all(AF_INET));
}

Test(rules, by_device_and_vrf)
{
	struct rule_message by = rule(AF_INET6, 100, 50), l3mdev = rule(AF_INET, 1000, 0);

	/* A VRF whose rule is missing, or comes too late, is not looked up in its own table. */
	cr_expect(punts("eth1") && !punts("eth0"));
	l3mdev.l3mdev = true;
	add(l3mdev);
	l3mdev.family = AF_INET6;
	add(l3mdev);
	cr_expect(!punts("eth1"));
	strcpy(by.input, "red");
	add(by);
	cr_expect(punts("eth1") && !punts("eth0"));
	del(by);
	memset(by.input, 0, sizeof(by.input));
	strcpy(by.output, "red");
	add(by);
	cr_expect(punts("eth1") && !punts("eth0"));
	del(by);
	cr_expect(!punts("eth1"));
	del(l3mdev);
	l3mdev.priority = 40000;
	add(l3mdev);
	cr_expect(punts("eth1"));
}

Test(rules, what_cannot_concern_forwarded_packets)
{
	struct rule_message own = rule(AF_INET, 100, 50), late = rule(AF_INET, 40000, 50),
			    nop = rule(AF_INET, 10, 0);

	strcpy(own.input, "lo");
	add(own);
	late.source_length = 8;
	add(late);
	nop.action = FR_ACT_NOP;
	add(nop);
	cr_expect(!punts_all(AF_INET) && !punts("eth0"));
}

Test(rules, anything_else_punts_the_family)
{
	struct rule_message mark = rule(AF_INET, 100, 50), quiet = rule(AF_INET, 90, RT_TABLE_MAIN);

	mark.narrow = true;
	add(mark);
	cr_expect(punts_all(AF_INET) && !punts_all(AF_INET6));
	del(mark);
	quiet.suppress = true; /* as wg-quick does */
	add(quiet);
	cr_expect(punts_all(AF_INET));
	del(quiet);
	cr_expect(!punts_all(AF_INET));
	del(rule(AF_INET, 32766, RT_TABLE_MAIN));
	cr_expect(punts_all(AF_INET));
}

/* Two rules that differ in what is not decoded are two. */
Test(rules, digest_tells_rules_apart)
{
	struct rule_message one = rule(AF_INET, 100, 50), two = one;

	one.narrow = two.narrow = true;
	one.digest = 1;
	two.digest = 2;
	add(one);
	add(two);
	del(one);
	cr_expect(punts_all(AF_INET));
	del(two);
	cr_expect(!punts_all(AF_INET));
}

Test(rules, sweep_and_absence)
{
	struct rule_message from = rule(AF_INET, 100, 50);

	from.source_length = 8;
	add(from);
	cr_expect(punts_all(AF_INET));
	rules_sync_begin(rules, AF_INET);
	add(rule(AF_INET, 0, RT_TABLE_LOCAL));
	add(rule(AF_INET, 32766, RT_TABLE_MAIN));
	rules_sync_end(rules, AF_INET);
	cr_assert_eq(rules_publish(rules, rib), 0);
	cr_expect(!punts_all(AF_INET));
	rules_sync_begin(rules, AF_INET);
	rules_sync_end(rules, AF_INET);
	cr_assert_eq(rules_publish(rules, rib), 0);
	cr_expect(punts_all(AF_INET));
	rules_absent(rules, AF_INET); /* a kernel without policy rules */
	cr_assert_eq(rules_publish(rules, rib), 0);
	cr_expect(!punts_all(AF_INET));
}
