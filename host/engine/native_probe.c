// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/native_probe.h"

#include <string.h>

#include <net/if_arp.h>

#include "host/modes/driver.h"
#include "host/modes/xdp_features.h"

/* Frames up to this MTU fit one page beside headroom and the kernel's own data. */
#define SINGLE_BUFFER_MTU 3498

/* Kinds of virtual devices that behave like cards; hardware has no kind. */
static bool is_card(const char *kind)
{
	static const char *const kinds[] = { "veth", "tun", "netdevsim", "dsa" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

/* What holds for every hook of the kernel. Returns false after a "no". */
static bool probe_place(const struct capability *port, struct probe *ret)
{
	if (!port->ifindex) {
		probe_no(ret, "there is no such interface");
		probe_fix(ret, "ip link show");
	} else if (port->type != ARPHRD_ETHER) {
		probe_no(ret, "%s is no Ethernet interface", port->name);
	} else if (strcmp(port->kind, "vlan") == 0) {
		probe_no(ret, "%s is a VLAN of %s and follows by itself when that is a port", port->name,
			 port->lower_name[0] ? port->lower_name : "another interface");
		if (port->lower_name[0])
			probe_fix(ret, "use %s as the port", port->lower_name);
	} else if (port->kind[0] && !is_card(port->kind)) {
		probe_no(ret, "%s (%s) is no network card", port->name, port->kind);
	} else if (port->master[0] && strcmp(port->master_kind, "vrf") != 0) {
		probe_no(ret, "%s belongs to %s %s, which handles its frames", port->name,
			 port->master_kind[0] ? port->master_kind : "master", port->master);
		probe_fix(ret, "ip link set dev %s nomaster", port->name);
	} else if (port->program.id && !port->program.ours) {
		probe_no(ret, "XDP program '%s' (id %u) is attached by someone else",
			 port->program.name[0] ? port->program.name : "?", port->program.id);
		probe_fix(ret, "ip link set dev %s xdp off (or unload it with its own tool)", port->name);
	} else {
		return true;
	}
	return false;
}

void native_probe(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	const struct driver *driver = driver_find(port->ethtool.driver);
	__u64 features = port->features_known ? port->features : driver ? driver->features : 0;
	const char *name = port->ethtool.driver[0] ? port->ethtool.driver : "(unknown)";

	if (!probe_place(port, ret))
		return;
	if (!(features & XDP_FEATURE_BASIC)) {
		probe_no(ret, "driver %s has no native XDP", name);
	} else if (!(features & XDP_FEATURE_REDIRECT)) {
		probe_no(ret, "driver %s cannot redirect frames to other ports", name);
	} else if (port->mtu > SINGLE_BUFFER_MTU && !(features & XDP_FEATURE_RX_SG)) {
		probe_no(ret, "driver %s takes native XDP only up to MTU %u, %s has %u", name,
			 SINGLE_BUFFER_MTU, port->name, port->mtu);
		probe_fix(ret, "ip link set dev %s mtu %u", port->name, SINGLE_BUFFER_MTU);
	} else if (port->ethtool.lro) {
		probe_no(ret, "LRO merges received frames");
		probe_fix(ret, "ethtool -K %s lro off", port->name);
	} else {
		probe_yes(ret, "driver %s runs XDP%s", name, port->features_known ? "" : " (from a table)");
	}
}

void native_probe_generic(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	if (probe_place(port, ret))
		probe_yes(ret, "works on any Ethernet interface, at the cost of a socket buffer a packet");
}
