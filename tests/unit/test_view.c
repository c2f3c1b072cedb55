// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What `show` and `lookup` are told is what stands in the image. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fib_fixture.h"

#define MAIN RT_TABLE_MAIN

static struct fixture f;

static void setup(void)
{
	fixture_new(&f, NULL);
	fixture_port(&f, 1);
	fixture_port(&f, 2);
}

static void teardown(void)
{
	fixture_free(&f);
}

TestSuite(view, .init = setup, .fini = teardown);

struct listing {
	char text[4096];
	int left; /* entries before the callback stops; < 0: never */
	struct fib_prefix last;
};

static bool list_route(void *arg, const struct view_route *route)
{
	static const char origin[] = {
		[VIEW_KERNEL] = 'k', [VIEW_LOCAL] = 'l', [VIEW_FIXED] = 'f', [VIEW_NEIGHBOUR] = 'n'
	};
	struct listing *listing = arg;
	char address[64];
	size_t used = strlen(listing->text);

	if (route->origin == VIEW_FIXED)
		return true;
	inet_ntop(route->prefix.family, route->prefix.address, address, sizeof(address));
	snprintf(listing->text + used, sizeof(listing->text) - used, "%s/%u%c ", address,
		 route->prefix.length, origin[route->origin]);
	listing->last = route->prefix;
	return --listing->left != 0;
}

static void fill(void)
{
	fixture_route(&f, MAIN, "10.0.0.0/24", 1, NULL);
	fixture_route(&f, MAIN, "10.0.0.0/8", 2, "10.0.0.1");
	fixture_route(&f, MAIN, "0.0.0.0/0", 2, "10.0.0.1");
	fixture_route(&f, MAIN, "172.16.0.0/12", 2, "10.0.0.1");
	fixture_route(&f, MAIN, "10.0.0.128/25", 2, "10.0.0.1");
	fixture_route_leaf(&f, RT_TABLE_LOCAL, "10.0.0.1/32", REASON_LOCAL, true);
	fixture_route_leaf(&f, RT_TABLE_LOCAL, "10.0.0.255/32", REASON_BROADCAST, true);
	fixture_neighbour(&f, 1, "10.0.0.7", 7);
	fixture_route(&f, MAIN, "2001:db8::/64", 1, NULL);
}

Test(view, routes_in_order)
{
	struct listing all = { .left = -1 }, six = { .left = -1 }, red = { .left = -1 };

	fill();
	view_routes(f.fib, MAIN, AF_INET, NULL, list_route, &all);
	cr_assert_str_eq(all.text,
			 "0.0.0.0/0k 10.0.0.0/8k 10.0.0.0/24k 10.0.0.1/32l 10.0.0.7/32n 10.0.0.128/25k "
			 "10.0.0.255/32l 172.16.0.0/12k ");
	view_routes(f.fib, MAIN, AF_INET6, NULL, list_route, &six);
	cr_assert_str_eq(six.text, "2001:db8::/64k ");
	fixture_route(&f, 100, "10.0.0.0/8", 2, "10.0.0.1");
	view_routes(f.fib, 100, AF_INET, NULL, list_route, &red);
	cr_assert_str_eq(red.text, "", "nobody uses the table: nothing of it is in the image");
}

/* Piece by piece gives the same as in one go, whatever the size of the pieces. */
Test(view, routes_in_pieces)
{
	struct listing all = { .left = -1 };

	fill();
	view_routes(f.fib, MAIN, AF_INET, NULL, list_route, &all);
	for (int size = 1; size < 10; size++) {
		struct listing pieces = { .left = size };
		const struct fib_prefix *after = NULL;
		struct fib_prefix last;

		for (;;) {
			pieces.left = size;
			view_routes(f.fib, MAIN, AF_INET, after, list_route, &pieces);
			if (pieces.left > 0)
				break;
			last = pieces.last;
			after = &last;
		}
		cr_assert_str_eq(pieces.text, all.text, "pieces of %d", size);
	}
}

static void lookup(const char *address, struct view_answer *ret)
{
	struct fib_prefix host = fixture_prefix(address);

	view_lookup(f.fib, MAIN, host.family, host.address, ret);
}

Test(view, lookup)
{
	struct view_answer answer;

	fill();
	lookup("10.0.0.7", &answer);
	cr_assert(answer.matched);
	cr_assert_eq(answer.route.origin, VIEW_NEIGHBOUR);
	cr_assert_eq(answer.route.prefix.length, 32);
	cr_assert_eq(answer.leaf, answer.route.leaf);
	lookup("10.0.0.1", &answer);
	cr_assert_eq(answer.route.origin, VIEW_LOCAL);
	cr_assert_eq(answer.leaf, REASON_LOCAL);
	lookup("10.77.0.1", &answer);
	cr_assert_eq(answer.route.prefix.length, 8);
	cr_assert_eq(answer.route.origin, VIEW_KERNEL);
	lookup("99.0.0.1", &answer);
	cr_assert(answer.matched);
	cr_assert_eq(answer.route.prefix.length, 0);
	lookup("127.0.0.1", &answer);
	cr_assert_eq(answer.route.origin, VIEW_FIXED);
	cr_assert_eq(answer.leaf, REASON_MARTIAN_DESTINATION);
	lookup("2001:db9::1", &answer);
	cr_assert(!answer.matched);
	cr_assert_eq(answer.leaf, REASON_NO_ROUTE);
}

