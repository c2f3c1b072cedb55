// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// What is around the routes: links and sysctls, policy rules, netfilter, neighbours, as the fib is told about
// them.

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "host/fib/view.h"
#include "tests/netns/mirror_fixture.h"

#define SOON 150  /* ms: events and the looks that follow them */
#define POLL 1400 /* ms: what is only found by looking */

static struct mirror_fixture fixture;

static void setup(void)
{
	mirror_fixture_namespace(&fixture);
	mirror_fixture_start(&fixture, NULL);
	mirror_fixture_ports(&fixture);
}

static void teardown(void)
{
	mirror_fixture_stop(&fixture);
}

TestSuite(mirror_world, .init = setup, .fini = teardown);

static struct view_interface interface_of(const char *name)
{
	struct view_interface interface;

	cr_assert(mirror_fixture_interface(&fixture, name, &interface), "the fib does not know %s", name);
	return interface;
}

static void change(unsigned ms, const char *command)
{
	mirror_fixture_run("%s", command);
	mirror_fixture_pass(&fixture, ms);
}

static void expect_flag(const char *name, enum interface_flag flag, bool on, const char *when)
{
	bool is = interface_of(name).flags & flag;

	cr_expect_eq(is, on, "%s: flag %#x of %s is %d", when, flag, name, is);
}

static void expect_punt(const char *name, enum reason reason, const char *when)
{
	cr_expect_eq(interface_of(name).punt, reason, "%s: %s punts for reason %u, not %u", when, name,
		     interface_of(name).punt, reason);
}

/* --- sysctls --- */

static void sysctl(unsigned ms, const char *assignment)
{
	mirror_fixture_run("sysctl -qw %s", assignment);
	mirror_fixture_pass(&fixture, ms);
}

Test(mirror_world, sysctls_are_followed)
{
	expect_flag("v0", INTERFACE_FORWARD4, true, "at start");
	expect_flag("v0", INTERFACE_FORWARD6, true, "at start");
	expect_flag("v0", INTERFACE_REDIRECTS, true, "at start");
	sysctl(SOON, "net.ipv4.conf.v0.forwarding=0");
	expect_flag("v0", INTERFACE_FORWARD4, false, "v0.forwarding=0");
	expect_flag("v1", INTERFACE_FORWARD4, true, "v0.forwarding=0");
	sysctl(SOON, "net.ipv4.ip_forward=0");
	expect_flag("v1", INTERFACE_FORWARD4, false, "ip_forward=0");
	sysctl(SOON, "net.ipv4.ip_forward=1");
	expect_flag("v0", INTERFACE_FORWARD4, true, "ip_forward=1");
	sysctl(SOON, "net.ipv6.conf.all.forwarding=0");
	expect_flag("v0", INTERFACE_FORWARD6, false, "IPv6 all.forwarding=0");
	sysctl(SOON, "net.ipv6.conf.all.forwarding=1");
	expect_flag("v0", INTERFACE_FORWARD6, true, "IPv6 all.forwarding=1");
	sysctl(SOON, "net.ipv4.conf.v0.rp_filter=1");
	expect_flag("v0", INTERFACE_RPF_STRICT, true, "v0.rp_filter=1");
	sysctl(SOON, "net.ipv4.conf.all.rp_filter=2");
	expect_flag("v0", INTERFACE_RPF_STRICT, false, "all.rp_filter=2");
	expect_flag("v0", INTERFACE_RPF_LOOSE, true, "all.rp_filter=2");
	expect_flag("v1", INTERFACE_RPF_LOOSE, true, "all.rp_filter=2");
	/* These tell nobody. */
	sysctl(POLL, "net.ipv4.conf.v0.send_redirects=0");
	expect_flag("v0", INTERFACE_REDIRECTS, true, "v0.send_redirects=0, all=1");
	sysctl(POLL, "net.ipv4.conf.all.send_redirects=0");
	expect_flag("v0", INTERFACE_REDIRECTS, false, "both send_redirects=0");
	expect_flag("v1", INTERFACE_REDIRECTS, true, "both send_redirects=0 for v0 only");
	sysctl(POLL, "net.ipv6.conf.v0.disable_ipv6=1");
	expect_flag("v0", INTERFACE_FORWARD6, false, "v0.disable_ipv6=1");
}

