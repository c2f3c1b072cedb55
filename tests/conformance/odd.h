// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What operators do beyond plain routes, and the naive router knows nothing about: metrics, TOS routes,
 * policy rules, source-specific routes, locked MTUs, next-hop objects that change under their routes, links
 * and carriers that go and come, addresses that go and come, custom local routes, rare sysctls. Drawn for a
 * world; whether the kernel takes each of them does not matter, as long as it does so in both routers.
 */
#pragma once

#include "bench/workload/random.h"
#include "tests/conformance/netns.h"
#include "tests/oracle/world.h"

// Carries out so many odd things in a router and its far ends. The same state of random does the same.
void odd_things(const struct world *world, const struct netns *router, const struct netns *ends,
		struct random random, __u32 count);
