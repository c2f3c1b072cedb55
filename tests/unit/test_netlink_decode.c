// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "host/mirror/link_message.h"
#include "host/mirror/neighbour_message.h"
#include "host/mirror/route_message.h"
#include "host/mirror/rule_message.h"
#include "tests/unit/netlink_captured.h"

#define CAPTURED (sizeof(captured) / sizeof(captured[0]))

static unsigned nibble(char digit)
{
	return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a' + 10);
}

/* An exact-size copy on the heap, so that a sanitizer sees the first byte read past the end. */
static struct nlmsghdr *message_of(const char *hex, size_t *ret_size)
{
	size_t size = strlen(hex) / 2;
	__u8 *bytes = malloc(size);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (__u8)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	*ret_size = size;
	return (struct nlmsghdr *)bytes;
}

static struct nlmsghdr *named(const char *name)
{
	size_t size;

	for (size_t i = 0; i < CAPTURED; i++)
		if (!strcmp(captured[i].name, name))
			return message_of(captured[i].hex, &size);
	cr_assert_fail("no captured message %s", name);
	return NULL;
}

static void expect_address(const __u8 *address, int family, const char *text)
{
	char got[INET6_ADDRSTRLEN];

	cr_expect_str_eq(inet_ntop(family, address, got, sizeof(got)), text);
}

static struct link_message link_of(const char *name)
{
	struct nlmsghdr *message = named(name);
	struct link_message link;

	cr_assert_eq(link_message_decode(message, &link), 0, "%s", name);
	free(message);
	return link;
}

Test(netlink_decode, links)
{
	struct link_message link = link_of("LINK_VETH");

	cr_expect(!link.deleted);
	cr_expect_eq(link.ifindex, 3);
	cr_expect_str_eq(link.name, "va");
	cr_expect_str_eq(link.kind, "veth");
	cr_expect_eq(link.type, ARPHRD_ETHER);
	cr_expect_eq(link.mtu, 1400);
	cr_expect_eq(link.below, 2);
	cr_expect(link.has_mac && (link.flags & IFF_UP) && link.carrier);
	cr_expect_eq(link.operstate, 6);
	cr_expect_eq(link.sysctls.rp_filter, 1);
	cr_expect_eq(link.sysctls.forwarding4, 1);
	cr_expect_eq(link.sysctls.forwarding6, 1);
	cr_expect_eq(link.sysctls.send_redirects, 1);
	cr_expect_eq(link.sysctls.ignore_linkdown4, 0);
	cr_expect_eq(link.sysctls.ignore_linkdown6, 0);
	cr_expect_eq(link.sysctls.disable_ipv6, 0);
	cr_expect_eq(link.sysctls.mtu6, 1400);

	link = link_of("LINK_BRIDGE_PORT");
	cr_expect_eq(link.master, 4);
	cr_expect_str_eq(link.master_kind, "bridge");
	link = link_of("LINK_MACVLAN");
	cr_expect(link.passthrough);
	cr_expect_eq(link.below, 3);
	cr_expect(!(link.flags & IFF_UP));
	link = link_of("LINK_LOOPBACK");
	cr_expect(link.flags & IFF_LOOPBACK);
	cr_expect_str_eq(link.kind, "");
}

/* This kind of machine has no VLAN or VRF: built by libmnl as the kernel's vlan_fill_info and vrf_fillinfo
 * do. */
static struct nlmsghdr *link_header(void *buffer)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *header;

	message->nlmsg_type = RTM_NEWLINK;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ifi_index = 12;
	return message;
}

Test(netlink_decode, vlan_and_vrf)
{
	char buffer[512];
	struct nlmsghdr *message = link_header(buffer);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO), *data;
	struct link_message link;

	mnl_attr_put_strz(message, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u16(message, IFLA_VLAN_PROTOCOL, htons(0x88a8));
	mnl_attr_put_u16(message, IFLA_VLAN_ID, 100);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	mnl_attr_put_u32(message, IFLA_LINK, 3);
	cr_assert_eq(link_message_decode(message, &link), 0);
	cr_expect_eq(link.vlan_id, 100);
	cr_expect_eq(link.vlan_tpid, 0x88a8);
	cr_expect(!link.vlan_priorities);
	cr_expect_eq(link.below, 3);

	message = link_header(buffer);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "vrf");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u32(message, IFLA_VRF_TABLE, 1001);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	cr_assert_eq(link_message_decode(message, &link), 0);
	cr_expect_eq(link.vrf_table, 1001);
}