/* --- links --- */

Test(mirror_world, links_come_change_and_go)
{
	struct view_interface interface;
	__u32 changed = fixture.changed;

	change(SOON,
	       "ip link add w0 type veth peer name w1 && ip link set dev w0 up && ip link set dev w1 up");
	cr_expect(mirror_fixture_interface(&fixture, "w0", &interface));
	cr_expect_gt(fixture.changed, changed);
	changed = fixture.changed;
	change(SOON, "ip link set dev w0 down; ip link set dev w0 name w9; ip link set dev w9 up");
	cr_expect_gt(fixture.changed, changed);
	cr_expect_not_null(links_named(mirror_links(fixture.mirror), "w9"));
	cr_expect_null(links_named(mirror_links(fixture.mirror), "w0"));
	change(SOON, "ip link del dev w9");
	cr_expect_null(links_named(mirror_links(fixture.mirror), "w9"));
	cr_expect_null(links_named(mirror_links(fixture.mirror), "w1"));
}

/* IPv6 follows the MTU after the kernel has told of it, without a word: what is too long must not go out. */
Test(mirror_world, a_lower_mtu_is_one_for_ipv6_at_once)
{
	struct fib_interface interface;

	for (int i = 0; i < 5; i++) {
		__u32 mtu = 1500 - 40 * i;

		mirror_fixture_run("ip link set dev v0 mtu %u", mtu);
		mirror_fixture_pass(&fixture, 20);
		links_interface(mirror_links(fixture.mirror), links_named(mirror_links(fixture.mirror), "v0"),
				&interface);
		cr_expect_eq(interface.mtu4, mtu);
		cr_expect_leq(interface.mtu6, mtu, "%u", interface.mtu6);
	}
	mirror_fixture_run("ip link set dev v0 mtu 1279");
	mirror_fixture_pass(&fixture, 20);
	expect_flag("v0", INTERFACE_FORWARD6, false, "an MTU too small for IPv6");
}

/* A device without carrier goes down: that takes its IPv4 routes, in silence. */
Test(mirror_world, a_link_goes_down_after_its_carrier)
{
	mirror_fixture_run("ip route add 10.90.0.0/16 via 10.0.0.2; ip route add 10.90.0.0/17 via 10.0.1.2");
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, "10.90.200.1"));
	mirror_fixture_run("ip link set dev p0 down; sleep 2"); /* the kernel looks once a second */
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, "10.90.200.1"));
	mirror_fixture_run("ip link set dev v0 down; ip link set dev v0 up; ip link set dev p0 up");
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, "10.90.200.1"));
	cr_expect(mirror_fixture_same_text(&fixture, "10.90.0.1"));
}

/* The same name on another device, again and again, and devices that leave for another namespace. */
Test(mirror_world, links_churn)
{
	for (int i = 0; i < 20; i++) {
		mirror_fixture_run("ip link add w0 type veth peer name w1; ip link set dev w0 up; ip link "
				   "set dev w1 up; "
				   "ip addr add 10.9.0.1/24 dev w0; ip route add 10.10.0.0/16 via 10.9.0.2; "
				   "ip link del dev w0");
		if (i % 5 == 4)
			mirror_fixture_pass(&fixture, 20);
	}
	mirror_fixture_run("ip link add w0 type veth peer name w1; ip link set dev w0 up; ip addr add "
			   "10.9.0.1/24 dev w0; "
			   "ip route add 10.10.0.0/16 dev w0; unshare -n sleep 2 & sleep 0.2; ip link set "
			   "dev w0 netns $!");
	mirror_fixture_settle(&fixture);
	cr_expect_null(links_named(mirror_links(fixture.mirror), "w0"));
	cr_expect(mirror_fixture_same_text(&fixture, "10.10.0.1"));
	cr_expect(mirror_fixture_same_text(&fixture, "10.9.0.1"));
}

