// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* VLAN sub-interfaces, QinQ, VRFs: which slot a tag leads to, what a frame carries, which routes count. */
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
#define RED   100
#define BLUE  200

static struct fixture f;

static void setup(void)
{
	fixture_new(&f, NULL);
}

static void teardown(void)
{
	fixture_free(&f);
}

TestSuite(fib_interface, .init = setup, .fini = teardown);

/* As the program does it: from the port's slot through the tags, {tpid, vid} each, 0 ends. */
static __u16 slot_of(__u16 port, const __u16 tags[][2], int count)
{
	__u16 slot = port + 1;

	for (int i = 0; i < count; i++) {
		__u32 table = f.image->interface[slot].vlan[tags[i][0] == ETH_P_8021AD];

		slot = table ? f.image->vlan[table * 4096 + tags[i][1]] : 0;
		if (!slot)
			return 0;
	}
	return slot;
}

static __u16 one_tag(__u16 port, __u16 tpid, __u16 vid)
{
	return slot_of(port, (const __u16[][2]){ { tpid, vid } }, 1);
}

static __u16 two_tags(__u16 port, __u16 tpid, __u16 vid, __u16 inner_tpid, __u16 inner)
{
	return slot_of(port, (const __u16[][2]){ { tpid, vid }, { inner_tpid, inner } }, 2);
}

static __u32 ifindex_of(__u16 slot)
{
	return slot ? f.image->interface[slot].ifindex : 0;
}

static void set_vlan(__u32 ifindex, __u32 parent, __u16 tpid, __u16 vid)
{
	struct fib_interface interface = fixture_vlan(ifindex, parent, tpid, vid);

	fixture_set(&f, &interface);
}

Test(fib_interface, tags_lead_to_sub_interfaces)
{
	__u16 port = fixture_port(&f, 1);

	cr_assert_eq(one_tag(port, ETH_P_8021Q, 10), 0);
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 0), 0, "no table yet: a priority tag goes to the kernel");
	set_vlan(11, 1, ETH_P_8021Q, 10);
	set_vlan(12, 1, ETH_P_8021Q, 20);
	set_vlan(13, 1, ETH_P_8021AD, 10);
	set_vlan(14, 13, ETH_P_8021Q, 4094);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 10)), 11);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 20)), 12);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021AD, 10)), 13);
	cr_assert_eq(ifindex_of(two_tags(port, ETH_P_8021AD, 10, ETH_P_8021Q, 4094)), 14);
	cr_assert_eq(two_tags(port, ETH_P_8021AD, 10, ETH_P_8021Q, 10), 0);
	cr_assert_eq(two_tags(port, ETH_P_8021Q, 10, ETH_P_8021Q, 4094), 0);
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 0), port + 1, "priority tag: the device itself");
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 30), 0);
	cr_assert_gt(one_tag(port, ETH_P_8021Q, 10), IMAGE_PORTS, "behind the ports' own slots");

	fib_interface_delete(f.fib, 11);
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 10), 0);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 20)), 12);
	fib_interface_delete(f.fib, 13);
	cr_assert_eq(one_tag(port, ETH_P_8021AD, 10), 0);
	cr_assert_eq(f.image->interface[port + 1].vlan[1], 0, "the last one takes the table with it");
	set_vlan(15, 1, ETH_P_8021Q, 10);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 10)), 15);
}

Test(fib_interface, sub_interface_before_its_device_and_its_port)
{
	__u16 port;

	set_vlan(21, 20, ETH_P_8021Q, 5);
	set_vlan(20, 1, ETH_P_8021AD, 7);
	port = fixture_port(&f, 1);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021AD, 7)), 20);
	cr_assert_eq(ifindex_of(two_tags(port, ETH_P_8021AD, 7, ETH_P_8021Q, 5)), 21);
	fib_port_delete(f.fib, port);
	cr_assert_eq(f.image->interface[port + 1].vlan[1], 0);
	fixture_settle(&f);
	cr_assert_eq(fib_port_add(f.fib, 1, &port), 0);
	cr_assert_eq(ifindex_of(two_tags(port, ETH_P_8021AD, 7, ETH_P_8021Q, 5)), 21);
}

