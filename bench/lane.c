// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/lane.h"

#include "bench/netns.h"
#include "bench/rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

// Addresses of documentation prefixes: no table holds routes for them. The last byte of a gateway is its
// number + 16.
static const char lane_r0_address4[] = "198.51.100.1", lane_s_address4[] = "198.51.100.2";
static const char lane_r0_address6[] = "2001:db8:1::1", lane_s_address6[] = "2001:db8:1::2";
static const char lane_r1_address4[] = "192.0.2.1", lane_gateway_base4[] = "192.0.2.16";
static const char lane_r1_address6[] = "2001:db8:2::1", lane_gateway_base6[] = "2001:db8:2::10";

#define LANE_VETH      "veth" // its driver
#define LANE_VLAN_STEM 10     // letters

struct lane_sysctl {
	const char *path;
	const char *value;
};

static const struct lane_sysctl lane_router_sysctls[] = {
	{ "net/ipv4/ip_forward", "1" },
	{ "net/ipv4/conf/all/rp_filter", "0" },
	{ "net/ipv4/conf/default/rp_filter", "0" },
	{ "net/ipv6/conf/all/forwarding", "1" },
	{ "net/ipv6/conf/default/accept_dad", "0" },
	{ "net/ipv6/conf/default/accept_ra", "0" },
	{ "net/ipv6/route/max_size", "2147483647" },
};

// The ends must not send anything of their own.
static const struct lane_sysctl lane_end_sysctls[] = {
	{ "net/ipv6/conf/all/disable_ipv6", "1" },
	{ "net/ipv6/conf/default/disable_ipv6", "1" },
};

// Writes into the calling thread's namespace.
static int lane_sysctl_write(const struct lane_sysctl *sysctl)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/sys/%s", sysctl->path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, sysctl->value, strlen(sysctl->value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int lane_sysctls_write(int netns, const struct lane_sysctl *sysctls, unsigned int count)
{
	unsigned int i;
	int home, err;

	err = netns_enter(netns, &home);
	if (err < 0)
		return err;
	for (i = 0; err >= 0 && i < count; i++)
		err = lane_sysctl_write(&sysctls[i]);
	netns_leave(home);
	return err;
}

static struct rtnetlink_end lane_end(const struct lane_port *port)
{
	struct rtnetlink_end end = { .netns = port->netns };

	memcpy(end.name, port->name, sizeof(end.name));
	memcpy(end.mac, port->mac, sizeof(end.mac));
	return end;
}

static int lane_pair(struct rtnetlink *rtnetlink, const struct lane_port *one, const struct lane_port *other)
{
	struct rtnetlink_end end = lane_end(one), peer = lane_end(other);

	return rtnetlink_veth(rtnetlink, &end, &peer);
}

// Sets something of a port in the calling thread's namespace.
static int lane_ethtool(const struct lane_port *port, void *ret_what)
{
	struct ifreq request = { .ifr_data = ret_what };
	int fd, err = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, port->name, sizeof(request.ifr_name));
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int lane_feature(const struct lane_port *port, __u32 command, bool on)
{
	struct ethtool_value value = { .cmd = command, .data = on };

	return lane_ethtool(port, &value);
}

static int lane_clear_flag(const struct lane_port *port, __u32 flag)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	int err = lane_ethtool(port, &flags);

	if (err < 0 || !(flags.data & flag))
		return err;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data &= ~flag;
	return lane_ethtool(port, &flags);
}

static bool lane_is_veth_here(const struct lane_port *port)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };

	return lane_ethtool(port, &driver) >= 0 && strcmp(driver.driver, LANE_VETH) == 0;
}

// A veth leaves tags in the frames that it sends: where they travel beside them, no program sees them. On the
// wire of others they are in the frames anyway.
static int lane_keep_tags(const struct lane_port *port)
{
	return lane_is_veth_here(port) ? lane_clear_flag(port, ETH_FLAG_TXVLAN) : 0;
}

static int lane_port_queues(const struct lane_port *port, unsigned int count)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_SCHANNELS, .rx_count = count, .tx_count = count };
	struct ifreq request = { .ifr_data = (void *)&channels };
	int home, fd, err = netns_enter(port->netns, &home);

	if (err < 0)
		return err;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(request.ifr_name, port->name, sizeof(request.ifr_name));
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	netns_leave(home);
	return err;
}