Test(mirror_world, what_a_bridge_or_another_device_takes_stays_in_the_kernel)
{
	expect_punt("v0", REASON_FORWARDED, "at start");
	change(SOON, "ip link add br0 type bridge && ip link set dev v0 master br0");
	expect_punt("v0", REASON_HELD, "port of a bridge");
	change(SOON, "ip link set dev v0 nomaster");
	expect_punt("v0", REASON_FORWARDED, "out of the bridge");
	change(SOON, "ip link add mv0 link v0 type macvlan mode passthru");
	expect_punt("v0", REASON_HELD, "below a passthru macvlan");
	change(SOON, "ip link del dev mv0");
	expect_punt("v0", REASON_FORWARDED, "without it");
}

/* A route dies with its device's last address, in silence. */
Test(mirror_world, addresses_take_routes_along)
{
	mirror_fixture_run(
		"ip addr add 10.7.0.1/24 dev v0; ip route add 10.70.0.0/16 via 10.0.0.2 src 10.7.0.1; "
		"ip route add 10.71.0.0/16 via 10.0.0.2");
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, "10.70.0.1"));
	change(SOON, "ip addr del 10.7.0.1/24 dev v0");
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, "10.70.0.1"));
	cr_expect(mirror_fixture_same_text(&fixture, "10.71.0.1"));
	change(SOON, "ip addr del 10.0.0.1/24 dev v0");
	mirror_fixture_settle(&fixture);
	cr_expect(mirror_fixture_same_text(&fixture, "10.71.0.1"));
	cr_expect(mirror_fixture_same_text(&fixture, "10.0.0.1"));
}

/* --- policy rules --- */

static void expect_image(const char *address, const char *want, const char *when)
{
	__u8 family = strchr(address, ':') ? AF_INET6 : AF_INET, bytes[16] = { 0 };
	char got[ORACLE_TEXT];

	cr_assert_eq(inet_pton(family, address, bytes), 1);
	mirror_fixture_ask(&fixture, family, bytes, RT_TABLE_MAIN, got);
	cr_expect_str_eq(got, want, "%s: the image has \"%s\" for %s", when, got, address);
}

#define POLICY "punt 14"

Test(mirror_world, policy_rules_punt_what_they_could_match)
{
	char via[80];

	mirror_fixture_run(
		"ip route add 10.80.0.0/16 via 10.0.0.2; ip -6 route add 2001:db8:80::/48 via 2001:db8:1::2");
	mirror_fixture_pass(&fixture, SOON);
	sprintf(via, "via %u:10.0.0.2*1", fixture.ifindex[0]);
	expect_image("10.80.0.1", via, "at start");
	change(SOON, "ip rule add to 10.80.1.0/24 lookup 100 pref 100");
	expect_image("10.80.1.1", POLICY, "rule to");
	expect_image("10.80.0.1", via, "rule to");
	change(SOON, "ip rule del pref 100; ip rule add from 192.0.2.0/24 lookup 100 pref 100");
	expect_image("10.80.0.1", POLICY, "rule from");
	expect_image("10.0.0.1", "local", "rule from");
	expect_image("2001:db8:80::1", "via 5:2001:db8:1::2*1", "rule from");
	change(SOON, "ip rule del pref 100");
	expect_image("10.80.0.1", via, "without the rule");
	change(SOON, "ip rule add from 192.0.2.0/24 lookup 100 pref 40000");
	expect_image("10.80.0.1", via, "rule behind main");
	change(SOON, "ip rule del pref 40000; ip rule add fwmark 1 lookup 100 pref 100");
	expect_image("10.80.0.1", POLICY, "rule by mark");
	change(SOON, "ip rule del pref 100; ip rule add oif v1 lookup 100 pref 100; ip rule add iif lo "
		     "lookup 100 pref 101");
	expect_image("10.80.0.1", via, "rules for packets of this host");
	expect_punt("v0", REASON_FORWARDED, "rules for packets of this host");
	change(SOON, "ip rule del pref 100; ip rule del pref 101; ip rule del pref 32766");
	expect_image("10.80.0.1", POLICY, "without lookup main");
	change(SOON,
	       "ip rule add lookup main pref 32766; ip -6 rule add from 2001:db8:5::/48 lookup 100 pref 100");
	expect_image("10.80.0.1", via, "IPv6 rule");
	expect_image("2001:db8:80::1", POLICY, "IPv6 rule");
}