Test(fib_interface, a_tag_that_changes_hands)
{
	__u16 port = fixture_port(&f, 1);
	struct fib_interface interface = fixture_vlan(11, 1, ETH_P_8021Q, 10);

	fixture_set(&f, &interface);
	/* the event of the new owner comes before that of the old one's end */
	set_vlan(12, 1, ETH_P_8021Q, 10);
	fib_interface_delete(f.fib, 11);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 10)), 12);
	/* another VLAN id for the same interface */
	set_vlan(12, 1, ETH_P_8021Q, 11);
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 10), 0);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 11)), 12);
	/* id 0 belongs to the device unless a sub-interface has it */
	set_vlan(13, 1, ETH_P_8021Q, 0);
	cr_assert_eq(ifindex_of(one_tag(port, ETH_P_8021Q, 0)), 13);
	fib_interface_delete(f.fib, 13);
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 0), port + 1);
}

Test(fib_interface, hostile_stacks)
{
	struct fib_interface interface = fixture_vlan(5, 1, ETH_P_8021Q, 4096);

	cr_assert_eq(fib_interface_set(f.fib, &interface), -EINVAL);
	interface = fixture_vlan(5, 1, 0x9100, 3);
	cr_assert_eq(fib_interface_set(f.fib, &interface), -EINVAL);
	interface = fixture_ethernet(5);
	interface.table = LOCAL;
	cr_assert_eq(fib_interface_set(f.fib, &interface), -EINVAL);
	/* a ring, and an interface on itself */
	set_vlan(5, 6, ETH_P_8021Q, 1);
	set_vlan(6, 5, ETH_P_8021Q, 2);
	set_vlan(7, 7, ETH_P_8021Q, 3);
	fixture_route(&f, MAIN, "10.0.0.0/8", 5, "10.0.0.1");
	cr_assert_lt(fixture_ask(&f, MAIN, "10.0.0.1"), 0);
	fib_interface_delete(f.fib, 5);
	fib_interface_delete(f.fib, 6);
	fib_interface_delete(f.fib, 7);
}

static void check_tags(const char *address, __u16 port, int count, __u32 outer, __u32 inner)
{
	const struct image_nexthop *nexthop = fixture_find(&f, MAIN, address);

	cr_assert_eq(nexthop->kind, NEXTHOP_FORWARD, "%s: %u", address, nexthop->reason);
	cr_assert_eq(nexthop->port, port);
	cr_assert_eq(nexthop->tags, count);
	cr_assert_eq(ntohl(nexthop->tag[0]), outer);
	cr_assert_eq(ntohl(nexthop->tag[1]), inner);
}

