// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "bench/dpdk_child.h"
#include "bench/workload/table.h"
#include "host/why.h"

// DPDK's example router, built from its sources.

#define L3FWD_SOURCES "/usr/share/dpdk/examples/l3fwd" // of Debian's dpdk-doc
#define L3FWD_ROUTES  65536u                           // of IPv4 that it holds as shipped

// Does it hold so many routes only with its limits raised? Those of IPv6 take several tables each.
bool l3fwd_is_large(size_t routes4, size_t routes6);

// Why it cannot be built from the sources here: what is missing, and how to get it. 0: it can.
int l3fwd_check(const char *sources, struct why *why);

// Builds it from the sources into directory/l3fwd, with room for full tables of both families where large
// says so; tells on stderr how far it is. What is changed beside that: it does not ask for checksums verified
// by the device, which virtual devices do not have, and does not print each route. -ENOENT without sources,
// compiler or DPDK, -EINTR once *stop is set.
int l3fwd_build(const char *sources, const char *directory, bool large, const volatile sig_atomic_t *stop,
		struct why *why);

// Writes the routes of one family as rules that lead to port 1, into directory/rules4 or directory/rules6.
// NULL: of a family without any, for l3fwd wants a file of each, with a rule at least.
int l3fwd_put_rules(const char *directory, __u8 family, const struct table *table);

// Starts what is in the directory on one CPU, over net_af_xdp on r0 and r1 of a lane, with FIB lookup and its
// rules, towards the MAC of gateway 0: it has one next hop for each port. Else as dpdk_child_start().
int l3fwd_start(const char *directory, bool large, const struct lane *lane, unsigned int cpu,
		const volatile sig_atomic_t *stop, struct dpdk_child **ret_child);