static bool count_leaf(void *arg, const struct view_leaf *leaf)
{
	int *count = arg;

	cr_assert_geq(leaf->leaf, REASON_MAX);
	(*count)++;
	return true;
}

Test(view, leaves)
{
	struct fib_path path[2] = { fixture_path(1, "10.0.0.7", 1), fixture_path(2, "10.0.1.1", 3) };
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 2, .path = path };
	struct view_member member;
	struct view_leaf view;
	int count = 0;
	__u32 group, buckets = 0;

	fixture_neighbour(&f, 1, "10.0.0.7", 7);
	cr_assert_eq(fib_leaf_new(f.fib, &spec, &group), 0);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", group, false);
	cr_assert_eq(view_leaf(f.fib, group, &view), 0);
	cr_assert_eq(view.kind, NEXTHOP_GROUP);
	cr_assert(view.owned);
	cr_assert_eq(view.references, 2);
	cr_assert_eq(view.members, 2);
	for (__u32 i = 0; i < 2; i++) {
		struct view_leaf adjacency;

		cr_assert_eq(view_member(f.fib, group, i, &member), 0);
		buckets += member.buckets;
		cr_assert_eq(view_leaf(f.fib, member.leaf, &adjacency), 0);
		cr_assert_eq(adjacency.ifindex, member.weight == 1 ? 1 : 2);
		cr_assert_eq(adjacency.gateway_family, AF_INET);
		cr_assert_eq(adjacency.family, AF_INET);
		if (adjacency.ifindex == 2) {
			cr_assert_eq(adjacency.kind, NEXTHOP_PUNT);
			cr_assert_eq(adjacency.reason, REASON_NEIGHBOUR);
			continue;
		}
		cr_assert_eq(adjacency.kind, NEXTHOP_FORWARD);
		cr_assert(memcmp(adjacency.destination_mac, (__u8[]){ 2, 0xff, 0, 0, 0, 7 }, 6) == 0);
		cr_assert(memcmp(adjacency.source_mac, (__u8[]){ 2, 0, 0, 0, 0, 1 }, 6) == 0);
		cr_assert_eq(adjacency.mtu, 1500);
	}
	cr_assert_eq(buckets, view.buckets);
	cr_assert_eq(view_member(f.fib, group, 2, &member), -ENOENT);
	cr_assert_eq(view_member(f.fib, REASON_LOCAL, 0, &member), -ENOENT);
	cr_assert_eq(view_leaf(f.fib, 60000, &view), -ENOENT);
	cr_assert_eq(view_leaf(f.fib, 1u << 20, &view), -ENOENT);
	cr_assert_eq(view_leaf(f.fib, REASON_BLACKHOLE, &view), 0);
	cr_assert_eq(view.kind, NEXTHOP_DROP);
	view_leaves(f.fib, count_leaf, &count);
	cr_assert_eq(count, 3);
	fib_leaf_put(f.fib, group);
}

struct tally {
	int count, gateways, hosts, usable;
};

static bool tally_neighbour(void *arg, const struct view_neighbour *neighbour)
{
	struct tally *tally = arg;

	tally->count++;
	tally->gateways += neighbour->gateway_of;
	tally->hosts += neighbour->hosts;
	tally->usable += neighbour->usable;
	return true;
}

static bool tally_interface(void *arg, const struct view_interface *interface)
{
	struct tally *tally = arg;

	tally->count++;
	tally->usable += interface->egress == REASON_FORWARDED;
	if (interface->ifindex == 11) {
		cr_assert_eq(interface->parent, 1);
		cr_assert_eq(interface->vid, 10);
		cr_assert_eq(interface->port, -1);
		cr_assert_gt(interface->slot, IMAGE_PORTS);
	}
	return true;
}

static bool tally_vrf(void *arg, const struct view_vrf *vrf)
{
	struct tally *tally = arg;

	tally->count++;
	if (vrf->table == MAIN) {
		cr_assert_eq(vrf->slot, 0);
		cr_assert_eq(vrf->routes[0], 5);
		cr_assert_eq(vrf->routes[1], 1);
		cr_assert_neq(vrf->fallback[0], REASON_NO_ROUTE);
		cr_assert_eq(vrf->fallback[1], REASON_NO_ROUTE);
	}
	return true;
}

Test(view, neighbours_interfaces_vrfs)
{
	struct fib_interface vlan = fixture_vlan(11, 1, ETH_P_8021Q, 10), foreign = fixture_ethernet(9);
	struct tally neighbours = { 0 }, interfaces = { 0 }, vrfs = { 0 };

	fill();
	vlan.table = 100;
	fixture_set(&f, &vlan);
	fixture_set(&f, &foreign);
	view_neighbours(f.fib, tally_neighbour, &neighbours);
	cr_assert_eq(neighbours.count, 2);
	cr_assert_eq(neighbours.gateways, 1);
	cr_assert_eq(neighbours.hosts, 1);
	cr_assert_eq(neighbours.usable, 1);
	view_interfaces(f.fib, tally_interface, &interfaces);
	cr_assert_eq(interfaces.count, 4);
	cr_assert_eq(interfaces.usable, 3);
	view_vrfs(f.fib, tally_vrf, &vrfs);
	cr_assert_eq(vrfs.count, 2);
}
