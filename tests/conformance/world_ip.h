// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// A world as the commands that make a live Linux router of it.
#pragma once

#include "tests/conformance/netns.h"
#include "tests/oracle/world.h"

// Brings the world into an empty namespace; each port w<n> gets a peer e<n> in the namespace `ends`, whose
// stack stays silent. Waits until every interface has its carrier. Negative errno, after a message on stderr.
int world_ip_apply(const struct world *world, const struct netns *router, const struct netns *ends);

// Writes one route as an argument list of ip, without "ip route add". The result is the caller's to free.
char *world_ip_route(const struct world *world, const struct world_route *route);