Test(fib_interface, frames_leave_with_the_tags)
{
	__u16 port = fixture_port(&f, 1);
	struct fib_interface interface;

	set_vlan(11, 1, ETH_P_8021Q, 10);
	set_vlan(13, 1, ETH_P_8021AD, 30);
	set_vlan(14, 13, ETH_P_8021Q, 4000);
	set_vlan(15, 14, ETH_P_8021Q, 1);
	for (__u32 ifindex = 11; ifindex <= 15; ifindex++) {
		char gateway[32], prefix[32];

		snprintf(gateway, sizeof(gateway), "10.0.%u.1", ifindex);
		snprintf(prefix, sizeof(prefix), "%u.0.0.0/8", 100 + ifindex);
		fixture_route(&f, MAIN, prefix, ifindex, gateway);
		fixture_neighbour(&f, ifindex, gateway, ifindex);
	}
	check_tags("111.0.0.1", port, 1, 0x8100000a, 0);
	check_tags("113.0.0.1", port, 1, 0x88a8001e, 0);
	check_tags("114.0.0.1", port, 2, 0x88a8001e, 0x81000fa0);
	cr_assert_eq(ifindex_of(fixture_find(&f, MAIN, "114.0.0.1")->interface), 14);
	cr_assert_eq(fixture_ask(&f, MAIN, "115.0.0.1"), -REASON_EGRESS_UNABLE, "three tags");
	cr_assert(memcmp((const __u8 *)fixture_find(&f, MAIN, "114.0.0.1") + 6, (__u8[]){ 2, 0, 0, 0, 0, 14 },
			 6) == 0);

	interface = fixture_vlan(14, 13, ETH_P_8021Q, 4000);
	interface.plain_tag = false;
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_ask(&f, MAIN, "114.0.0.1"), -REASON_EGRESS_UNABLE);
	interface.plain_tag = true;
	fixture_set(&f, &interface);
	check_tags("114.0.0.1", port, 2, 0x88a8001e, 0x81000fa0);

	/* the device in the middle goes down: so does what stands on it, and nothing else */
	interface = fixture_vlan(13, 1, ETH_P_8021AD, 30);
	interface.up = false;
	fixture_set(&f, &interface);
	cr_assert_eq(fixture_ask(&f, MAIN, "113.0.0.1"), -REASON_EGRESS_DOWN);
	cr_assert_eq(fixture_ask(&f, MAIN, "114.0.0.1"), -REASON_EGRESS_DOWN);
	cr_assert_eq(f.image->interface[two_tags(port, ETH_P_8021AD, 30, ETH_P_8021Q, 4000)].punt,
		     REASON_INGRESS_DOWN);
	check_tags("111.0.0.1", port, 1, 0x8100000a, 0);
	interface.up = true;
	fixture_set(&f, &interface);
	check_tags("114.0.0.1", port, 2, 0x88a8001e, 0x81000fa0);

	/* the port takes no frames any more */
	fib_port_egress(f.fib, port, false, false);
	cr_assert_eq(fixture_ask(&f, MAIN, "114.0.0.1"), -REASON_EGRESS_UNABLE);
	/* another VLAN id: other tags, written when readers have left */
	fib_port_egress(f.fib, port, true, true);
	set_vlan(14, 13, ETH_P_8021Q, 77);
	fixture_settle(&f);
	check_tags("114.0.0.1", port, 2, 0x88a8001e, 0x8100004d);
}

/* Where tags may be hidden, all goes to the kernel while there are sub-interfaces, and only then. */
Test(fib_interface, hidden_tags_matter_while_there_are_sub_interfaces)
{
	__u16 port = fixture_port(&f, 1), other = fixture_port(&f, 2);
	const struct image_interface *slots = f.image->interface;

	fib_port_tags(f.fib, port, true);
	cr_assert_not(fib_port_tagged(f.fib, port));
	cr_assert_eq(slots[port + 1].punt, 0);
	set_vlan(11, 1, ETH_P_8021AD, 10);
	cr_assert(fib_port_tagged(f.fib, port));
	cr_assert_not(fib_port_tagged(f.fib, other));
	cr_assert_eq(slots[port + 1].punt, REASON_TAG_HIDDEN);
	cr_assert_not(slots[port + 1].flags & (INTERFACE_FORWARD4 | INTERFACE_FORWARD6));
	cr_assert_eq(slots[one_tag(port, ETH_P_8021AD, 10)].punt, REASON_TAG_HIDDEN,
		     "another may be outside");
	set_vlan(12, 11, ETH_P_8021Q, 20);
	cr_assert_eq(slots[two_tags(port, ETH_P_8021AD, 10, ETH_P_8021Q, 20)].punt, REASON_TAG_HIDDEN);
	cr_assert_eq(slots[other + 1].punt, 0);

	fib_port_tags(f.fib, port, false);
	cr_assert_eq(slots[port + 1].punt, 0);
	cr_assert(slots[port + 1].flags & INTERFACE_FORWARD4);
	cr_assert_eq(slots[two_tags(port, ETH_P_8021AD, 10, ETH_P_8021Q, 20)].punt, 0);
	fib_port_tags(f.fib, port, true);
	cr_assert_eq(slots[port + 1].punt, REASON_TAG_HIDDEN);
	/* the last sub-interface moves to another port, and back, and goes */
	fib_interface_delete(f.fib, 12);
	set_vlan(11, 2, ETH_P_8021AD, 10);
	cr_assert_eq(slots[port + 1].punt, 0);
	cr_assert_eq(slots[other + 1].punt, 0);
	cr_assert_eq(slots[one_tag(other, ETH_P_8021AD, 10)].punt, 0);
	set_vlan(11, 1, ETH_P_8021AD, 10);
	cr_assert_eq(slots[port + 1].punt, REASON_TAG_HIDDEN);
	fib_interface_delete(f.fib, 11);
	cr_assert_eq(slots[port + 1].punt, 0);
	cr_assert(slots[port + 1].flags & INTERFACE_FORWARD4);

	/* the next interface that is given the number hides nothing */
	set_vlan(11, 1, ETH_P_8021Q, 10);
	fib_port_delete(f.fib, port);
	fixture_settle(&f);
	cr_assert_eq(fib_port_add(f.fib, 1, &port), 0);
	cr_assert_eq(slots[port + 1].punt, 0);
}

