// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/remedy.h"

#include <stddef.h>

#include "xdp/verdict.h"

/* Empty: nothing to do. */
static const char *const remedies[REASON_MAX] = {
	[REASON_FORWARDED] = "",
	[REASON_NO_ROUTE] = "if they should go somewhere: ip route get ADDRESS, and the routing daemon",
	[REASON_UNREACHABLE] = "",
	[REASON_PROHIBIT] = "",
	[REASON_THROW] = "routes in the tables that 'ip rule' names next",
	[REASON_LOCAL] = "",
	[REASON_BROADCAST] = "",
	[REASON_MULTICAST] = "",
	[REASON_MARTIAN_DESTINATION] = "find who sends to such addresses: tcpdump on the port",
	[REASON_NEIGHBOUR] = "if it goes on: the next hop does not answer, see: penstock show neighbours",
	[REASON_EGRESS_DOWN] = "the cable, or: ip link set dev EGRESS up",
	[REASON_EGRESS_FOREIGN] =
		"make the interface they leave by a port, too; see: penstock show interfaces",
	[REASON_EGRESS_UNABLE] = "penstock plan EGRESS names what makes it take frames",
	[REASON_ENCAP] = "",
	[REASON_POLICY_RULE] = "penstock show rules names the rule; a route or a VRF may serve instead",
	[REASON_TOS_ROUTE] = "a route without tos, if the field need not matter",
	[REASON_SOURCE_ROUTE] = "a route without 'from', if the source need not matter",
	[REASON_TABLE_FULL] =
		"a larger size under 'image' in the configuration, and a restart; see: penstock show image",
	[REASON_UNSUPPORTED_ROUTE] =
		"penstock lookup ADDRESS shows the route; a plain one would be forwarded",
	[REASON_BLACKHOLE] = "",
	[REASON_NOT_FOR_US] = "if they are many: the switch floods, or the port is promiscuous",
	[REASON_LINK_MULTICAST] = "",
	[REASON_NOT_IP] = "",
	[REASON_TAG_UNKNOWN] =
		"ip link add link PORT name PORT.VID type vlan id VID, or take the VLAN off the switch",
	[REASON_TAGS_TOO_DEEP] = "",
	[REASON_TRUNCATED] = "find who sends broken packets: tcpdump on the port",
	[REASON_BAD_VERSION] = "find who sends broken packets: tcpdump on the port",
	[REASON_BAD_HEADER_LENGTH] = "find who sends broken packets: tcpdump on the port",
	[REASON_BAD_LENGTH] = "find who sends broken packets: tcpdump on the port",
	[REASON_TRAILER] = "",
	[REASON_BAD_CHECKSUM] =
		"find who sends broken packets: tcpdump on the port; over veth: ethtool -K PEER tx off",
	[REASON_OPTIONS] = "",
	[REASON_TTL] = "if they are many: look for a routing loop, traceroute to their destination",
	[REASON_MARTIAN_SOURCE] = "find who sends from such addresses: tcpdump on the port",
	[REASON_RPF] = "if routes are asymmetric on purpose: sysctl -w net.ipv4.conf.PORT.rp_filter=2",
	[REASON_FORWARDING_OFF] = "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
	[REASON_SAME_INTERFACE] =
		"sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.PORT.send_redirects=0",
	[REASON_TOO_BIG] = "if they are many: a larger MTU on the egress, or a smaller one at the senders",
	[REASON_MULTI_BUFFER] =
		"a smaller MTU on this port, or an egress that takes frames of several buffers",
	[REASON_NO_HEADROOM] = "report the driver: it leaves no room in front of the frame",
	[REASON_INTERFACE_UNKNOWN] =
		"if it goes on: penstock show image, the table of interfaces may be full",
	[REASON_NETFILTER] =
		"penstock show rules names them; 'netfilter: bypass' if they need not see forwarded packets",
	[REASON_XFRM] =
		"penstock show rules names them; 'netfilter: bypass' if they do not concern these packets",
	[REASON_STALE] = "the daemon did not run or was stopped for longer than stale-after; see its log",
	[REASON_HELD] = "if it goes on: penstock status says what the port waits for",
	[REASON_INGRESS_DOWN] = "ip link set dev PORT up",
	[REASON_EGRESS_GONE] = "",
	[REASON_EGRESS_BEYOND] = "",
	[REASON_NO_WORKER] =
		"if it goes on: an AF_XDP worker died or is stuck; see the log, and restart penstock",
	[REASON_TAG_HIDDEN] = "penstock status says of the port how its tags get into the frames",
};

const char *remedy_text(unsigned int reason)
{
	return remedy_known(reason) && *remedies[reason] ? remedies[reason] : NULL;
}

bool remedy_known(unsigned int reason)
{
	return reason < REASON_MAX && remedies[reason];
}
