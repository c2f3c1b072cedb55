// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// VRFs and VLANs: needs a kernel that has them, as those of the virtual machines do.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <sys/socket.h>

#include "host/fib/view.h"
#include "tests/netns/mirror_fixture.h"

#define RED  10
#define BLUE 20

static struct mirror_fixture fixture;

static void setup(void)
{
	mirror_fixture_namespace(&fixture);
}

TestSuite(mirror_vrf, .init = setup);

static bool lacks_vrf(void)
{
	return mirror_fixture_try(
		"ip link add probe type vrf table 99 2> /dev/null && ip link del dev probe");
}

static bool lacks_vlan(void)
{
	return mirror_fixture_try(
		"ip link add link v0 name probe type vlan id 9 2> /dev/null && ip link del dev probe");
}

static void change(const char *command)
{
	mirror_fixture_run("%s", command);
	mirror_fixture_settle(&fixture);
}

static struct view_interface interface_of(const char *name)
{
	struct view_interface interface;

	cr_assert(mirror_fixture_interface(&fixture, name, &interface), "the fib does not know %s", name);
	return interface;
}

#define VRFS                                                                                                 \
	"ip link add red type vrf table 10; ip link set dev red up; ip link add blue type vrf table 20; ip " \
	"link set dev blue up; "                                                                             \
	"ip link set dev v0 master red; ip link set dev v1 master blue; "                                    \
	"ip -6 addr replace 2001:db8:0::1/64 dev v0 nodad; ip -6 addr replace 2001:db8:1::1/64 dev v1 nodad"

Test(mirror_vrf, devices_join_and_leave)
{
	if (lacks_vrf())
		cr_skip_test("this kernel has no VRF");
	mirror_fixture_start(&fixture, NULL);
	mirror_fixture_ports(&fixture);
	cr_expect_eq(interface_of("v0").table, 254);
	change(VRFS);
	cr_expect_eq(interface_of("v0").table, RED);
	cr_expect_eq(interface_of("v1").table, BLUE);
	cr_expect_eq(interface_of("v2").table, 254);
	cr_expect_eq(interface_of("v0").punt, REASON_FORWARDED);
	change("ip link set dev red down");
	cr_expect_eq(interface_of("v0").punt, REASON_HELD);
	change("ip link set dev red up");
	cr_expect_eq(interface_of("v0").punt, REASON_FORWARDED);
	/* Without the rule the kernel does not look at the tables of VRFs. */
	change("ip rule del pref 1000");
	cr_expect_eq(interface_of("v0").punt, REASON_POLICY_RULE);
	cr_expect_eq(interface_of("v2").punt, REASON_FORWARDED);
	change("ip rule add l3mdev pref 1000");
	cr_expect_eq(interface_of("v0").punt, REASON_FORWARDED);
	change("ip link set dev v0 nomaster");
	cr_expect_eq(interface_of("v0").table, 254);
	change("ip link del dev blue");
	cr_expect_eq(interface_of("v1").table, 254);
	cr_expect(!rib_table_is_open(mirror_rib(fixture.mirror), BLUE));
	cr_expect(rib_table_is_open(mirror_rib(fixture.mirror), RED));
	mirror_fixture_stop(&fixture);
}

static unsigned dice;

static unsigned below(unsigned n)
{
	return (unsigned)rand_r(&dice) % n;
}

static void batch_route(FILE *batch)
{
	static const unsigned tables[] = { RED, BLUE, 254 };
	unsigned which = below(3), link = below(8) ? which : below(3); /* now and then a route leaks */
	const char *verb = below(3) ? "replace" : "del";
	unsigned third = below(4), length = 16 + 8 * below(2);

	if (below(2))
		fprintf(batch, "route %s 10.100.%u.0/%u via 10.0.%u.%u dev v%u table %u onlink metric %u\n",
			verb, length == 16 ? 0 : third, length, link, 2 + below(4), link, tables[which],
			below(2) * 10);
	else
		fprintf(batch, "route %s 2001:db8:10%u::/%u via 2001:db8:%u::%u dev v%u table %u metric %u\n",
			verb, third, 48, link, 2 + below(4), link, tables[which], 1 + below(2) * 10);
}

