// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/unit/fib_fixture.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/image_store.h"

static __u8 parse_address(const char *text, __u8 ret[16])
{
	memset(ret, 0, 16);
	if (strchr(text, ':')) {
		cr_assert(inet_pton(AF_INET6, text, ret) == 1, "%s", text);
		return AF_INET6;
	}
	cr_assert(inet_pton(AF_INET, text, ret) == 1, "%s", text);
	return AF_INET;
}

void fixture_new(struct fixture *fixture, const struct fib_limits *limits)
{
	static const struct fib_limits small = { .node_chunks = 1 << 17, .run_cells = 1 << 20 };

	if (!limits)
		limits = &small;
	cr_assert(image_store_memory(limits, &fixture->store) == 0);
	cr_assert(fib_new(limits, fixture->store, &fixture->fib) == 0);
	fixture->image = fixture->store->tables;
	cr_assert(fib_held(fixture->fib));
	fib_hold(fixture->fib, false);
	fixture_settle(fixture);
	cr_assert(!fib_held(fixture->fib));
}

void fixture_free(struct fixture *fixture)
{
	fib_free(fixture->fib);
	image_store_free(fixture->store);
}

void fixture_settle(struct fixture *fixture)
{
	while (fib_settle(fixture->fib))
		;
}

struct fib_interface fixture_ethernet(__u32 ifindex)
{
	return (struct fib_interface){
		.ifindex = ifindex,
		.mac = { 2, 0, 0, 0, ifindex >> 8, ifindex },
		.up = true,
		.ethernet = true,
		.plain_tag = true,
		.forward4 = true,
		.forward6 = true,
		.table = RT_TABLE_MAIN,
		.mtu4 = 1500,
		.mtu6 = 1500,
	};
}

struct fib_interface fixture_vlan(__u32 ifindex, __u32 parent, __u16 tpid, __u16 vid)
{
	struct fib_interface interface = fixture_ethernet(ifindex);

	interface.parent = parent;
	interface.tpid = tpid;
	interface.vid = vid;
	return interface;
}

void fixture_set(struct fixture *fixture, const struct fib_interface *interface)
{
	cr_assert(fib_interface_set(fixture->fib, interface) == 0);
}

__u16 fixture_port(struct fixture *fixture, __u32 ifindex)
{
	struct fib_interface interface = fixture_ethernet(ifindex);
	__u16 port;

	fixture_set(fixture, &interface);
	cr_assert(fib_port_add(fixture->fib, ifindex, &port) == 0);
	fib_port_egress(fixture->fib, port, true, false);
	return port;
}

struct fib_prefix fixture_prefix(const char *text)
{
	struct fib_prefix prefix = { 0 };
	char address[64];
	char *slash;

	snprintf(address, sizeof(address), "%s", text);
	slash = strchr(address, '/');
	if (slash)
		*slash = 0;
	prefix.family = parse_address(address, prefix.address);
	prefix.length = slash ? atoi(slash + 1) : prefix.family == AF_INET ? 32 : 128;
	return prefix;
}

struct fib_path fixture_path(__u32 ifindex, const char *gateway, __u16 weight)
{
	struct fib_path path = { .ifindex = ifindex, .weight = weight };

	if (gateway)
		path.family = parse_address(gateway, path.gateway);
	return path;
}

__u32 fixture_leaf(struct fixture *fixture, __u8 family, __u32 ifindex, const char *gateway)
{
	struct fib_path path = fixture_path(ifindex, gateway, 1);
	struct fib_leaf_spec spec = { .family = family, .path_count = 1, .path = &path };
	__u32 leaf;

	cr_assert(fib_leaf_get(fixture->fib, &spec, &leaf) == 0);
	return leaf;
}

void fixture_route_leaf(struct fixture *fixture, __u32 table, const char *prefix, __u32 leaf, bool shadow)
{
	struct fib_prefix at = fixture_prefix(prefix);

	cr_assert(fib_route_set(fixture->fib, table, &at, leaf, shadow) == 0);
}

void fixture_route(struct fixture *fixture, __u32 table, const char *prefix, __u32 ifindex,
		   const char *gateway)
{
	__u32 leaf = fixture_leaf(fixture, fixture_prefix(prefix).family, ifindex, gateway);

	fixture_route_leaf(fixture, table, prefix, leaf, false);
	fib_leaf_put(fixture->fib, leaf);
}

void fixture_route_delete(struct fixture *fixture, __u32 table, const char *prefix)
{
	struct fib_prefix at = fixture_prefix(prefix);

	fib_route_delete(fixture->fib, table, &at);
}

void fixture_neighbour(struct fixture *fixture, __u32 ifindex, const char *address, int last)
{
	__u8 mac[6] = { 2, 0xff, 0, 0, 0, last }, at[16];
	__u8 family = parse_address(address, at);

	cr_assert(fib_neighbour_set(fixture->fib, ifindex, family, at, last < 0 ? NULL : mac) == 0);
}

const struct image_nexthop *fixture_find(struct fixture *fixture, __u32 table, const char *address)
{
	__u8 at[16];
	__u8 family = parse_address(address, at);

	return &fixture->image->nexthop[fib_lookup(fixture->fib, table, family, at)];
}

int fixture_ask(struct fixture *fixture, __u32 table, const char *address)
{
	const struct image_nexthop *nexthop = fixture_find(fixture, table, address);

	if (nexthop->kind == NEXTHOP_GROUP)
		return 1000;
	if (nexthop->kind != NEXTHOP_FORWARD)
		return -nexthop->reason;
	return nexthop->mac0 >> 40 & 0xff;
}
