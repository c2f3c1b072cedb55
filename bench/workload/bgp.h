// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"
#include "bench/workload/wire.h"

// What routing needs of BGP (RFC 4271, 4760): prefixes and the attributes that choose the next hop.

#define BGP_AFI_IPV4     1
#define BGP_AFI_IPV6     2
#define BGP_SAFI_UNICAST 1

struct bgp_nexthop {
	__u8 family; // 0: none
	__u8 addr[16];
};

struct bgp_attributes {
	struct bgp_nexthop nexthop;    // of the attribute NEXT_HOP
	struct bgp_nexthop mp_nexthop; // of MP_REACH_NLRI
	unsigned int path_length;      // ASes on the path, a set counts as one
	__u32 origin_as;               // the last AS of the path, 0 without one
	// The prefixes of MP_REACH_NLRI and MP_UNREACH_NLRI, and their family: 0 when it is not a unicast one
	// or without them.
	struct wire reach, unreach;
	__u8 reach_family, unreach_family;
};

// Reads path attributes whose AS numbers have as_bytes (2 or 4). Returns 0, or -EBADMSG with ret_cause set to
// what is wrong.
int bgp_attributes_read(struct wire attributes, unsigned int as_bytes, struct bgp_attributes *ret_attributes,
			const char **ret_cause);

// Reads one prefix of the family as NLRI encodes it, behind a path id if there is one (RFC 7911), and clears
// its host bits. Returns 0, or -EBADMSG with ret_cause set.
int bgp_prefix_read(struct wire *wire, __u8 family, bool path_id, struct table_route *ret_route,
		    const char **ret_cause);