static void probe(unsigned seed, unsigned round)
{
	__u32 vrf[] = { if_nametoindex("red"), if_nametoindex("blue"), 0 };
	static const __u32 table[] = { RED, BLUE, 254 };

	for (unsigned i = 0; i < 300; i++) {
		__u8 ipv4[16] = { 10, 100, (__u8)below(5), (__u8)below(256) };
		__u8 ipv6[16] = { 0x20, 1, 0x0d, 0xb8, 1, (__u8)below(5) };
		unsigned which = below(3), punts = 0;
		bool v6 = below(2);

		if (!below(6)) {
			memcpy(ipv4, (__u8[]){ 10, 0, (__u8)below(3), (__u8)below(4) }, 4);
			memcpy(ipv6 + 4, (__u8[]){ 0, (__u8)below(3) }, 2);
			ipv6[15] = (__u8)below(3);
		}
		cr_assert(mirror_fixture_same_in(&fixture, v6 ? AF_INET6 : AF_INET, v6 ? ipv6 : ipv4,
						 vrf[which], table[which], &punts),
			  "seed %u, round %u, table %u", seed, round, table[which]);
	}
}

Test(mirror_vrf, the_same_prefixes_in_three_tables)
{
	unsigned seed = 20261130;

	if (lacks_vrf())
		cr_skip_test("this kernel has no VRF");
	mirror_fixture_run("ip route add 10.100.0.0/16 via 10.0.0.9 dev v0 onlink table 10 metric 77");
	mirror_fixture_run(VRFS);
	mirror_fixture_start(&fixture, NULL);
	dice = seed;
	for (unsigned round = 0; round < 15; round++) {
		FILE *batch = popen("ip -force -batch - > /dev/null 2>&1", "w");

		for (int i = 0; i < 40; i++)
			batch_route(batch);
		pclose(batch);
		if (round ==
		    7) /* all routes of a VRF go with it, and come back only as they are told again */
			mirror_fixture_run("ip link del dev red; ip link add red type vrf table 10; ip link "
					   "set dev red up; "
					   "ip link set dev v0 master red; ip -6 addr replace "
					   "2001:db8:0::1/64 dev v0 nodad");
		mirror_fixture_settle(&fixture);
		probe(seed, round);
	}
	mirror_fixture_stop(&fixture);
}

Test(mirror_vrf, vlans_over_a_port)
{
	if (lacks_vlan())
		cr_skip_test("this kernel has no VLAN");
	mirror_fixture_start(&fixture, NULL);
	mirror_fixture_ports(&fixture);
	change("ip link add link v0 name v0.7 type vlan id 7; ip link set dev v0.7 up; "
	       "ip link add link v0 name v0s type vlan proto 802.1ad id 9; ip link set dev v0s up; "
	       "ip link add link v0s name v0s.5 type vlan id 5; ip link set dev v0s.5 up; ip addr add "
	       "10.7.0.1/24 dev v0.7");
	cr_expect_eq(interface_of("v0.7").parent, fixture.ifindex[0]);
	cr_expect_eq(interface_of("v0.7").vid, 7);
	cr_expect_eq(interface_of("v0.7").tpid, 0x8100);
	cr_expect_eq(interface_of("v0s").tpid, 0x88a8);
	cr_expect_eq(interface_of("v0s.5").parent, if_nametoindex("v0s"));
	cr_expect_neq(interface_of("v0.7").slot, 0);
	cr_expect_eq(interface_of("v0.7").egress, REASON_FORWARDED);
	/* Tags with priorities are the kernel's business. */
	change("ip link set dev v0.7 type vlan egress-qos-map 0:3");
	cr_expect_neq(interface_of("v0.7").egress, REASON_FORWARDED);
	change("ip link set dev v0 down");
	cr_expect_neq(interface_of("v0s.5").egress, REASON_FORWARDED);
	change("ip link set dev v0 up; ip link set dev v0.7 up; ip link set dev v0s up; ip link set dev "
	       "v0s.5 up; sleep 1.2");
	cr_expect_eq(interface_of("v0s.5").egress, REASON_FORWARDED);
	change("ip link del dev v0s");
	cr_expect_null(links_named(mirror_links(fixture.mirror), "v0s.5"));
	mirror_fixture_stop(&fixture);
}
