// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether a port is one of a card that can run the program; pure.
 */
#pragma once

#include "host/modes/capability.h"
#include "host/modes/platform.h"
#include "host/modes/probe.h"

void offload_probe(const struct platform *platform, const struct capability *port, struct probe *ret);
