// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Messages about routes and next-hop objects (rtnetlink: ROUTE, NEXTHOP). On failure the result is undefined:
 * it is large, so it is filled in place.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/netlink_attribute.h"

#define ROUTE_PATHS 256 /* next hops of a route or group that are kept */

struct route_path {
	__u32 ifindex;
	__u8 family; /* of the gateway, 0 = on link */
	__u8 flags;  /* RTNH_F_* of the moment, low byte */
	__u16 weight;
	bool encap;
	__u8 gateway[16];
};

struct route_message {
	bool deleted;
	__u16 nlflags; /* NLM_F_REPLACE, _EXCL, _CREATE, _APPEND of a notification */
	__u8 family, length, source_length, tos, protocol, scope, type;
	bool cloned;  /* a cached exception, not a route */
	bool expires; /* the kernel stops using it at a time of its own */
	bool encap;
	bool too_many;                /* more than ROUTE_PATHS next hops */
	__u32 table, metric, nexthop; /* nexthop: id of the kernel's next-hop object, 0 = none */
	__u32 mtu;                    /* route MTU, 0 = none */
	__u32 other_metrics;          /* digest of RTA_METRICS and RTA_FLOW, to tell routes apart */
	__u8 destination[16], source[16], preferred[16];
	__u32 path_count;
	struct route_path path[ROUTE_PATHS];
};

int route_message_decode(const struct nlmsghdr *message, struct route_message *ret);

struct nexthop_member {
	__u32 id;
	__u16 weight; /* 1..65536 does not fit: 65536 is kept as 65535 */
};

struct nexthop_message {
	bool deleted;
	__u8 family, protocol;
	__u32 id;
	bool blackhole, fdb, encap, group, resilient, too_many;
	struct route_path path; /* of an object that is not a group */
	__u32 member_count;
	struct nexthop_member member[ROUTE_PATHS];
};

int nexthop_message_decode(const struct nlmsghdr *message, struct nexthop_message *ret);
