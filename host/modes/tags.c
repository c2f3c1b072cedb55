// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/tags.h"

#include <string.h>

#include "host/modes/capability.h"

bool tags_doubtful(const struct capability *port)
{
	return strcmp(port->kind, "veth") == 0;
}

void tags_probe(const struct capability *port, const struct capability *peer, bool promised,
		struct probe *ret)
{
	if (!tags_doubtful(port)) {
		probe_yes(ret, "VLAN tags are in the frames");
	} else if (promised) {
		probe_yes(ret, "VLAN tags are in the frames, says the configuration");
	} else if (!peer) {
		probe_no(ret,
			 "the other end of the veth is out of sight, and may hand VLAN tags over beside the "
			 "frames");
		probe_fix(ret, "ethtool -K PEER " ETHTOOL_TX_OFF
			       " there, then 'tags: in-frame' for the port in the configuration");
	} else if (ethtool_hides_sent(&peer->ethtool)) {
		probe_no(ret, "%s, the other end of the veth, hands VLAN tags over beside the frames",
			 peer->name);
		probe_fix(ret, "ethtool -K %s " ETHTOOL_TX_OFF "%s", peer->name,
			  port->lower_namespace < 0 ? "" : " (in the namespace of the other end)");
	} else {
		probe_yes(ret, "%s, the other end of the veth, leaves VLAN tags in the frames", peer->name);
	}
}
