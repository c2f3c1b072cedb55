// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Every table of the image full: what cannot be had punts, is counted, and comes when there is room again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/image_store.h"
#include "tests/unit/fib_fixture.h"

#define MAIN RT_TABLE_MAIN

static struct fixture f;

static void begin(__u32 nexthops, __u32 buckets)
{
	struct fib_limits limits = {
		.node_chunks = 1 << 17,
		.run_cells = 1 << 18,
		.nexthops = nexthops,
		.buckets = buckets,
	};

	fixture_new(&f, &limits);
}

static void end(void)
{
	fixture_free(&f);
}

TestSuite(fib_limits, .fini = end);

static struct fib_stats stats(void)
{
	struct fib_stats now;

	fib_stats(f.fib, &now);
	return now;
}

static int get(__u32 ifindex, const char *gateway, __u32 *ret_leaf)
{
	struct fib_path path = fixture_path(ifindex, gateway, 1);
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 1, .path = &path };

	return fib_leaf_get(f.fib, &spec, ret_leaf);
}

Test(fib_limits, next_hops)
{
	__u32 leaf[4], more;
	char gateway[32];

	begin(REASON_MAX + 4, 0);
	fixture_port(&f, 1);
	for (int i = 0; i < 4; i++) {
		snprintf(gateway, sizeof(gateway), "10.0.0.%d", i + 1);
		cr_assert_eq(get(1, gateway, &leaf[i]), 0);
	}
	cr_assert(!fib_room(f.fib));
	cr_assert_eq(get(1, "10.0.0.9", &more), -ENOSPC);
	cr_assert_eq(more, REASON_TABLE_FULL);
	cr_assert_eq(stats().leaves_refused, 1);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", more, false);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_TABLE_FULL);
	fixture_settle(&f);
	cr_assert(!fib_room(f.fib));
	fib_leaf_put(f.fib, leaf[0]);
	fib_leaf_put(f.fib, leaf[1]);
	cr_assert(!fib_room(f.fib), "not before readers have left");
	fixture_settle(&f);
	cr_assert(fib_room(f.fib));
	cr_assert(!fib_room(f.fib), "told once");
	fixture_neighbour(&f, 1, "10.0.0.9", 9);
	fixture_route(&f, MAIN, "20.0.0.0/8", 1, "10.0.0.9");
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 9);
	fib_leaf_put(f.fib, leaf[2]);
	fib_leaf_put(f.fib, leaf[3]);
}

Test(fib_limits, host_routes)
{
	__u32 leaf[3];

	begin(REASON_MAX + 4, 0);
	fixture_port(&f, 1);
	fixture_route(&f, MAIN, "10.0.0.0/24", 1, NULL);
	cr_assert_eq(get(1, "10.0.1.1", &leaf[0]), 0);
	cr_assert_eq(get(1, "10.0.1.2", &leaf[1]), 0);
	fixture_neighbour(&f, 1, "10.0.0.1", 1);
	fixture_neighbour(&f, 1, "10.0.0.2", 2);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.1"), 1);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), -REASON_NEIGHBOUR, "no slot: the kernel sends");
	cr_assert_geq(stats().leaves_refused, 1);
	fib_leaf_put(f.fib, leaf[0]);
	fixture_settle(&f);
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "10.0.0.2"), 2, "healed by itself");
	fib_leaf_put(f.fib, leaf[1]);
}

