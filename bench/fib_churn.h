// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/fib_family.h"
#include "bench/workload/updates.h"

// Applies all updates of the family to all its structures, in turns of some at a time, and tells in
// ret_costs[i] what they cost in built[i]. Default routes and the other family's are passed over. Next hops
// count from 1, as in files. Errors are told on stderr. A structure of DPDK that has no room is lost from
// then on: DPDK 22.11 loses count of its groups where a route and the one around it have the same next hop.
int fib_churn(struct fib_family *family, struct updates *updates,
	      struct fib_cost ret_costs[FIB_STRUCTURES_MAX]);
