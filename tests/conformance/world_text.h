// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A world written by hand, one statement to a line, # begins a comment:
 *
 *   interface NAME [on DEVICE vlan|s-vlan VID] [mac MAC] [mtu N] [vrf TABLE] [rp-filter N] [redirects]
 *             [no-forwarding] [down] [unable] [foreign] [address PREFIX]...
 *   neighbour INTERFACE ADDRESS MAC
 *   route [blackhole|unreachable|prohibit|throw] PREFIX [vrf TABLE] [mtu N] [via ADDRESS dev INTERFACE
 * [weight N]]...
 */
#pragma once

#include "tests/oracle/world.h"

// Reads a world; NULL after a message on stderr that names file and line.
struct world *world_text_read(const char *path);

// Returns the interface of this name, NULL if there is none.
const struct world_interface *world_text_interface(const struct world *world, const char *name);