Test(netlink_decode, addresses)
{
	struct nlmsghdr *message = named("ADDRESS4");
	struct address_message address;

	cr_assert_eq(address_message_decode(message, &address), 0);
	cr_expect_eq(address.length, 24);
	cr_expect_eq(address.ifindex, 3);
	expect_address(address.address, AF_INET, "10.0.0.1");
	free(message);
	message = named("ADDRESS6");
	cr_assert_eq(address_message_decode(message, &address), 0);
	expect_address(address.address, AF_INET6, "2001:db8:a::1");
	free(message);
}

static const struct route_message *route_of(const char *name)
{
	static struct route_message route;
	struct nlmsghdr *message = named(name);

	cr_assert_eq(route_message_decode(message, &route), 0, "%s", name);
	free(message);
	return &route;
}

Test(netlink_decode, routes_ipv4)
{
	const struct route_message *route = route_of("ROUTE4_METRIC");

	expect_address(route->destination, AF_INET, "1.0.0.0");
	cr_expect_eq(route->length, 24);
	cr_expect_eq(route->metric, 50);
	cr_expect_eq(route->table, RT_TABLE_MAIN);
	cr_expect_eq(route->type, RTN_UNICAST);
	cr_expect_eq(route->protocol, RTPROT_BOOT);
	cr_expect_eq(route->path_count, 1);
	cr_expect_eq(route->path[0].ifindex, 3);
	cr_expect_eq(route->path[0].weight, 1);
	cr_expect_eq(route->path[0].family, AF_INET);
	expect_address(route->path[0].gateway, AF_INET, "10.0.0.2");
	cr_expect(!route->encap && !route->cloned && !route->expires && !route->deleted);

	route = route_of("ROUTE4_TOS");
	cr_expect_eq(route->tos, 0x10);
	cr_expect_eq(route->table, 1000);
	route = route_of("ROUTE4_MULTIPATH");
	cr_expect_eq(route->path_count, 2);
	cr_expect_eq(route->path[0].weight, 3);
	cr_expect_eq(route->path[1].weight, 1);
	expect_address(route->path[1].gateway, AF_INET, "10.0.0.3");
	route = route_of("ROUTE4_VIA6");
	cr_expect_eq(route->path[0].family, AF_INET6);
	expect_address(route->path[0].gateway, AF_INET6, "2001:db8:a::77");
	route = route_of("ROUTE4_NEXTHOP_GROUP");
	cr_expect_eq(route->nexthop, 20);
	cr_expect_eq(route->path_count, 2);
	route = route_of("ROUTE4_UNREACHABLE");
	cr_expect_eq(route->type, RTN_UNREACHABLE);
	cr_expect_eq(route->path_count, 0);
	route = route_of("ROUTE4_MTU");
	cr_expect_eq(route->mtu, 1300);
	cr_expect_neq(route->other_metrics, 0);
	route = route_of("ROUTE4_ENCAP");
	cr_expect(route->encap);
	route = route_of("ROUTE4_CONNECTED");
	cr_expect_eq(route->path[0].family, 0);
	cr_expect_eq(route->scope, RT_SCOPE_LINK);
	expect_address(route->preferred, AF_INET, "10.0.0.1");
	route = route_of("ROUTE4_LOCAL");
	cr_expect_eq(route->type, RTN_LOCAL);
	cr_expect_eq(route->table, RT_TABLE_LOCAL);
}

Test(netlink_decode, routes_ipv6)
{
	const struct route_message *route = route_of("ROUTE6_MULTIPATH");

	cr_expect_eq(route->path_count, 2);
	cr_expect_eq(route->metric, 1024);
	expect_address(route->destination, AF_INET6, "2001:db8:1::");
	expect_address(route->path[1].gateway, AF_INET6, "2001:db8:a::3");
	route = route_of("ROUTE6_SOURCE");
	cr_expect_eq(route->source_length, 48);
	expect_address(route->source, AF_INET6, "2001:db8:77::");
	route = route_of("ROUTE6_EXPIRES");
	cr_expect(route->expires);
	route = route_of("ROUTE6_NEXTHOP");
	cr_expect_eq(route->nexthop, 9);
	route = route_of("ROUTE6_MULTICAST");
	cr_expect_eq(route->type, RTN_MULTICAST);
	cr_expect_eq(route->length, 8);
}