Test(fib_interface, a_sub_interface_that_is_a_port_itself)
{
	__u16 port = fixture_port(&f, 1), own;

	set_vlan(11, 1, ETH_P_8021Q, 10);
	fixture_route(&f, MAIN, "20.0.0.0/8", 11, "10.0.0.1");
	fixture_neighbour(&f, 11, "10.0.0.1", 1);
	check_tags("20.0.0.1", port, 1, 0x8100000a, 0);
	cr_assert_eq(fib_port_add(f.fib, 11, &own), 0);
	fib_port_egress(f.fib, own, true, false);
	fixture_settle(&f);
	check_tags("20.0.0.1", own, 0, 0, 0);
	cr_assert_eq(one_tag(port, ETH_P_8021Q, 10), own + 1);
	fib_port_delete(f.fib, own);
	fixture_settle(&f);
	check_tags("20.0.0.1", port, 1, 0x8100000a, 0);
}

Test(fib_interface, slots_wait_for_readers)
{
	struct grace_reader *reader;
	__u16 port = fixture_port(&f, 1), slot;

	set_vlan(11, 1, ETH_P_8021Q, 10);
	slot = one_tag(port, ETH_P_8021Q, 10);
	fixture_settle(&f);
	cr_assert_eq(grace_reader_add(fib_grace(f.fib), &reader), 0);
	grace_reader_online(reader);
	fib_interface_delete(f.fib, 11);
	cr_assert_eq(f.image->interface[slot].flags, 0);
	for (int i = 0; i < 5; i++) {
		set_vlan(12 + i, 1, ETH_P_8021Q, 20 + i);
		cr_assert_neq(one_tag(port, ETH_P_8021Q, 20 + i), slot);
		fib_settle(f.fib);
	}
	grace_reader_remove(fib_grace(f.fib), reader);
}

/* --- VRFs --- */

static void enslave(__u32 ifindex, __u32 table)
{
	struct fib_interface interface = fixture_ethernet(ifindex);

	interface.table = table;
	fixture_set(&f, &interface);
}

static __u16 vrf_of(__u16 port)
{
	return f.image->interface[port + 1].vrf;
}

