// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/advice.h"

#include <stdio.h>
#include <string.h>

#include "host/modes/capability.h"
#include "host/modes/driver.h"
#include "host/modes/finding.h"
#include "host/modes/platform.h"
#include "host/modes/tags.h"

#define SMALL_RING 1024 /* packets: less than a millisecond at a million a second */
#define GOOD_RING  2048

static bool is_veth(const struct capability *port)
{
	return strcmp(port->kind, "veth") == 0;
}

static __u32 least(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

static void check_link(const struct capability *port, struct findings *findings)
{
	if (!port->up) {
		finding_add(findings, FINDING_SUSPICIOUS, port->name, "is down");
		finding_fix(findings, "ip link set dev %s up", port->name);
	} else if (!port->carrier) {
		finding_add(findings, FINDING_SUSPICIOUS, port->name, "has no carrier");
	}
}

/* Too few queues for redirects are a matter of the egress, not of advice. */
static void check_queues(const struct platform *platform, const struct capability *port,
			 struct findings *findings)
{
	const struct driver *driver = driver_find(port->ethtool.driver);
	__u32 most = port->ethtool.queues_max;
	__u32 now = port->ethtool.rx_queues;
	char channels[ETHTOOL_CHANNELS];

	if (driver && driver->half_queues)
		most /= 2;
	most = least(most, platform->cpus);
	if (port->kind[0] || !now || now >= most || (driver && driver->queue_per_cpu))
		return;
	finding_add(findings, FINDING_HINT, port->name, "only %u of %u CPUs receive its packets", now,
		    platform->cpus);
	ethtool_channels(&port->ethtool, most, channels);
	finding_fix(findings, "ethtool -L %s %s", port->name, channels);
}

static void check_rings(const struct capability *port, struct findings *findings)
{
	__u32 most = least(port->ethtool.rx_ring_max, GOOD_RING);

	if (port->kind[0] || !port->ethtool.rx_ring || port->ethtool.rx_ring >= least(most, SMALL_RING))
		return;
	finding_add(findings, FINDING_HINT, port->name,
		    "its receive ring holds %u packets; a burst loses what is more", port->ethtool.rx_ring);
	finding_fix(findings, "ethtool -G %s rx %u", port->name, most);
}

static void check_offloads(const struct capability *port, struct findings *findings)
{
	if (port->ethtool.gro_hw && !port->ethtool.gro_hw_fixed) {
		finding_add(findings, FINDING_HINT, port->name,
			    "GRO-HW merges received frames, which XDP needs apart; most drivers turn it off "
			    "for XDP");
		finding_fix(findings, "ethtool -K %s rx-gro-hw off", port->name);
	}
	if (strcmp(port->ethtool.driver, "tun") == 0)
		finding_add(findings, FINDING_SUSPICIOUS, port->name,
			    "a guest that leaves checksums to the host sends broken packets through XDP; in "
			    "the guest: "
			    "ethtool -K IF tx off");
}

static void check_peer(const struct capability *port, struct findings *findings)
{
	const char *peer = port->lower_name[0] ? port->lower_name : "PEER";
	const char *where = port->lower_name[0] ? "" : " (in the namespace of the other end)";

	if (!is_veth(port) || !port->peer_seen)
		return;
	if (port->peer_tx_checksum) {
		finding_add(findings, FINDING_SUSPICIOUS, port->name,
			    "what the other end of the veth sends by itself has no checksum yet, and arrives "
			    "broken "
			    "after XDP forwarded it");
		finding_fix(findings, "ethtool -K %s tx off%s", peer, where);
	}
}

/* In our own namespace the daemon sees to it; into others it looks only where the kernel tells it little. */
static void check_tags(const struct platform *platform, const struct capability *port,
		       struct findings *findings)
{
	bool seen = port->peer_seen && !platform->features;
	struct capability peer = { .ethtool.txvlan = port->peer_hides_tags };
	struct probe tags;

	if (!tags_doubtful(port) || !port->stack.vlans || (port->peer_seen && port->lower_name[0]))
		return;
	snprintf(peer.name, sizeof(peer.name), "PEER");
	tags_probe(port, seen ? &peer : NULL, false, &tags);
	if (tags.possible)
		return;
	finding_add(findings, FINDING_SUSPICIOUS, port->name,
		    "as VLANs stand on it, what comes in goes to the kernel: %.140s", tags.reason);
	finding_fix(findings, "%s", tags.fix);
}

static void check_stack(const struct capability *port, struct findings *findings)
{
	if (port->stack.macvlans)
		finding_add(findings, FINDING_HINT, port->name,
			    "packets for the %u macvlan or ipvlan devices on it go through the kernel",
			    port->stack.macvlans);
}

void advice_port(const struct platform *platform, const struct capability *port, struct findings *findings)
{
	check_link(port, findings);
	check_queues(platform, port, findings);
	check_rings(port, findings);
	check_offloads(port, findings);
	check_peer(port, findings);
	check_tags(platform, port, findings);
	check_stack(port, findings);
}
