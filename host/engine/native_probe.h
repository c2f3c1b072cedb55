// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether a port can run the program in its driver, or in the kernel's generic hook. Pure.
 */
#pragma once

#include <stdbool.h>

#include "host/modes/capability.h"
#include "host/modes/platform.h"
#include "host/modes/probe.h"

void native_probe(const struct platform *platform, const struct capability *port, struct probe *ret);
void native_probe_generic(const struct platform *platform, const struct capability *port, struct probe *ret);
/* Whether the driver takes a program and has these of enum xdp_feature, whatever is attached now. */
bool native_probe_attaches(const struct capability *port, __u64 needed);
/* What was measured in these modes. */
__u32 native_probe_measured(const struct platform *platform, const struct capability *port);
__u32 native_probe_measured_generic(const struct platform *platform, const struct capability *port);