Test(fib_interface, vrfs_with_the_same_prefixes)
{
	__u16 red, blue, plain;

	/* routes come before anybody uses the table */
	fixture_route(&f, RED, "10.0.0.0/8", 1, "192.168.1.1");
	fixture_route(&f, RED, "0.0.0.0/0", 1, "192.168.1.2");
	fixture_route(&f, BLUE, "10.0.0.0/8", 2, "192.168.2.1");
	fixture_route(&f, MAIN, "10.0.0.0/8", 3, "192.168.3.1");
	cr_assert_eq(fixture_ask(&f, RED, "10.1.1.1"), -REASON_INTERFACE_UNKNOWN);
	red = fixture_port(&f, 1);
	blue = fixture_port(&f, 2);
	plain = fixture_port(&f, 3);
	for (int i = 1; i <= 3; i++) {
		char gateway[32];

		snprintf(gateway, sizeof(gateway), "192.168.%d.1", i);
		fixture_neighbour(&f, i, gateway, i);
	}
	fixture_neighbour(&f, 1, "192.168.1.2", 9);
	enslave(1, RED);
	enslave(2, BLUE);
	cr_assert_eq(vrf_of(plain), 0);
	cr_assert_neq(vrf_of(red), 0);
	cr_assert_neq(vrf_of(blue), 0);
	cr_assert_neq(vrf_of(red), vrf_of(blue));
	cr_assert_eq(fixture_ask(&f, RED, "10.1.1.1"), 1);
	cr_assert_eq(fixture_ask(&f, BLUE, "10.1.1.1"), 2);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.1.1.1"), 3);
	cr_assert_eq(fixture_ask(&f, RED, "11.1.1.1"), 9);
	cr_assert_eq(fixture_ask(&f, BLUE, "11.1.1.1"), -REASON_NO_ROUTE,
		     "no way from a VRF to the main table");

	/* a leak: a route of one VRF by an interface of another */
	fixture_route(&f, BLUE, "12.0.0.0/8", 1, "192.168.1.1");
	cr_assert_eq(fixture_ask(&f, BLUE, "12.1.1.1"), 1);

	/* the last interface leaves: the table is kept, and comes back whole */
	enslave(1, MAIN);
	cr_assert_eq(fixture_ask(&f, RED, "10.1.1.1"), -REASON_INTERFACE_UNKNOWN);
	fixture_route(&f, RED, "13.0.0.0/8", 1, "192.168.1.1");
	fixture_route_delete(&f, RED, "10.0.0.0/8");
	fixture_settle(&f);
	enslave(1, RED);
	cr_assert_eq(fixture_ask(&f, RED, "10.1.1.1"), 9);
	cr_assert_eq(fixture_ask(&f, RED, "13.1.1.1"), 1);
}

Test(fib_interface, local_routes_count_in_every_vrf)
{
	fixture_port(&f, 1);
	enslave(1, RED);
	fixture_neighbour(&f, 1, "192.168.1.1", 1);
	fixture_route(&f, RED, "10.0.0.0/8", 1, "192.168.1.1");
	fixture_route(&f, BLUE, "10.0.0.0/8", 1, "192.168.1.1");
	fixture_route_leaf(&f, LOCAL, "10.5.5.5/32", REASON_LOCAL, true);
	fixture_route_leaf(&f, LOCAL, "127.0.0.0/8", REASON_LOCAL, true);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.5.5.5"), -REASON_LOCAL);
	cr_assert_eq(fixture_ask(&f, RED, "10.5.5.5"), -REASON_LOCAL);
	cr_assert_eq(fixture_ask(&f, RED, "127.0.0.1"), -REASON_MARTIAN_DESTINATION);
	/* a VRF that comes later, with a shadow of its own for the same prefix */
	fixture_route_leaf(&f, BLUE, "10.5.5.5/32", REASON_POLICY_RULE, true);
	fixture_port(&f, 2);
	enslave(2, BLUE);
	cr_assert_eq(fixture_ask(&f, BLUE, "10.5.5.5"), -REASON_LOCAL);
	cr_assert_eq(fixture_ask(&f, BLUE, "10.5.5.6"), 1);
	fixture_route_delete(&f, LOCAL, "10.5.5.5/32");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.5.5.5"), -REASON_NO_ROUTE);
	cr_assert_eq(fixture_ask(&f, RED, "10.5.5.5"), 1);
	cr_assert_eq(fixture_ask(&f, BLUE, "10.5.5.5"), -REASON_POLICY_RULE);
	/* a range that is never forwarded stays so */
	fixture_route_delete(&f, LOCAL, "127.0.0.0/8");
	cr_assert_eq(fixture_ask(&f, RED, "127.0.0.1"), -REASON_MARTIAN_DESTINATION);
	/* closed and opened again, with what lay under the local route */
	fixture_route_leaf(&f, LOCAL, "10.5.5.5/32", REASON_LOCAL, true);
	enslave(2, MAIN);
	fixture_settle(&f);
	enslave(2, BLUE);
	cr_assert_eq(fixture_ask(&f, BLUE, "10.5.5.5"), -REASON_LOCAL);
	fixture_route_delete(&f, LOCAL, "10.5.5.5/32");
	cr_assert_eq(fixture_ask(&f, BLUE, "10.5.5.5"), -REASON_POLICY_RULE);
}

