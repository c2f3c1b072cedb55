// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Leaves, routes, interfaces and neighbours on their way into the image. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "host/fib/grace.h"
#include "tests/unit/fib_fixture.h"

#define MAIN  RT_TABLE_MAIN
#define LOCAL RT_TABLE_LOCAL

static struct fixture f;

static void setup(void)
{
	fixture_new(&f, NULL);
}

static void teardown(void)
{
	fixture_free(&f);
}

TestSuite(fib, .init = setup, .fini = teardown);

static struct fib_stats stats(void)
{
	struct fib_stats now;

	fib_stats(f.fib, &now);
	return now;
}

Test(fib, leaves_of_reasons)
{
	struct fib_leaf_spec spec = { .reason = REASON_PROHIBIT, .family = AF_INET };
	__u32 leaf;

	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	cr_assert_eq(leaf, REASON_PROHIBIT);
	fixture_route_leaf(&f, MAIN, "10.0.0.0/8", leaf, false);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.2.3"), -REASON_PROHIBIT);
	cr_assert_eq(fixture_ask(&f, MAIN, "11.1.2.3"), -REASON_NO_ROUTE);
	fixture_route_leaf(&f, MAIN, "10.0.0.0/8", REASON_BLACKHOLE, false);
	cr_assert_eq(fixture_find(&f, MAIN, "10.1.2.3")->kind, NEXTHOP_DROP);
	cr_assert_eq(fixture_find(&f, MAIN, "10.1.2.3")->reason, REASON_BLACKHOLE);
	fixture_route_delete(&f, MAIN, "10.0.0.0/8");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.2.3"), -REASON_NO_ROUTE);
	fixture_route_leaf(&f, MAIN, "0.0.0.0/0", REASON_UNREACHABLE, false);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.2.3"), -REASON_UNREACHABLE);
	cr_assert_eq(fixture_ask(&f, MAIN, "2001:db8::1"), -REASON_NO_ROUTE);
}

