// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/bgp.h"

#include <linux/types.h>

// Gives each gateway of a table or trace a small next-hop id: 1, 2, 3 ... in the order of first sight.

// What the next-hop table of the forwarding image can be asked to hold.
#define GATEWAYS_MAX      65535u
// Longer names are told apart by their first GATEWAYS_NAME_MAX bytes only.
#define GATEWAYS_NAME_MAX 63

struct gateways;

// Returns an empty set, or NULL without memory.
struct gateways *gateways_new(void);

// Returns a set that gives a BGP route not an id of its next hop but one of count (1 to TABLE_NEXTHOP_MAX)
// for its origin AS, with zipf(1.0) shares: the view of a router with many neighbours, where a collector has
// few. NULL without memory.
struct gateways *gateways_new_by_origin(__u32 count);

// Frees the set; NULL is fine.
void gateways_free(struct gateways *gateways);

// Returns the id of a name, a new one for a new name; -E2BIG when GATEWAYS_MAX are in, -ENOMEM.
int gateways_id(struct gateways *gateways, const char *name);

// Returns the id of a BGP route, as gateways_id().
int gateways_bgp_id(struct gateways *gateways, const struct bgp_nexthop *nexthop, __u32 origin_as);

// Returns how many ids were given out.
__u32 gateways_count(const struct gateways *gateways);
