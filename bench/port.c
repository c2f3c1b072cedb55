// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/port.h"

#include "bench/netns.h"
#include "bench/rtnetlink.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>

#define PORT_FLAGS (IFF_UP | IFF_PROMISC)

static int port_ask(const char *name, unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
	err = ioctl(fd, what, request) < 0 ? -errno : 0;
	close(fd);
	return err;
}

// Asks for a setting, or sets it.
static int port_set(const char *name, __u32 command, __u32 *value)
{
	struct ethtool_value asked = { .cmd = command, .data = *value };
	struct ifreq request = { .ifr_data = (void *)&asked };
	int err = port_ask(name, SIOCETHTOOL, &request);

	*value = asked.data;
	return err;
}

// Has it an address that somebody gave it?
static bool port_has_address(const char *name)
{
	struct ifaddrs *all, *one;
	bool has = false;

	if (getifaddrs(&all) < 0)
		return true;
	for (one = all; one; one = one->ifa_next) {
		if (!one->ifa_addr || strcmp(one->ifa_name, name) != 0)
			continue;
		has |= one->ifa_addr->sa_family == AF_INET;
		has |= one->ifa_addr->sa_family == AF_INET6 &&
		       !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr);
	}
	freeifaddrs(all);
	return has;
}

static int port_check(const char *name, struct why *why)
{
	const char *use = port_has_address(name) ? "has addresses" : NULL;
	struct rtnetlink *rtnetlink;
	int err = rtnetlink_open(&rtnetlink);

	if (err >= 0 && !use)
		err = rtnetlink_use(rtnetlink, if_nametoindex(name), &use);
	if (err >= 0)
		rtnetlink_close(rtnetlink);
	if (err < 0)
		return why_set(why, -err, "%s: cannot see whether it is in use: %s", name, strerror(-err));
	return use ? why_set(why, EBUSY, "%s is in use: it %s; give a port that nobody else uses", name, use)
		   : 0;
}

int port_look(const char *name, struct port *ret_port, struct why *why)
{
	struct port port = { 0 };
	struct ifreq request = { 0 };
	int err = port_ask(name, SIOCGIFHWADDR, &request);

	if (err < 0)
		return why_set(why, -err, "%s: no such port: %s", name, strerror(-err));
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return why_set(why, EPROTONOSUPPORT, "%s: is no Ethernet port", name);
	snprintf(port.name, sizeof(port.name), "%s", name);
	memcpy(port.mac, request.ifr_hwaddr.sa_data, sizeof(port.mac));
	err = port_ask(name, SIOCGIFFLAGS, &request);
	port.flags = request.ifr_flags & PORT_FLAGS;
	if (err >= 0)
		err = port_ask(name, SIOCGIFMTU, &request);
	port.mtu = request.ifr_mtu;
	if (err >= 0)
		err = port_set(name, ETHTOOL_GGRO, &port.gro);
	if (err >= 0)
		err = port_set(name, ETHTOOL_GFLAGS, &port.tags);
	if (err < 0)
		return why_set(why, -err, "%s: cannot read its settings: %s", name, strerror(-err));
	err = port_check(name, why);
	if (err >= 0)
		*ret_port = port;
	return err;
}

int port_lend(const struct port *port, int netns, struct why *why)
{
	struct rtnetlink *rtnetlink;
	int err = rtnetlink_open(&rtnetlink);

	if (err >= 0) {
		err = rtnetlink_move(rtnetlink, if_nametoindex(port->name), netns);
		rtnetlink_close(rtnetlink);
	}
	return err < 0 ? why_set(why, -err, "%s: cannot take it into a namespace: %s", port->name,
				 strerror(-err))
		       : 0;
}

// One at a time: some drivers change the other one, too, and refuse to be told.
static void port_restore_tags(const struct port *port, __u32 flag)
{
	__u32 flags = 0;

	if (port_set(port->name, ETHTOOL_GFLAGS, &flags) < 0 || !((flags ^ port->tags) & flag))
		return;
	flags ^= flag;
	port_set(port->name, ETHTOOL_SFLAGS, &flags);
}

// In the namespace where it is to stay.
static void port_restore(const struct port *port)
{
	struct ifreq request = { .ifr_mtu = port->mtu };
	__u32 gro = port->gro;

	port_ask(port->name, SIOCSIFMTU, &request);
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, port->mac, sizeof(port->mac));
	port_ask(port->name, SIOCSIFHWADDR, &request);
	port_set(port->name, ETHTOOL_SGRO, &gro);
	port_restore_tags(port, ETH_FLAG_RXVLAN);
	port_restore_tags(port, ETH_FLAG_TXVLAN);
	if (port_ask(port->name, SIOCGIFFLAGS, &request) < 0)
		return;
	request.ifr_flags = (request.ifr_flags & ~PORT_FLAGS) | port->flags;
	port_ask(port->name, SIOCSIFFLAGS, &request);
}

static void port_clear(const struct port *port)
{
	struct rtnetlink *rtnetlink;

	if (rtnetlink_open(&rtnetlink) < 0)
		return;
	rtnetlink_remove_vlans(rtnetlink, if_nametoindex(port->name));
	rtnetlink_close(rtnetlink);
}

void port_return(const struct port *port, const char *netns, int home)
{
	int there = netns_open(netns), back;

	if (there < 0)
		return;
	if (netns_enter(there, &back) >= 0) {
		if (if_nametoindex(port->name)) {
			port_clear(port);
			port_lend(port, home, NULL);
		}
		netns_leave(back);
	}
	close(there);
	if (netns_enter(home, &back) >= 0) {
		port_restore(port);
		netns_leave(back);
	}
}
