// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether a port can run behind an AF_XDP socket, and how. Pure.
 */
#pragma once

#include <stdbool.h>

#include "host/modes/capability.h"
#include "host/modes/platform.h"
#include "host/modes/probe.h"

void afxdp_probe(const struct platform *platform, const struct capability *port, struct probe *ret);
/* The driver runs the program; otherwise the generic hook does. */
bool afxdp_probe_driver(const struct capability *port);
/* The driver says that it shares its rings with user space. */
bool afxdp_probe_zero_copy(const struct capability *port);
/* What was measured of it. With zero copy: nothing, since no veth has that. */
__u32 afxdp_probe_measured(const struct platform *platform, const struct capability *port);