Test(fib_limits, buckets)
{
	struct fib_path path[4];
	struct fib_leaf_spec spec = { .family = AF_INET, .path_count = 2, .path = path };
	struct fib_leaf_spec other = { .family = AF_INET, .path_count = 2, .path = path + 2 };
	__u32 first, second, owned;

	begin(0, 256);
	for (int i = 0; i < 4; i++) {
		char gateway[32];

		fixture_port(&f, i + 1);
		snprintf(gateway, sizeof(gateway), "10.0.%d.1", i);
		path[i] = fixture_path(i + 1, gateway, 1);
		fixture_neighbour(&f, i + 1, gateway, i + 1);
	}
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &first), 0);
	path[0].weight = 3;
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &second), 0);
	/* a leaf of its own asks for 256 buckets */
	cr_assert_eq(fib_leaf_new(f.fib, &other, &owned), -ENOSPC);
	cr_assert_geq(owned, REASON_MAX);
	fixture_route_leaf(&f, MAIN, "20.0.0.0/8", owned, false);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_TABLE_FULL);
	other.path_count = 1;
	cr_assert_eq(fib_leaf_change(f.fib, owned, &other), 0);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 3);
	other.path_count = 2;
	cr_assert_eq(fib_leaf_change(f.fib, owned, &other), -ENOSPC);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_TABLE_FULL, "never what it was before");
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_TABLE_FULL);
	fib_leaf_put(f.fib, first);
	fib_leaf_put(f.fib, second);
	fixture_settle(&f);
	fixture_settle(&f);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 1000, "healed by itself");
	/* and a shared one that needs more than is left */
	cr_assert_eq(fib_leaf_get(f.fib, &spec, &first), -ENOSPC);
	cr_assert_eq(first, REASON_TABLE_FULL);
	cr_assert(!fib_room(f.fib));
	fib_leaf_put(f.fib, owned);
	fixture_route_delete(&f, MAIN, "20.0.0.0/8");
	fixture_settle(&f);
	cr_assert(fib_room(f.fib));
	cr_assert_eq(stats().leaves, 0);
}

Test(fib_limits, ports)
{
	__u16 port[IMAGE_PORTS], more;

	begin(0, 0);
	for (__u32 i = 0; i <= IMAGE_PORTS; i++) {
		struct fib_interface interface = fixture_ethernet(i + 1);

		fixture_set(&f, &interface);
	}
	for (__u32 i = 0; i < IMAGE_PORTS; i++)
		cr_assert_eq(fib_port_add(f.fib, i + 1, &port[i]), 0);
	cr_assert_eq(fib_port_add(f.fib, IMAGE_PORTS + 1, &more), -ENOSPC);
	fib_port_delete(f.fib, port[7]);
	fixture_settle(&f);
	cr_assert_eq(fib_port_add(f.fib, IMAGE_PORTS + 1, &more), 0);
	cr_assert_eq(more, port[7]);
}

Test(fib_limits, interface_slots)
{
	const __u32 slots = IMAGE_INTERFACES - IMAGE_PORTS - 1;
	struct fib_interface last = fixture_vlan(20000, 1, ETH_P_8021Q, 4000);
	__u16 port;

	begin(0, 0);
	port = fixture_port(&f, 1);
	for (__u32 i = 0; i < slots; i++) {
		struct fib_interface interface = fixture_vlan(100 + i, 1, ETH_P_8021Q, 1 + i);

		fixture_set(&f, &interface);
	}
	cr_assert_eq(fib_interface_set(f.fib, &last), -ENOSPC);
	cr_assert_geq(stats().leaves_refused, 1);
	cr_assert_eq(f.image->vlan[f.image->interface[port + 1].vlan[0] * 4096 + 4000], 0);
	fixture_route(&f, MAIN, "20.0.0.0/8", 20000, "10.0.0.1");
	fixture_neighbour(&f, 20000, "10.0.0.1", 1);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), -REASON_TABLE_FULL);
	fib_interface_delete(f.fib, 100);
	fixture_settle(&f);
	fixture_settle(&f);
	cr_assert_neq(f.image->vlan[f.image->interface[port + 1].vlan[0] * 4096 + 4000], 0);
	cr_assert_eq(fixture_ask(&f, MAIN, "20.0.0.1"), 1);
}

Test(fib_limits, vlan_tables)
{
	struct fib_interface vlan;

	begin(0, 0);
	for (__u32 i = 1; i <= IMAGE_VLAN_TABLES; i++) {
		fixture_port(&f, i);
		vlan = fixture_vlan(1000 + i, i, ETH_P_8021Q, 10);
		cr_assert_eq(fib_interface_set(f.fib, &vlan), i < IMAGE_VLAN_TABLES ? 0 : -ENOSPC);
	}
	cr_assert_eq(f.image->interface[IMAGE_VLAN_TABLES].vlan[0], 0);
	fib_interface_delete(f.fib, 1005);
	fixture_settle(&f);
	fixture_settle(&f);
	cr_assert_neq(f.image->interface[IMAGE_VLAN_TABLES].vlan[0], 0);
	cr_assert_eq(f.image->interface[5].vlan[0], 0);
}