// Sets up a port in its namespace, in which the calling thread is.
static int lane_port_up(struct rtnetlink *rtnetlink, struct lane_port *port)
{
	port->ifindex = if_nametoindex(port->name);
	if (!port->ifindex)
		return -errno;
	return rtnetlink_up(rtnetlink, port->ifindex);
}

static int lane_address(struct rtnetlink *rtnetlink, const struct lane_port *port, __u8 family,
			const char *text)
{
	__u8 address[16];

	inet_pton(family, text, address);
	return rtnetlink_address(rtnetlink, port->ifindex, family, address, family == AF_INET6 ? 64 : 24);
}

static int lane_source_neighbours(struct rtnetlink *rtnetlink, const struct lane *lane)
{
	static const __u8 families[] = { AF_INET, AF_INET6 };
	__u8 address[16];
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < sizeof(families); i++) {
		lane_source_address(families[i], address);
		err = rtnetlink_neighbour(rtnetlink, lane->r0.ifindex, families[i], address, lane->s.mac);
	}
	return err;
}

static int lane_gateway_neighbours(struct rtnetlink *rtnetlink, const struct lane *lane)
{
	__u8 address[16], mac[6], family;
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < 2 * LANE_GATEWAYS; i++) {
		family = i < LANE_GATEWAYS ? AF_INET : AF_INET6;
		lane_gateway_address(i % LANE_GATEWAYS, family, address);
		lane_gateway_mac(i % LANE_GATEWAYS, mac);
		err = rtnetlink_neighbour(rtnetlink, lane->r1.ifindex, family, address, mac);
	}
	return err;
}

static int lane_router_introduce(struct rtnetlink *rtnetlink, struct lane *lane)
{
	int err = lane_source_neighbours(rtnetlink, lane);

	return err < 0 || !lane->r1.name[0] ? err : lane_gateway_neighbours(rtnetlink, lane);
}

