// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/place.h"

#include <string.h>

#include <net/if_arp.h>

#include "host/modes/capability.h"
#include "host/modes/probe.h"

/* Kinds of virtual devices that behave like cards; hardware has no kind. */
static bool is_card(const char *kind)
{
	static const char *const kinds[] = { "veth", "tun", "netdevsim", "dsa" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

static void refuse_absent(const struct capability *port, struct probe *ret)
{
	if (port->pci.address[0] && port->pci.driver[0]) {
		probe_no(ret,
			 "%s belongs to %s, for programs in user space; the kernel does not see its packets",
			 port->name, port->pci.driver);
		probe_fix(ret, "dpdk-devbind.py -b DRIVER %s gives it back to the kernel", port->pci.address);
	} else if (port->pci.address[0]) {
		probe_no(ret, "no driver has %s", port->name);
	} else {
		probe_no(ret, "there is no such interface");
		probe_fix(ret, "ip link show");
	}
}

bool place_probe(const struct capability *port, struct probe *ret)
{
	if (!port->ifindex) {
		refuse_absent(port, ret);
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
		probe_fix(ret, "ip link set dev %s %s off (or unload it with its own tool)", port->name,
			  port->program.attached == CAPABILITY_ATTACH_HARDWARE ? "xdpoffload" : "xdp");
	} else if (port->ethtool.rxvlan && port->ethtool.rxvlan_fixed && strcmp(port->kind, "veth") != 0) {
		probe_no(ret,
			 "driver %s takes VLAN tags off received frames and cannot be told not to, so tagged "
			 "packets would go by the wrong tables",
			 port->ethtool.driver);
	} else {
		return true;
	}
	return false;
}