Test(fib_limits, vrfs)
{
	struct fib_interface vlan;
	__u16 port, slot;

	begin(0, 0);
	port = fixture_port(&f, 1);
	for (__u32 i = 1; i <= IMAGE_VRFS; i++) {
		vlan = fixture_vlan(1000 + i, 1, ETH_P_8021Q, i);
		vlan.table = 10000 + i;
		cr_assert_eq(fib_interface_set(f.fib, &vlan), i < IMAGE_VRFS ? 0 : -ENOSPC);
	}
	slot = f.image->vlan[f.image->interface[port + 1].vlan[0] * 4096 + IMAGE_VRFS];
	cr_assert_eq(f.image->interface[slot].ifindex, 1000 + IMAGE_VRFS);
	cr_assert_eq(f.image->interface[slot].punt, REASON_TABLE_FULL);
	cr_assert_eq(f.image->interface[slot].flags & (INTERFACE_FORWARD4 | INTERFACE_FORWARD6), 0);
	fib_interface_delete(f.fib, 1003);
	fixture_settle(&f);
	fixture_settle(&f);
	cr_assert_eq(f.image->interface[slot].punt, 0);
	cr_assert_neq(f.image->interface[slot].vrf, 0);
	cr_assert_neq(f.image->interface[slot].flags & INTERFACE_FORWARD4, 0);
}

static struct fib_prefix host(__u32 i)
{
	__u32 address = 0x14000000 + i * 977;

	return (struct fib_prefix){
		.family = AF_INET,
		.length = 32,
		.address = { address >> 24, address >> 16, address >> 8, address },
	};
}

static __u32 count_punted(__u32 count)
{
	__u32 punted = 0;

	for (__u32 i = 0; i < count; i++) {
		struct fib_prefix prefix = host(i);
		const struct image_nexthop *slot =
			&f.image->nexthop[fib_lookup(f.fib, MAIN, AF_INET, prefix.address)];

		if (slot->kind == NEXTHOP_PUNT && slot->reason == REASON_TABLE_FULL)
			punted++;
		else
			cr_assert_eq(slot->mac0 >> 40 & 0xff, 2 + i % 2, "host %u takes another's way", i);
	}
	return punted;
}

/* A full node[] or run[]: some part of the address space punts, none of it goes the covering route's way. */
static void fill_and_heal(__u32 count)
{
	struct fib_limits limits = { .node_chunks = 1 << 17, .run_cells = 1 << 17 };
	const __u32 kept = 200;
	__u32 full = 0, leaf[2];

	fixture_new(&f, &limits);
	fixture_port(&f, 1);
	fixture_neighbour(&f, 1, "192.168.0.1", 1);
	fixture_neighbour(&f, 1, "192.168.0.2", 2);
	fixture_neighbour(&f, 1, "192.168.0.3", 3);
	fixture_route(&f, MAIN, "0.0.0.0/0", 1, "192.168.0.1");
	leaf[0] = fixture_leaf(&f, AF_INET, 1, "192.168.0.2");
	leaf[1] = fixture_leaf(&f, AF_INET, 1, "192.168.0.3");
	for (__u32 i = 0; i < count; i++) {
		struct fib_prefix prefix = host(i);
		int error = fib_route_set(f.fib, MAIN, &prefix, leaf[i % 2], false);

		cr_assert(error == 0 || error == -ENOSPC);
		full += error != 0;
	}
	cr_assert_gt(full, 0);
	cr_assert_gt(stats().punted_routes, 0);
	fixture_settle(&f);
	cr_assert_gt(stats().punted_routes, 0);
	cr_assert_gt(count_punted(count), 0);
	for (__u32 i = kept; i < count; i++) {
		struct fib_prefix prefix = host(i);

		fib_route_delete(f.fib, MAIN, &prefix);
	}
	fixture_settle(&f);
	fixture_settle(&f);
	cr_assert_eq(stats().punted_routes, 0);
	cr_assert_eq(count_punted(kept), 0, "healed by itself");
	fib_leaf_put(f.fib, leaf[0]);
	fib_leaf_put(f.fib, leaf[1]);
}

Test(fib_limits, search_arrays)
{
	fill_and_heal(24000);
}

/* What found no room would nearly fit: trying it again must come to an end. */
Test(fib_limits, search_arrays_nearly_large_enough)
{
	fill_and_heal(7000);
}