Test(mirror_world, policy_rules_by_device)
{
	change(SOON, "ip rule add iif v0 lookup 100 pref 100");
	expect_punt("v0", REASON_POLICY_RULE, "rule iif v0");
	expect_punt("v1", REASON_FORWARDED, "rule iif v0");
	/* The kernel looks sources up as if packets had come in where they go out. */
	sysctl(SOON, "net.ipv4.conf.v1.rp_filter=1");
	expect_punt("v1", REASON_POLICY_RULE, "rule iif v0, v1 checks sources");
	change(SOON, "ip rule del pref 100");
	expect_punt("v0", REASON_FORWARDED, "without the rule");
	expect_punt("v1", REASON_FORWARDED, "without the rule");
	/* Rules that differ in what is not looked at are still two. */
	change(SOON, "ip rule add iif v0 ipproto tcp dport 80 lookup 100 pref 100; ip rule add iif v0 "
		     "ipproto tcp dport 81 lookup 100 "
		     "pref 100; ip rule del iif v0 ipproto tcp dport 80 pref 100");
	expect_punt("v0", REASON_POLICY_RULE, "one of two rules by port is left");
}

/* --- netfilter --- */

static bool have(const char *command)
{
	return mirror_fixture_try("command -v %s > /dev/null 2>&1", command) == 0;
}

Test(mirror_world, nftables_at_the_hooks_of_forwarding)
{
	if (!have("nft"))
		cr_skip_test("nft is not installed");
	change(SOON, "nft add table ip t; nft 'add chain ip t f { type filter hook forward priority 0; }'");
	expect_punt("v0", REASON_FORWARDED, "an empty chain");
	change(SOON, "nft add rule ip t f ip daddr 192.0.2.1 accept");
	expect_punt("v0", REASON_NETFILTER, "a rule");
	cr_expect_not_null(strstr(mirror_netfilter(fixture.mirror)->why_rules, "'ip t f' has 1 rule"), "%s",
			   mirror_netfilter(fixture.mirror)->why_rules);
	mirror_bypass_netfilter(fixture.mirror, true);
	expect_punt("v0", REASON_FORWARDED, "bypass");
	mirror_bypass_netfilter(fixture.mirror, false);
	expect_punt("v0", REASON_NETFILTER, "no bypass");
	change(SOON, "nft flush chain ip t f");
	expect_punt("v0", REASON_FORWARDED, "flushed");
	change(SOON, "nft 'chain ip t f { policy drop; }'");
	expect_punt("v0", REASON_NETFILTER, "policy drop");
	change(SOON, "nft delete table ip t; nft add table inet i; nft 'add chain inet i in { type filter "
		     "hook input priority 0; policy drop; }'; "
		     "nft add rule inet i in accept");
	expect_punt("v0", REASON_FORWARDED, "input only");
	change(SOON, "nft delete table inet i; nft add table netdev n; nft 'add chain netdev n g { type "
		     "filter hook ingress device v0 "
		     "priority 0; }'; nft add rule netdev n g accept");
	expect_punt("v0", REASON_NETFILTER, "ingress of v0");
	expect_punt("v1", REASON_FORWARDED, "ingress of v0");
	change(SOON, "nft delete table netdev n");
	expect_punt("v0", REASON_FORWARDED, "nothing left");
}