Test(fib, ranges_that_are_never_forwarded)
{
	static const struct {
		const char *address;
		enum reason reason;
	} cases[] = {
		{ "0.1.2.3", REASON_MARTIAN_DESTINATION },
		{ "127.0.0.1", REASON_MARTIAN_DESTINATION },
		{ "169.254.9.9", REASON_MARTIAN_DESTINATION },
		{ "224.0.0.5", REASON_MULTICAST },
		{ "239.255.255.255", REASON_MULTICAST },
		{ "240.0.0.1", REASON_MARTIAN_DESTINATION },
		{ "255.255.255.255", REASON_MARTIAN_DESTINATION },
		{ "::", REASON_MARTIAN_DESTINATION },
		{ "::1", REASON_MARTIAN_DESTINATION },
		{ "::ffff:10.0.0.1", REASON_MARTIAN_DESTINATION },
		{ "fe80::1", REASON_MARTIAN_DESTINATION },
		{ "febf::1", REASON_MARTIAN_DESTINATION },
		{ "ff02::1", REASON_MULTICAST },
	};

	fixture_port(&f, 1);
	fixture_route(&f, MAIN, "0.0.0.0/0", 1, "10.0.0.1");
	fixture_route(&f, MAIN, "::/0", 1, "2001:db8::1");
	fixture_route(&f, MAIN, "224.0.0.0/4", 1, "10.0.0.1");
	fixture_route(&f, MAIN, "169.254.1.0/24", 1, "10.0.0.1");
	fixture_neighbour(&f, 1, "10.0.0.1", 1);
	fixture_neighbour(&f, 1, "2001:db8::1", 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(fixture_ask(&f, MAIN, cases[i].address), -(int)cases[i].reason, "%s",
			     cases[i].address);
	cr_assert_eq(fixture_ask(&f, MAIN, "169.254.1.1"), -REASON_MARTIAN_DESTINATION);
	cr_assert_eq(fixture_ask(&f, MAIN, "1.0.0.1"), 1);
	cr_assert_eq(fixture_ask(&f, MAIN, "223.255.255.255"), 1);
	cr_assert_eq(fixture_ask(&f, MAIN, "::1:0:0:1"), 2);
	cr_assert_eq(fixture_ask(&f, MAIN, "fec0::1"), 2);
}

Test(fib, gateway_resolves_and_moves)
{
	const struct image_nexthop *nexthop;
	__u16 port;

	fixture_port(&f, 1);
	port = fixture_port(&f, 2);
	fixture_route(&f, MAIN, "10.0.0.0/8", 2, "192.168.2.1");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.1.1"), -REASON_NEIGHBOUR);
	nexthop = fixture_find(&f, MAIN, "10.1.1.1");
	cr_assert_eq(nexthop->interface, port + 1);
	cr_assert(nexthop->flags & NEXTHOP_UNICAST);

	fixture_neighbour(&f, 2, "192.168.2.1", 0x55);
	cr_assert_eq(nexthop->kind, NEXTHOP_FORWARD);
	cr_assert_eq(nexthop->port, port);
	cr_assert_eq(nexthop->mtu, 1500);
	cr_assert_eq(nexthop->tags, 0);
	cr_assert(memcmp(nexthop, (__u8[]){ 2, 0xff, 0, 0, 0, 0x55, 2, 0, 0, 0, 0, 2 }, 12) == 0);

	/* another MAC: in place, without a moment of punting */
	fixture_neighbour(&f, 2, "192.168.2.1", 0x66);
	cr_assert_eq(nexthop->kind, NEXTHOP_FORWARD);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.1.1"), 0x66);

	fixture_neighbour(&f, 2, "192.168.2.1", -1);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.1.1"), -REASON_NEIGHBOUR);
	/* back with the same source MAC and port: at once */
	fixture_neighbour(&f, 2, "192.168.2.1", 0x77);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.1.1"), 0x77);
}

Test(fib, change_of_source_mac_waits_for_readers)
{
	struct fib_interface interface = fixture_ethernet(2);
	struct grace_reader *reader;
	const struct image_nexthop *nexthop;

	fixture_port(&f, 2);
	fixture_route(&f, MAIN, "10.0.0.0/8", 2, "192.168.2.1");
	fixture_neighbour(&f, 2, "192.168.2.1", 1);
	nexthop = fixture_find(&f, MAIN, "10.1.1.1");
	cr_assert_eq(grace_reader_add(fib_grace(f.fib), &reader), 0);
	grace_reader_online(reader);

	interface.mac[5] = 0xee;
	fixture_set(&f, &interface);
	cr_assert_eq(nexthop->kind, NEXTHOP_PUNT);
	cr_assert_eq(nexthop->reason, REASON_HELD);
	for (int i = 0; i < 10; i++)
		cr_assert(fib_settle(f.fib));
	cr_assert_eq(((const __u8 *)nexthop)[11], 2, "the reader may still be looking at it");
	grace_reader_quiescent(reader);
	for (int i = 0; i < 10; i++)
		fib_settle(f.fib);
	cr_assert_eq(nexthop->kind, NEXTHOP_FORWARD);
	cr_assert_eq(((const __u8 *)nexthop)[11], 0xee);

	/* MTU alone: in place */
	interface.mtu4 = 1400;
	fixture_set(&f, &interface);
	cr_assert_eq(nexthop->kind, NEXTHOP_FORWARD);
	cr_assert_eq(nexthop->mtu, 1400);
	grace_reader_remove(fib_grace(f.fib), reader);
}

Test(fib, link_down_costs_by_adjacencies_not_routes)
{
	struct fib_interface interface = fixture_ethernet(2);
	struct fib_stats before, after;

	fixture_port(&f, 1);
	fixture_port(&f, 2);
	for (int gateway = 1; gateway <= 4; gateway++) {
		char text[32];

		snprintf(text, sizeof(text), "192.168.2.%d", gateway);
		fixture_neighbour(&f, 2, text, gateway);
		for (int i = 0; i < 2000; i++) {
			char prefix[32];

			snprintf(prefix, sizeof(prefix), "%d.%d.%d.0/24", 10 + gateway, i / 256, i % 256);
			fixture_route(&f, MAIN, prefix, 2, text);
		}
	}
	fixture_neighbour(&f, 1, "192.168.1.1", 9);
	fixture_route(&f, MAIN, "99.0.0.0/8", 1, "192.168.1.1");
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "13.2.3.4"), 3);

	before = stats();
	interface.up = false;
	fixture_set(&f, &interface);
	after = stats();
	cr_assert_eq(after.nexthop_stores - before.nexthop_stores, 4);
	cr_assert_eq(fixture_ask(&f, MAIN, "11.2.3.4"), -REASON_EGRESS_DOWN);
	cr_assert_eq(fixture_ask(&f, MAIN, "14.2.3.4"), -REASON_EGRESS_DOWN);
	cr_assert_eq(fixture_ask(&f, MAIN, "99.2.3.4"), 9);

	interface.up = true;
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_ask(&f, MAIN, "13.2.3.4"), 3, "same fields: back at once");
	before = stats();
	fixture_neighbour(&f, 2, "192.168.2.3", 0x44);
	after = stats();
	cr_assert_eq(after.nexthop_stores - before.nexthop_stores, 1);
	cr_assert_eq(fixture_ask(&f, MAIN, "13.2.3.4"), 0x44);
}