static const struct nexthop_message *nexthop_of(const char *name)
{
	static struct nexthop_message nexthop;
	struct nlmsghdr *message = named(name);

	cr_assert_eq(nexthop_message_decode(message, &nexthop), 0, "%s", name);
	free(message);
	return &nexthop;
}

Test(netlink_decode, nexthops)
{
	const struct nexthop_message *nexthop = nexthop_of("NEXTHOP4");

	cr_expect_eq(nexthop->id, 7);
	cr_expect_eq(nexthop->path.ifindex, 3);
	expect_address(nexthop->path.gateway, AF_INET, "10.0.0.7");
	nexthop = nexthop_of("NEXTHOP6");
	cr_expect_eq(nexthop->path.family, AF_INET6);
	nexthop = nexthop_of("NEXTHOP_BLACKHOLE");
	cr_expect(nexthop->blackhole && !nexthop->group);
	nexthop = nexthop_of("NEXTHOP_GROUP");
	cr_expect(nexthop->group && !nexthop->resilient);
	cr_expect_eq(nexthop->member_count, 2);
	cr_expect_eq(nexthop->member[0].id, 7);
	cr_expect_eq(nexthop->member[0].weight, 3);
	cr_expect_eq(nexthop->member[1].weight, 1);
	nexthop = nexthop_of("NEXTHOP_RESILIENT");
	cr_expect(nexthop->group && nexthop->resilient);
}

static struct neighbour_message neighbour_of(const char *name)
{
	struct nlmsghdr *message = named(name);
	struct neighbour_message neighbour;

	cr_assert_eq(neighbour_message_decode(message, &neighbour), 0, "%s", name);
	free(message);
	return neighbour;
}

Test(netlink_decode, neighbours)
{
	static const __u8 mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct neighbour_message neighbour = neighbour_of("NEIGHBOUR4");

	cr_expect_eq(neighbour.state, NUD_PERMANENT);
	cr_expect(neighbour.has_mac && !memcmp(neighbour.mac, mac, 6));
	expect_address(neighbour.address, AF_INET, "10.0.0.2");
	neighbour = neighbour_of("NEIGHBOUR_MANAGED");
	cr_expect_eq(neighbour.extended, NTF_EXT_MANAGED);
	cr_expect_eq(neighbour.state, NUD_INCOMPLETE);
	cr_expect(!neighbour.has_mac);
	neighbour = neighbour_of("NEIGHBOUR6");
	cr_expect_eq(neighbour.state, NUD_STALE);
	expect_address(neighbour.address, AF_INET6, "2001:db8:a::2");
}

static struct rule_message rule_of(const char *name)
{
	struct nlmsghdr *message = named(name);
	struct rule_message rule;

	cr_assert_eq(rule_message_decode(message, &rule), 0, "%s", name);
	free(message);
	return rule;
}

Test(netlink_decode, rules)
{
	struct rule_message rule = rule_of("RULE_LOCAL");

	cr_expect(rule.priority == 0 && rule.table == RT_TABLE_LOCAL && rule.action == FR_ACT_TO_TBL);
	cr_expect(!rule.narrow && !rule.suppress && !rule.invert && !rule.l3mdev);
	rule = rule_of("RULE_TO");
	cr_expect_eq(rule.destination_length, 24);
	expect_address(rule.destination, AF_INET, "9.9.9.0");
	cr_expect_eq(rule.priority, 90);
	rule = rule_of("RULE_IIF");
	cr_expect_str_eq(rule.input, "va");
	rule = rule_of("RULE_NOT_FROM");
	cr_expect(rule.invert && rule.narrow);
	cr_expect_eq(rule.source_length, 16);
	cr_expect_eq(rule.mark, 0x10);
	cr_expect_eq(rule.mark_mask, 0xff);
	rule = rule_of("RULE_SUPPRESS");
	cr_expect(rule.suppress);
	rule = rule_of("RULE_MAIN");
	cr_expect(rule.priority == 32766 && rule.table == RT_TABLE_MAIN && !rule.suppress && !rule.narrow);
	rule = rule_of("RULE6_PORT");
	cr_expect(rule.narrow);
	cr_expect_eq(rule.family, AF_INET6);
	cr_expect_eq(rule.destination_length, 48);
}