Test(mirror_world, legacy_iptables)
{
	if (!have("iptables-legacy") || mirror_fixture_try("iptables-legacy -S > /dev/null 2>&1"))
		cr_skip_test("this kernel or system has no iptables-legacy");
	change(POLL, "true");
	expect_punt("v0", REASON_FORWARDED, "an empty table");
	change(POLL, "iptables-legacy -A INPUT -j ACCEPT");
	expect_punt("v0", REASON_FORWARDED, "a rule for INPUT");
	change(POLL, "iptables-legacy -A FORWARD -j ACCEPT");
	expect_punt("v0", REASON_NETFILTER, "a rule for FORWARD");
	change(POLL, "iptables-legacy -F");
	expect_punt("v0", REASON_FORWARDED, "flushed");
	change(POLL, "iptables-legacy -P FORWARD DROP");
	expect_punt("v0", REASON_NETFILTER, "policy DROP");
	change(POLL, "iptables-legacy -P FORWARD ACCEPT");
	expect_punt("v0", REASON_FORWARDED, "policy ACCEPT");
	change(POLL, "ip6tables-legacy -t mangle -A PREROUTING -j ACCEPT");
	expect_punt("v0", REASON_NETFILTER, "a rule of ip6tables");
}

Test(mirror_world, ipsec_policies)
{
	if (mirror_fixture_try("ip xfrm policy > /dev/null 2>&1"))
		cr_skip_test("this kernel has no IPsec");
	change(SOON,
	       "ip xfrm policy add src 192.0.2.0/24 dst 198.51.100.0/24 dir in tmpl proto esp mode tunnel");
	expect_punt("v0", REASON_FORWARDED, "a policy for packets to this host");
	change(SOON,
	       "ip xfrm policy add src 192.0.2.0/24 dst 198.51.100.0/24 dir out tmpl proto esp mode tunnel");
	expect_punt("v0", REASON_XFRM, "an outbound policy");
	mirror_bypass_netfilter(fixture.mirror, true);
	expect_punt("v0", REASON_XFRM, "bypass does not concern IPsec");
	change(SOON, "ip xfrm policy flush");
	expect_punt("v0", REASON_FORWARDED, "flushed");
}

/* --- neighbours --- */

static bool is_neighbour(const char *address, const char *mac)
{
	return mirror_fixture_try("ip neigh show to %s | grep -q '%s'", address, mac) == 0;
}

struct neighbour_search {
	__u8 address[4];
	bool usable;
	__u8 mac[6];
};

static bool take_neighbour(void *arg, const struct view_neighbour *neighbour)
{
	struct neighbour_search *search = arg;

	if (neighbour->family != AF_INET || memcmp(neighbour->address, search->address, 4))
		return true;
	search->usable = neighbour->usable;
	memcpy(search->mac, neighbour->mac, 6);
	return false;
}

static struct neighbour_search neighbour_of(const char *address)
{
	struct neighbour_search search = { .usable = false };

	inet_pton(AF_INET, address, search.address);
	view_neighbours(fixture.fib, take_neighbour, &search);
	return search;
}

/* A process in a namespace of its own that holds the other end of v0; it ends with the test. */
static int station(void)
{
	FILE *pipe = popen("unshare -n sleep 30 > /dev/null 2>&1 & echo $!", "r");
	int pid = 0;

	cr_assert(pipe && fscanf(pipe, "%d", &pid) == 1);
	pclose(pipe);
	mirror_fixture_run(
		"sleep 0.2; ip link set dev p0 netns %d; nsenter -t %d -n sh -c 'ip link set dev p0 address "
		"02:00:00:00:00:01 up; ip addr add 10.0.0.2/24 dev p0'",
		pid, pid);
	return pid;
}