Test(fib, egress_reasons)
{
	struct fib_interface interface = fixture_ethernet(3);
	__u16 port;

	fixture_route(&f, MAIN, "10.0.0.0/8", 3, "192.168.3.1");
	fixture_neighbour(&f, 3, "192.168.3.1", 3);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_EGRESS_DOWN, "never heard of");
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_EGRESS_FOREIGN);
	cr_assert_eq(fixture_find(&f, MAIN, "10.0.0.1")->interface, 0);
	cr_assert_eq(fib_port_add(f.fib, 3, &port), 0);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_EGRESS_UNABLE);
	fib_port_egress(f.fib, port, true, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), 3);
	cr_assert(fixture_find(&f, MAIN, "10.0.0.1")->flags & NEXTHOP_FRAMES);
	interface.ethernet = false;
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_EGRESS_FOREIGN);
	interface.ethernet = true;
	fixture_set(&f, &interface);
	fib_port_delete(f.fib, port);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_EGRESS_FOREIGN);
	fib_interface_delete(f.fib, 3);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_EGRESS_DOWN);
	/* its neighbours went with it */
	fixture_set(&f, &interface);
	cr_assert_eq(fib_port_add(f.fib, 3, &port), 0);
	fib_port_egress(f.fib, port, true, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_NEIGHBOUR);
	cr_assert_eq(fib_port_add(f.fib, 3, &port), -EEXIST);
	cr_assert_eq(fib_port_add(f.fib, 4, &port), -ENOENT);
}

Test(fib, leaves_are_shared_and_counted)
{
	__u32 a, b, c, d;

	fixture_port(&f, 1);
	a = fixture_leaf(&f, AF_INET, 1, "10.0.0.1");
	b = fixture_leaf(&f, AF_INET, 1, "10.0.0.1");
	c = fixture_leaf(&f, AF_INET, 1, "10.0.0.2");
	d = fixture_leaf(&f, AF_INET6, 1, "10.0.0.1");
	cr_assert_eq(a, b);
	cr_assert_neq(a, c);
	cr_assert_neq(a, d);
	cr_assert_eq(stats().leaves, 3);
	fib_leaf_put(f.fib, a);
	cr_assert_eq(stats().leaves, 3);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", a, false);
	fixture_route_leaf(&f, MAIN, "21.0.0.0/8", a, false);
	fib_leaf_put(f.fib, b);
	fib_leaf_put(f.fib, c);
	fib_leaf_put(f.fib, d);
	cr_assert_eq(stats().leaves, 1);
	fixture_route_delete(&f, MAIN, "20.0.0.0/8");
	fixture_route_leaf(&f, MAIN, "21.0.0.0/8", REASON_THROW, false);
	cr_assert_eq(stats().leaves, 0);
	fixture_settle(&f);
	cr_assert_eq(stats().nexthop_used, REASON_MAX);
}

Test(fib, slot_is_reused_only_after_readers_have_left)
{
	struct grace_reader *reader;
	__u32 a, b;

	fixture_port(&f, 1);
	cr_assert_eq(grace_reader_add(fib_grace(f.fib), &reader), 0);
	grace_reader_online(reader);
	a = fixture_leaf(&f, AF_INET, 1, "10.0.0.1");
	fib_leaf_put(f.fib, a);
	for (int i = 0; i < 10; i++)
		fib_settle(f.fib);
	b = fixture_leaf(&f, AF_INET, 1, "10.0.0.2");
	cr_assert_neq(a, b);
	fib_leaf_put(f.fib, b);
	grace_reader_offline(reader);
	fixture_settle(&f);
	cr_assert_eq(stats().nexthop_used, REASON_MAX);
	grace_reader_remove(fib_grace(f.fib), reader);
}

