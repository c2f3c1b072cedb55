// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether VLAN tags are in the frames that a port receives. A network card that takes them out can be told
 * not to. A veth hands over what its other end sends, and that may keep the tag beside the frame, where XDP
 * does not see it: the frame would be taken for an untagged one, or for one of another VLAN. While the port
 * has no VLAN sub-interfaces nobody is misled by that.
 */
#pragma once

#include <stdbool.h>

#include "host/modes/probe.h"

struct capability;

/* Whether it takes a look at the other end to know. */
bool tags_doubtful(const struct capability *port);
/* Pure. `peer`: the other end, NULL: it cannot be seen. `promised`: the configuration says that they are. */
void tags_probe(const struct capability *port, const struct capability *peer, bool promised,
		struct probe *ret);