static int lane_router_fill(struct rtnetlink *rtnetlink, struct lane *lane)
{
	const struct {
		const struct lane_port *port;
		__u8 family;
		const char *text;
	} addresses[] = {
		{ &lane->r0, AF_INET, lane_r0_address4 },
		{ &lane->r0, AF_INET6, lane_r0_address6 },
		{ &lane->r1, AF_INET, lane_r1_address4 },
		{ &lane->r1, AF_INET6, lane_r1_address6 },
	};
	unsigned int i;
	int err;

	// GRO gives a veth end NAPI without an XDP program, which ndo_xdp_xmit of its peer needs: the kernel
	// as router and generic XDP receive nothing without it.
	err = lane_port_up(rtnetlink, &lane->r0);
	if (err >= 0 && lane->r1.name[0])
		err = lane_port_up(rtnetlink, &lane->r1);
	if (err >= 0)
		err = lane_feature(&lane->r0, ETHTOOL_SGRO, true);
	for (i = 0; err >= 0 && i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (addresses[i].port->name[0])
			err = lane_address(rtnetlink, addresses[i].port, addresses[i].family,
					   addresses[i].text);
	return err < 0 ? err : lane_router_introduce(rtnetlink, lane);
}

// Does something to the router of a lane in its namespace.
static int lane_router_do(struct lane *lane, int (*what)(struct rtnetlink *rtnetlink, struct lane *lane))
{
	struct rtnetlink *rtnetlink;
	int home, err;

	err = netns_enter(lane->r0.netns, &home);
	if (err < 0)
		return err;
	err = rtnetlink_open(&rtnetlink);
	if (err >= 0) {
		err = what(rtnetlink, lane);
		rtnetlink_close(rtnetlink);
	}
	netns_leave(home);
	return err;
}

static int lane_router_up(struct rtnetlink *rtnetlink, struct lane *lane)
{
	int err = lane_pair(rtnetlink, &lane->r0, &lane->s);

	if (err >= 0)
		err = lane_pair(rtnetlink, &lane->r1, &lane->d);
	return err < 0 ? err : lane_router_fill(rtnetlink, lane);
}

static int lane_router_revive(struct rtnetlink *rtnetlink, struct lane *lane)
{
	int err = rtnetlink_up(rtnetlink, lane->r1.ifindex);

	if (err >= 0)
		err = lane_address(rtnetlink, &lane->r1, AF_INET6, lane_r1_address6);
	return err < 0 ? err : lane_gateway_neighbours(rtnetlink, lane);
}

static int lane_router_vlan(struct rtnetlink *rtnetlink, const struct lane *lane, __u16 vid,
			    struct lane_port *ret_port)
{
	int err;

	*ret_port = lane->r0;
	lane_vlan_name(&lane->r0, vid, ret_port->name);
	err = rtnetlink_vlan(rtnetlink, lane->r0.ifindex, ret_port->name, vid);
	return err < 0 ? err : lane_port_up(rtnetlink, ret_port);
}

// A VLAN in the place of r1.
static int lane_router_stick(struct rtnetlink *rtnetlink, struct lane *lane)
{
	int err = 0;

	if (lane->r1.name[0]) { // its cable goes with it
		err = rtnetlink_remove(rtnetlink, lane->r1.ifindex);
		lane->d = lane->s;
	}
	if (err >= 0)
		err = lane_router_vlan(rtnetlink, lane, lane->vlans.out, &lane->r1);
	if (err >= 0)
		err = lane_address(rtnetlink, &lane->r1, AF_INET, lane_r1_address4);
	if (err >= 0)
		err = lane_address(rtnetlink, &lane->r1, AF_INET6, lane_r1_address6);
	return err < 0 ? err : lane_gateway_neighbours(rtnetlink, lane);
}

static int lane_router_tag(struct rtnetlink *rtnetlink, struct lane *lane)
{
	struct lane_port port;
	int err = lane_keep_tags(&lane->r0);

	for (unsigned int i = 0; err >= 0 && i < lane->vlans.count; i++)
		if (lane->vlans.in[i])
			err = lane_router_vlan(rtnetlink, lane, lane->vlans.in[i], &port);
	return err < 0 || !lane->vlans.out ? err : lane_router_stick(rtnetlink, lane);
}

static int lane_sysctls(int source, int router, int target)
{
	const unsigned int of_end = sizeof(lane_end_sysctls) / sizeof(lane_end_sysctls[0]);
	int err;

	err = lane_sysctls_write(router, lane_router_sysctls,
				 sizeof(lane_router_sysctls) / sizeof(lane_router_sysctls[0]));
	if (err >= 0)
		err = lane_sysctls_write(source, lane_end_sysctls, of_end);
	if (err >= 0)
		err = lane_sysctls_write(target, lane_end_sysctls, of_end);
	return err;
}

static struct lane_port lane_port(const char *name, unsigned int number, int netns, __u8 mac)
{
	struct lane_port port = { .mac = { 0x02, 0x70, 0x73, 0x00, 0x00, mac }, .netns = netns };

	snprintf(port.name, sizeof(port.name), "%s%u", name, number);
	return port;
}

int lane_open(struct lane *lane, unsigned int number, int source, int router, int target)
{
	int err;

	lane->s = lane_port("s", number, source, 1);
	lane->r0 = lane_port("r", 0, router, 2);
	lane->r1 = lane_port("r", 1, router, 3);
	lane->d = lane_port("d", number, target, 4);
	err = lane_sysctls(source, router, target);
	if (err >= 0)
		err = lane_router_do(lane, lane_router_up);
	if (err >= 0)
		err = lane_end_up(&lane->s);
	if (err >= 0)
		err = lane_end_up(&lane->d);
	return err;
}

// Frames come to gateways, not to the port itself.
static int lane_take_all(const struct lane_port *port)
{
	struct rtnetlink *rtnetlink;
	int err = rtnetlink_open_in(port->netns, &rtnetlink);

	if (err < 0)
		return err;
	err = rtnetlink_promiscuous(rtnetlink, port->ifindex);
	rtnetlink_close(rtnetlink);
	return err;
}

int lane_adopt(struct lane *lane, bool router)
{
	int err = lane_sysctls(lane->s.netns, lane->r0.netns, lane->d.netns);

	if (err >= 0 && router)
		err = lane_furnish(lane);
	if (err >= 0)
		err = lane_end_up(&lane->s);
	if (err >= 0)
		err = lane_end_up(&lane->d);
	return err < 0 ? err : lane_take_all(&lane->d);
}

int lane_port_down(const struct lane_port *port)
{
	struct rtnetlink *rtnetlink;
	int err = rtnetlink_open_in(port->netns, &rtnetlink);

	if (err < 0)
		return err;
	err = rtnetlink_down(rtnetlink, port->ifindex);
	rtnetlink_close(rtnetlink);
	return err;
}

int lane_end_up(struct lane_port *port)
{
	struct rtnetlink *rtnetlink;
	int home, err;

	err = netns_enter(port->netns, &home);
	if (err < 0)
		return err;
	err = rtnetlink_open(&rtnetlink);
	if (err >= 0) {
		err = lane_port_up(rtnetlink, port);
		rtnetlink_close(rtnetlink);
	}
	netns_leave(home);
	return err;
}

int lane_revive(struct lane *lane)
{
	return lane_router_do(lane, lane_router_revive);
}

static int lane_port_mtu(const struct lane_port *port, __u32 mtu)
{
	struct rtnetlink *rtnetlink;
	int err = rtnetlink_open_in(port->netns, &rtnetlink);

	if (err < 0)
		return err;
	err = rtnetlink_mtu(rtnetlink, port->ifindex, mtu);
	rtnetlink_close(rtnetlink);
	return err;
}

int lane_mtu(const struct lane *lane, __u32 mtu)
{
	const struct lane_port *ports[] = { &lane->s, &lane->r0, &lane->r1, &lane->d };
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < 4; i++)
		err = lane_port_mtu(ports[i], mtu);
	return err;
}