Test(fib, route_mtu)
{
	struct fib_path path = fixture_path(1, "10.0.0.1", 1);
	struct fib_leaf_spec spec = { .family = AF_INET, .mtu = 1300, .path_count = 1, .path = &path };
	struct fib_interface interface = fixture_ethernet(1);
	__u32 leaf;

	fixture_port(&f, 1);
	fixture_neighbour(&f, 1, "10.0.0.1", 1);
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &leaf), 0);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", leaf, false);
	fixture_route(&f, MAIN, "21.0.0.0/8", 1, "10.0.0.1");
	cr_assert_eq(fixture_find(&f, MAIN, "20.0.0.1")->mtu, 1300);
	cr_assert_eq(fixture_find(&f, MAIN, "21.0.0.1")->mtu, 1500);
	interface.mtu4 = 1280;
	interface.mtu6 = 9000;
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_find(&f, MAIN, "20.0.0.1")->mtu, 1280);
	interface.mtu4 = 70000;
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_find(&f, MAIN, "21.0.0.1")->mtu, 65535);
	fib_leaf_put(f.fib, leaf);
}

Test(fib, interface_slot)
{
	struct fib_interface interface = fixture_ethernet(7);
	struct image_interface *slot;
	__u16 port;

	interface.rp_filter = 1;
	interface.redirects = true;
	interface.forward6 = false;
	fixture_set(&f, &interface);
	cr_assert_eq(fib_port_add(f.fib, 7, &port), 0);
	slot = &f.image->interface[port + 1];
	cr_assert_eq(slot->ifindex, 7);
	cr_assert_eq(slot->vrf, 0);
	cr_assert_eq(slot->mac, 0x070000000002ull);
	cr_assert_eq(slot->flags, INTERFACE_FORWARD4 | INTERFACE_RPF_STRICT | INTERFACE_REDIRECTS);
	interface.rp_filter = 2;
	interface.punt = REASON_NETFILTER;
	fixture_set(&f, &interface);
	cr_assert_eq(slot->flags, INTERFACE_RPF_LOOSE | INTERFACE_REDIRECTS);
	cr_assert_eq(slot->punt, REASON_NETFILTER);
	interface.punt = 0;
	interface.up = false;
	fixture_set(&f, &interface);
	cr_assert_eq(slot->punt, REASON_INGRESS_DOWN);
	cr_assert_eq(slot->flags & (INTERFACE_FORWARD4 | INTERFACE_FORWARD6), 0);
	fib_port_delete(f.fib, port);
	cr_assert_eq(slot->flags, 0);
	cr_assert_eq(slot->ifindex, 0);
}

Test(fib, held_until_released)
{
	fib_hold(f.fib, true);
	cr_assert(f.image->control.held);
	fixture_route_leaf(&f, MAIN, "10.0.0.0/8", REASON_PROHIBIT, false);
	fixture_settle(&f);
	cr_assert(fib_held(f.fib));
	fib_hold(f.fib, false);
	fixture_settle(&f);
	cr_assert(!fib_held(f.fib));
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.1.1"), -REASON_PROHIBIT);
}

Test(fib, local_routes_hide_what_is_below)
{
	__u32 slot = own_slot(inet_addr("10.0.0.1"));

	fixture_port(&f, 1);
	fixture_neighbour(&f, 1, "192.168.0.1", 1);
	fixture_route(&f, MAIN, "10.0.0.1/32", 1, "192.168.0.1");
	fixture_route(&f, MAIN, "10.0.0.0/24", 1, "192.168.0.1");
	fixture_route_leaf(&f, LOCAL, "10.0.0.1/32", REASON_LOCAL, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), -REASON_LOCAL);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 1);
	cr_assert(f.image->own[slot]);
	fixture_route_leaf(&f, LOCAL, "10.0.0.0/16", REASON_LOCAL, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), -REASON_LOCAL);
	fixture_route_leaf(&f, LOCAL, "10.0.0.255/32", REASON_BROADCAST, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.255"), -REASON_BROADCAST);
	fixture_route_delete(&f, LOCAL, "10.0.0.0/16");
	fixture_route_delete(&f, LOCAL, "10.0.0.1/32");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), 1);
	cr_assert(!(f.image->own[slot]));
	/* a table's own shadow under a local one of the same prefix */
	fixture_route_leaf(&f, MAIN, "10.0.0.0/28", REASON_POLICY_RULE, true);
	fixture_route_leaf(&f, LOCAL, "10.0.0.0/28", REASON_LOCAL, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), -REASON_LOCAL);
	fixture_route_delete(&f, LOCAL, "10.0.0.0/28");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), -REASON_POLICY_RULE);
	/* the same prefix in the other layer: one route, not two */
	fixture_route(&f, MAIN, "10.0.0.0/28", 1, "192.168.0.1");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 1);
	fixture_route_delete(&f, MAIN, "10.0.0.0/28");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 1);
	fixture_route_delete(&f, MAIN, "10.0.0.0/24");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), -REASON_NO_ROUTE);
}
