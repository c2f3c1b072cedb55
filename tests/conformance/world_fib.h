// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// A world in the product's tables, as the mirror of a live kernel would have brought it in.
#pragma once

#include "bench/workload/random.h"
#include "host/fib/fib.h"
#include "host/fib/image_store.h"
#include "tests/oracle/world.h"

#define WORLD_FIB_NO_PORT 0xffff

struct world_fib {
	const struct world *world;
	struct image_store *store;
	struct fib *fib;
	struct random random;         // for the order of things
	__u32 ports;                  // numbers given out, from 0
	__u16 port[WORLD_INTERFACES]; // number of the port by interface, WORLD_FIB_NO_PORT: not one
	bool full;                    // some table had no room
};

// Brings a world in, in an order drawn by the seed and with detours: routes that are replaced and removed
// again, neighbours that come late, interfaces that change. The image lies in BPF maps or in plain memory.
// Negative errno; -EPERM: BPF is not permitted.
int world_fib_new(const struct world *world, __u64 seed, const struct fib_limits *limits, bool maps,
		  struct world_fib **ret);
void world_fib_free(struct world_fib *tables);

// The world's route, neighbour or interface has changed: say so.
int world_fib_route(struct world_fib *tables, const struct world_route *route);
void world_fib_route_gone(struct world_fib *tables, __u32 table, const struct world_prefix *prefix);
int world_fib_neighbour(struct world_fib *tables, const struct world_neighbour *neighbour);
int world_fib_interface(struct world_fib *tables, const struct world_interface *interface);

// Lets everything that waits finish.
void world_fib_settle(struct world_fib *tables);
