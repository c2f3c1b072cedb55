// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/lane.h"
#include "bench/scenario.h"

// A second way out of the router of a lane, which counts when the first is gone: a port r2 with a default
// route through gateway 0, and a sink behind it that is the same as behind r1. IPv4 only.

struct failover;

// Makes it, beside the routes of a scenario that all lead to gateway 0. -EOPNOTSUPP: they do not.
int failover_open(struct lane *lane, const struct scenario *scenario, struct failover **ret_failover);

// The port, one more for the router.
const char *failover_port(const struct failover *failover);

// Brings r1 back with its addresses, neighbours and routes.
int failover_restore(const struct failover *failover);

// Removes the second way; NULL is fine.
void failover_close(struct failover *failover);
