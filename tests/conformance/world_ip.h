// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// A world as the commands that make a live Linux router of it.
#pragma once

#include <stdio.h>

#include "tests/conformance/netns.h"
#include "tests/oracle/world.h"

// Brings the world into an empty namespace; each port w<n> gets a peer e<n> in the namespace `ends`, whose
// stack stays silent; and, if tags travel beside frames, each sub-interface w<n> of a port a device h<n>
// there. Waits until every interface has its carrier. Negative errno, after a message on stderr.
int world_ip_apply(const struct world *world, const struct netns *router, const struct netns *ends);

// Waits until the kernel knows all carriers as they are: it looks once a second, for all namespaces together,
// and later where it has much to do. -ETIMEDOUT, after a message on stderr.
int world_ip_carriers(const struct world *world, const struct netns *router, const struct netns *ends);

// Writes the commands of ip and the lines of sysctl that say the same, for a router without peers at its
// ports.
void world_ip_write(FILE *out, const struct world *world);

// Writes the commands for a change that the world has just undergone, the number-th one since it was applied;
// changes of an interface are carried out by world_ip_switches().
void world_ip_write_change(FILE *out, const struct world *world, const struct world_change *change,
			   __u32 number);

// Carries out commands of ip, one to a line. Negative errno, after a message on stderr.
int world_ip_commands(const struct netns *router, const char *commands);

// Sets rp_filter, send_redirects and forwarding of all interfaces. Negative errno, after a message on stderr.
int world_ip_switches(const struct world *world, const struct netns *router);