int lane_queues(const struct lane *lane, unsigned int count)
{
	const struct lane_port *const ports[] = { &lane->s, &lane->r0, &lane->r1, &lane->d };
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < sizeof(ports) / sizeof(ports[0]); i++)
		err = lane_port_queues(ports[i], count);
	return err;
}

int lane_introduce(struct lane *lane)
{
	return lane_router_do(lane, lane_router_introduce);
}

int lane_furnish(struct lane *lane)
{
	return lane_router_do(lane, lane_router_fill);
}

int lane_tag(struct lane *lane)
{
	return lane_router_do(lane, lane_router_tag);
}

int lane_see_tags(const struct lane *lane)
{
	int home, err = lane_take_all(&lane->s);

	if (err >= 0)
		err = lane_take_all(&lane->d);
	if (err >= 0)
		err = netns_enter(lane->d.netns, &home);
	if (err < 0)
		return err;
	if (lane_clear_flag(&lane->d, ETH_FLAG_RXVLAN) < 0)
		err = -EOPNOTSUPP;
	netns_leave(home);
	return err;
}

bool lane_is_veth(const struct lane_port *port)
{
	int home;
	bool is;

	if (netns_enter(port->netns, &home) < 0)
		return false;
	is = lane_is_veth_here(port);
	netns_leave(home);
	return is;
}

void lane_vlan_name(const struct lane_port *port, __u16 vlan, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "%.*s.%u", LANE_VLAN_STEM, port->name, vlan % (1 << 12));
}

void lane_gateway_mac(unsigned int index, __u8 mac[6])
{
	const __u8 base[6] = { 0x02, 0x70, 0x73, 0x00, 0x01, index };

	memcpy(mac, base, sizeof(base));
}

void lane_gateway_address(unsigned int index, __u8 family, __u8 *address)
{
	inet_pton(family, family == AF_INET6 ? lane_gateway_base6 : lane_gateway_base4, address);
	address[family == AF_INET6 ? 15 : 3] += index;
}

void lane_router_address(unsigned int port, __u8 family, __u8 *address)
{
	if (family == AF_INET6)
		inet_pton(AF_INET6, port ? lane_r1_address6 : lane_r0_address6, address);
	else
		inet_pton(AF_INET, port ? lane_r1_address4 : lane_r0_address4, address);
}

void lane_source_address(__u8 family, __u8 *address)
{
	inet_pton(family, family == AF_INET6 ? lane_s_address6 : lane_s_address4, address);
}
