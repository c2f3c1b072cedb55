// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>
#include <linux/types.h>

#include "bench/workload/random.h"
#include "bench/workload/table.h"

// Where the traffic goes: an address, and the next hop that the longest matching prefix of the table gives
// it.
struct destination {
	__u8 address[16]; // network order; IPv4 in the first 4 bytes
	__u32 nexthop;    // of the table's route
};

// Draws count addresses, each uniform over the prefixes of the table (sorted, one family) and then over the
// bits behind the prefix. Addresses that no router forwards are drawn again; -ENOENT when nearly all are
// such.
int destination_draw(const struct table *table, struct random *random, struct destination *destinations,
		     size_t count);
