// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A fib in plain memory for unit tests, and short ways to feed it. IPv4 addresses are written as text.
 * Everything fails the running test on the spot if the fib says no, except where a function returns the
 * error.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/fib/view.h"

struct fixture {
	struct image_store *store;
	struct fib *fib;
	struct image_tables *image;
};

/* A fib that is not held any more. limits NULL: small ones that are enough for most tests. */
void fixture_new(struct fixture *fixture, const struct fib_limits *limits);
void fixture_free(struct fixture *fixture);
/* Settles until there is nothing more to do. */
void fixture_settle(struct fixture *fixture);

/* An Ethernet interface that is up and forwards, MAC 02:00:00:00:00:index, MTU 1500, main table. */
struct fib_interface fixture_ethernet(__u32 ifindex);
struct fib_interface fixture_vlan(__u32 ifindex, __u32 parent, __u16 tpid, __u16 vid);
void fixture_set(struct fixture *fixture, const struct fib_interface *interface);
/* Sets fixture_ethernet(ifindex) and makes it a port that takes frames. */
__u16 fixture_port(struct fixture *fixture, __u32 ifindex);

/* "10.0.0.0/8", "2001:db8::/32"; without a length: a host. */
struct fib_prefix fixture_prefix(const char *text);
/* A path; gateway NULL: on link. */
struct fib_path fixture_path(__u32 ifindex, const char *gateway, __u16 weight);
/* The leaf for IPv4 (IPv6) packets by one path; the caller has a reference. */
__u32 fixture_leaf(struct fixture *fixture, __u8 family, __u32 ifindex, const char *gateway);
/* Adds a route; the leaf keeps only the route's reference. */
void fixture_route(struct fixture *fixture, __u32 table, const char *prefix, __u32 ifindex,
		   const char *gateway);
void fixture_route_leaf(struct fixture *fixture, __u32 table, const char *prefix, __u32 leaf, bool shadow);
void fixture_route_delete(struct fixture *fixture, __u32 table, const char *prefix);
/* last: last byte of the MAC 02:ff:00:00:00:last; -1: not usable. */
void fixture_neighbour(struct fixture *fixture, __u32 ifindex, const char *address, int last);

/* The slot that a packet to the address in this table finds. */
const struct image_nexthop *fixture_find(struct fixture *fixture, __u32 table, const char *address);
/* Last byte of the destination MAC of such a packet; -(reason) if it does not leave; 1000 for a group. */
int fixture_ask(struct fixture *fixture, __u32 table, const char *address);