/* --- neighbours on link --- */

Test(fib_interface, neighbours_on_link_have_routes_of_their_own)
{
	fixture_port(&f, 1);
	fixture_port(&f, 2);
	fixture_neighbour(&f, 1, "10.0.0.2", 2);
	fixture_neighbour(&f, 2, "10.0.0.3", 3);
	fixture_neighbour(&f, 1, "2001:db8::5", 5);
	fixture_route(&f, MAIN, "10.0.0.0/24", 1, NULL);
	fixture_route(&f, MAIN, "2001:db8::/64", 1, NULL);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 2);
	cr_assert_eq(fixture_ask(&f, MAIN, "2001:db8::5"), 5);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.3"), -REASON_NEIGHBOUR, "it lives on another link");
	cr_assert(fixture_find(&f, MAIN, "10.0.0.3")->flags & NEXTHOP_UNICAST);
	fixture_neighbour(&f, 1, "10.0.0.4", 4);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.4"), 4);
	/* a kernel route that is better */
	fixture_neighbour(&f, 2, "10.9.9.9", 99);
	fixture_route(&f, MAIN, "10.0.0.4/31", 2, "10.9.9.9");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.4"), 99);
	fixture_route_delete(&f, MAIN, "10.0.0.4/31");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.4"), 4);
	fixture_route(&f, MAIN, "10.0.0.4/32", 2, "10.9.9.9");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.4"), 99);
	/* a kernel host route that is on link itself */
	fixture_route(&f, MAIN, "10.0.0.4/32", 1, NULL);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.4"), 4);
	fixture_neighbour(&f, 1, "10.0.0.4", -1);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.4"), -REASON_NEIGHBOUR);
	/* by the default route, as with proxy ARP */
	fixture_neighbour(&f, 1, "77.0.0.1", 77);
	cr_assert_eq(fixture_ask(&f, MAIN, "77.0.0.1"), -REASON_NO_ROUTE);
	fixture_route(&f, MAIN, "0.0.0.0/0", 1, NULL);
	cr_assert_eq(fixture_ask(&f, MAIN, "77.0.0.1"), 77);
	fixture_route_delete(&f, MAIN, "10.0.0.0/24");
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 2);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.3"), -REASON_NEIGHBOUR);
}

static void note_gateway(void *arg, __u32 ifindex, __u8 family, const __u8 *address)
{
	unsigned *seen = arg;

	cr_assert_eq(family, AF_INET);
	seen[0]++;
	seen[1] += address[3];
}

/* Neighbour i of many: half of them in 10.1.0.0/17, half above. */
static const char *many_address(unsigned i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.1.%u.%u", i % 2 * 128 + i / 2 / 200, 1 + i / 2 % 200);
	return text;
}

static void check_many(unsigned count, const int last[2], const char *when)
{
	for (unsigned i = 0; i < count; i++)
		cr_assert_eq(fixture_ask(&f, MAIN, many_address(i)), last[i % 2], "%s: %s", when,
			     many_address(i));
}

