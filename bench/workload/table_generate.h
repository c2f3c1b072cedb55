// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// Draws routing tables that have the shape of the public ones, repeatable from a seed on every machine.

struct table_generate_options {
	__u64 seed;
	size_t ipv4, ipv6; // routes of each family, 0 for none
	__u32 nexthops;    // next-hop ids are 1 to this, with zipf(1.0) shares of the networks
};

// The full table of an Internet router in 2026: 1.17 million IPv4 and 283 thousand IPv6 routes.
#define TABLE_GENERATE_FULL ((struct table_generate_options){ 1, 1171945, 282855, 500 })

// Sets ret_table to a sorted table of exactly the asked size. One route in 400 is longer than /24 or /48.
// -ERANGE when so many routes do not fit the shape or nexthops is not within 1 to TABLE_NEXTHOP_MAX; -ENOMEM.
int table_generate(const struct table_generate_options *options, struct table **ret_table);