Test(netlink_decode, netconf)
{
	struct nlmsghdr *message = named("NETCONF4");
	struct netconf_message conf;

	cr_assert_eq(netconf_message_decode(message, &conf), 0);
	cr_expect(conf.ifindex == 3 && conf.forwarding == 1 && conf.rp_filter == 1 &&
		  conf.ignore_linkdown == 0);
	free(message);
	message = named("NETCONF6_ALL");
	cr_assert_eq(netconf_message_decode(message, &conf), 0);
	cr_expect(conf.family == AF_INET6 && conf.ifindex == -1 && conf.forwarding == 1 &&
		  conf.rp_filter == -1);
	free(message);
}

Test(netlink_decode, errors)
{
	struct nlmsghdr *message = named("ERROR_TEXT");
	const char *text;

	cr_expect_eq(netlink_error_decode(message, &text), -ENETUNREACH);
	cr_expect_str_eq(text, "Nexthop has invalid gateway");
	free(message);
	message = named("DONE");
	cr_expect_eq(netlink_error_decode(message, &text), 0);
	cr_expect_null(text);
	free(message);
	message = named("ROUTE4_METRIC");
	cr_expect_eq(netlink_error_decode(message, &text), -EBADMSG);
	free(message);
}

static void decode_all(const struct nlmsghdr *message)
{
	static struct route_message route;
	static struct nexthop_message nexthop;
	struct link_message link;
	struct address_message address;
	struct neighbour_message neighbour;
	struct rule_message rule;
	struct netconf_message conf;
	const char *text;
	int r;

	r = link_message_decode(message, &link);
	cr_expect(r == 0 || r == -EBADMSG);
	(void)address_message_decode(message, &address);
	r = route_message_decode(message, &route);
	cr_expect(r != 0 || (route.path_count <= ROUTE_PATHS && route.length <= 128 &&
			     (route.family == AF_INET || route.family == AF_INET6)));
	r = nexthop_message_decode(message, &nexthop);
	cr_expect(r != 0 || (nexthop.member_count <= ROUTE_PATHS && nexthop.id));
	(void)neighbour_message_decode(message, &neighbour);
	r = rule_message_decode(message, &rule);
	cr_expect(r != 0 || (rule.source_length <= 128 && rule.destination_length <= 128));
	(void)netconf_message_decode(message, &conf);
	r = netlink_error_decode(message, &text);
	cr_expect(r <= 0);
}

/* Every truncation and many mutations: no crash, no read past the end (the sanitizer build sees it). */
Test(netlink_decode, hostile)
{
	unsigned seed = 20261130;

	for (size_t i = 0; i < CAPTURED; i++) {
		size_t size, cut;
		struct nlmsghdr *message = message_of(captured[i].hex, &size);

		for (cut = NLMSG_HDRLEN; cut <= size; cut++) {
			struct nlmsghdr *copy = malloc(cut);

			memcpy(copy, message, cut);
			copy->nlmsg_len = (__u32)cut;
			decode_all(copy);
			free(copy);
		}
		for (int round = 0; round < 2000; round++) {
			struct nlmsghdr *copy = malloc(size);

			memcpy(copy, message, size);
			for (int flips = 1 + rand_r(&seed) % 3; flips; flips--)
				((__u8 *)copy)[NLMSG_HDRLEN + rand_r(&seed) % (size - NLMSG_HDRLEN)] =
					(__u8)rand_r(&seed);
			decode_all(copy);
			free(copy);
		}
		free(message);
	}
}

/* More next hops than are kept: the first ones stay and the message says that it is not all. */
Test(netlink_decode, too_many_paths)
{
	static char buffer[32768];
	static struct route_message route;
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	struct nlattr *nest;

	message->nlmsg_type = RTM_NEWROUTE;
	header->rtm_family = AF_INET;
	header->rtm_type = RTN_UNICAST;
	nest = mnl_attr_nest_start(message, RTA_MULTIPATH);
	for (int i = 0; i < ROUTE_PATHS + 1; i++) {
		struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(message);

		memset(hop, 0, sizeof(*hop));
		hop->rtnh_len = sizeof(*hop);
		hop->rtnh_ifindex = i + 1;
		message->nlmsg_len += sizeof(*hop);
	}
	mnl_attr_nest_end(message, nest);
	cr_assert_eq(route_message_decode(message, &route), 0);
	cr_expect(route.too_many);
	cr_expect_eq(route.path_count, ROUTE_PATHS);
	cr_expect_eq(route.path[ROUTE_PATHS - 1].ifindex, ROUTE_PATHS);
}