/* So many that their host routes are reviewed in steps; each has the answer from before or from after. */
Test(fib_interface, many_neighbours_on_link_follow_routes_in_steps)
{
	enum { COUNT = 5000 };
	unsigned steps = 0;

	fixture_port(&f, 1);
	fixture_port(&f, 2);
	fixture_neighbour(&f, 2, "192.168.0.1", 9);
	for (unsigned i = 0; i < COUNT; i++)
		fixture_neighbour(&f, 1, many_address(i), 7);
	fixture_route(&f, MAIN, "10.1.0.0/16", 1, NULL);
	fixture_settle(&f);
	check_many(COUNT, (int[]){ 7, 7 }, "on link");
	fixture_route(&f, MAIN, "10.1.0.0/17", 2, "192.168.0.1");
	while (fib_settle(f.fib) && steps++ < 3) {
		for (unsigned i = 10; i < COUNT - 10; i++) {
			int last = fixture_ask(&f, MAIN, many_address(i));

			cr_assert(last == 7 || (last == 9 && i % 2 == 0), "%s: %d", many_address(i), last);
		}
		/* the list that is walked changes */
		fixture_neighbour(&f, 1, many_address(steps), -1);
		fixture_neighbour(&f, 1, many_address(COUNT - steps), -1);
		fixture_neighbour(&f, 1, many_address(COUNT + steps), 7);
	}
	cr_assert_gt(steps, 0);
	for (unsigned i = 0; i < COUNT; i++)
		fixture_neighbour(&f, 1, many_address(i), 7);
	fixture_settle(&f);
	check_many(COUNT, (int[]){ 9, 7 }, "half by a gateway");
	/* More is wanted before the first is done. */
	fixture_route_delete(&f, MAIN, "10.1.0.0/17");
	fib_settle(f.fib);
	fixture_route(&f, MAIN, "10.1.128.0/17", 2, "192.168.0.1");
	fixture_settle(&f);
	check_many(COUNT, (int[]){ 7, 9 }, "the other half");
	fixture_route_delete(&f, MAIN, "10.1.0.0/16");
	fixture_route_delete(&f, MAIN, "10.1.128.0/17");
	fixture_settle(&f);
	check_many(COUNT, (int[]){ -REASON_NO_ROUTE, -REASON_NO_ROUTE }, "none");
}

Test(fib_interface, gateways_are_told_from_neighbours_on_link)
{
	unsigned seen[2] = { 0, 0 };

	fixture_port(&f, 1);
	fixture_route(&f, MAIN, "10.0.0.0/24", 1, NULL);
	fixture_neighbour(&f, 1, "10.0.0.2", 2);
	fixture_neighbour(&f, 1, "10.0.0.3", 3);
	fixture_route(&f, MAIN, "20.0.0.0/8", 1, "10.0.0.3");
	fixture_route(&f, MAIN, "30.0.0.0/8", 1, "10.0.0.4");
	fib_gateways(f.fib, note_gateway, seen);
	cr_assert_eq(seen[0], 2);
	cr_assert_eq(seen[1], 7);
}

Test(fib_interface, owned_leaf_goes_on_link_and_back)
{
	struct fib_path path = fixture_path(1, NULL, 1);
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 1, .path = &path };
	__u32 leaf;

	fixture_port(&f, 1);
	fixture_port(&f, 2);
	fixture_neighbour(&f, 1, "10.0.0.2", 2);
	fixture_neighbour(&f, 2, "10.0.0.2", 22);
	fixture_neighbour(&f, 1, "10.0.1.1", 11);
	cr_assert_eq(fib_leaf_new(f.fib, &spec, &leaf), 0);
	fixture_route_leaf(&f, MAIN, "10.0.0.0/24", leaf, false);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 2);
	path.ifindex = 2;
	cr_assert_eq(fib_leaf_change(f.fib, leaf, &spec), 0);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 22);
	path = fixture_path(1, "10.0.1.1", 1);
	cr_assert_eq(fib_leaf_change(f.fib, leaf, &spec), 0);
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 11);
	fib_leaf_put(f.fib, leaf);
}
