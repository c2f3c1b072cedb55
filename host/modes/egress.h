// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether a port can send frames that the program redirects to it. A kernel asked to redirect into a device
 * that cannot loses the frames in silence, so this is decided before: a "no" makes routes through the port
 * punt.
 */
#pragma once

#include <stdbool.h>

#include "host/modes/capability.h"
#include "host/modes/platform.h"
#include "host/modes/probe.h"

struct egress {
	struct probe able;
	bool frames; /* also frames of several buffers */
};

/* Pure. `native`: some port feeds this one from native XDP; generic XDP sends through the ordinary transmit
 * path, which every device has. */
void egress_probe(const struct platform *platform, const struct capability *port, bool native,
		  struct egress *ret);