Test(mirror_world, gateways_are_resolved_and_kept)
{
	static const __u8 first[6] = { 2, 0, 0, 0, 0, 1 }, second[6] = { 2, 0, 0, 0, 0, 2 };
	int pid = station();

	mirror_fixture_run("ip route add 10.90.0.0/16 via 10.0.0.2");
	mirror_fixture_pass(&fixture, POLL + 1000);
	/* Nobody has sent a packet there. */
	cr_expect(is_neighbour("10.0.0.2", "02:00:00:00:00:01"));
	cr_expect(is_neighbour("10.0.0.2", "managed"));
	cr_expect(neighbour_of("10.0.0.2").usable);
	cr_expect_arr_eq(neighbour_of("10.0.0.2").mac, first, 6);
	/* It gets another address and says so. */
	mirror_fixture_run("nsenter -t %d -n sh -c 'sysctl -qw net.ipv4.conf.p0.arp_notify=1; ip link set "
			   "dev p0 down; ip link set dev "
			   "p0 address 02:00:00:00:00:02; ip link set dev p0 up'",
			   pid);
	mirror_fixture_pass(&fixture, 3 * POLL);
	cr_expect(neighbour_of("10.0.0.2").usable);
	cr_expect_arr_eq(neighbour_of("10.0.0.2").mac, second, 6);
	/* The kernel forgets it when the link goes down. */
	change(SOON,
	       "ip link set dev v0 down; ip link set dev v0 up; ip route replace 10.90.0.0/16 via 10.0.0.2");
	mirror_fixture_pass(&fixture, POLL + 1000);
	cr_expect(is_neighbour("10.0.0.2", "managed"));
	cr_expect(neighbour_of("10.0.0.2").usable);
	/* Without the route it is nobody's business; at the end nothing of ours is left. */
	change(POLL, "ip route del 10.90.0.0/16");
	cr_expect(!is_neighbour("10.0.0.2", "managed"));
	change(POLL, "ip route add 10.91.0.0/16 via 10.0.0.9");
	cr_expect(is_neighbour("10.0.0.9", "managed"));
	mirror_free(fixture.mirror);
	fixture.mirror = NULL;
	cr_expect(!is_neighbour("10.0.0.9", "managed"));
	kill(pid, SIGTERM);
}

Test(mirror_world, neighbours_of_others_are_left_alone)
{
	mirror_fixture_run("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:77 dev v0; ip route add 10.90.0.0/16 "
			   "via 10.0.0.2");
	mirror_fixture_pass(&fixture, POLL);
	cr_expect(is_neighbour("10.0.0.2", "PERMANENT"));
	cr_expect(!is_neighbour("10.0.0.2", "managed"));
	cr_expect(neighbour_of("10.0.0.2").usable);
}

/* Traffic that the kernel does not see must not let an entry go stale for good. */
Test(mirror_world, stale_neighbours_are_pushed)
{
	int pid = station();
	bool reachable = false;

	mirror_fixture_run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:01 nud stale dev v0");
	cr_expect(is_neighbour("10.0.0.2", "STALE"));
	for (int i = 0; i < 12 && !reachable; i++) {
		mirror_fixture_pass(&fixture, 1000);
		reachable = is_neighbour("10.0.0.2", "REACHABLE");
	}
	cr_expect(reachable);
	kill(pid, SIGTERM);
}

/* What a daemon that crashed has made is known by its protocol, and goes if nobody needs it. */
Test(mirror_world, neighbours_of_a_predecessor_are_taken_over)
{
	mirror_fixture_run("ip neigh add 10.0.0.77 dev v0 managed extern_learn protocol 112");
	cr_expect(is_neighbour("10.0.0.77", "managed"));
	mirror_resync(fixture.mirror,
		      "test"); /* as at the start: the kernel announces a new entry only seconds later */
	mirror_fixture_pass(&fixture, 2 * POLL);
	cr_expect(!is_neighbour("10.0.0.77", "managed"));
}
