// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/topology.h"

#include "bench/netns.h"
#include "bench/rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

// Addresses of documentation prefixes: no table holds routes for them. The last byte of a gateway is its
// number + 16.
static const char topology_r0_address4[] = "198.51.100.1", topology_s0_address4[] = "198.51.100.2";
static const char topology_r0_address6[] = "2001:db8:1::1", topology_s0_address6[] = "2001:db8:1::2";
static const char topology_r1_address4[] = "192.0.2.1", topology_gateway_base4[] = "192.0.2.16";
static const char topology_r1_address6[] = "2001:db8:2::1", topology_gateway_base6[] = "2001:db8:2::10";

struct topology_sysctl {
	const char *path;
	const char *value;
};

static const struct topology_sysctl topology_router_sysctls[] = {
	{ "net/ipv4/ip_forward", "1" },
	{ "net/ipv4/conf/all/rp_filter", "0" },
	{ "net/ipv4/conf/default/rp_filter", "0" },
	{ "net/ipv6/conf/all/forwarding", "1" },
	{ "net/ipv6/conf/default/accept_dad", "0" },
	{ "net/ipv6/conf/default/accept_ra", "0" },
	{ "net/ipv6/route/max_size", "2147483647" },
};

// The ends must not send anything of their own.
static const struct topology_sysctl topology_end_sysctls[] = {
	{ "net/ipv6/conf/all/disable_ipv6", "1" },
	{ "net/ipv6/conf/default/disable_ipv6", "1" },
};

// Writes into the calling thread's namespace.
static int topology_sysctl_write(const struct topology_sysctl *sysctl)
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

static int topology_sysctls_write(int netns, const struct topology_sysctl *sysctls, unsigned int count)
{
	unsigned int i;
	int home, err;

	err = netns_enter(netns, &home);
	if (err < 0)
		return err;
	for (i = 0; err >= 0 && i < count; i++)
		err = topology_sysctl_write(&sysctls[i]);
	netns_leave(home);
	return err;
}

static void topology_guard_run(const struct topology *topology, int pipe_end)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	int null = open("/dev/null", O_RDWR);
	unsigned int i;
	char byte;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	setsid();
	prctl(PR_SET_NAME, "penstock-guard");
	for (i = 0; i < 3; i++)
		dup2(null, i);
	while (read(pipe_end, &byte, 1) < 0 && errno == EINTR)
		;
	netns_remove(topology->source_name);
	netns_remove(topology->router_name);
	netns_remove(topology->target_name);
	_exit(0);
}

// The guard waits for the end of the pipe, which comes when the caller closes it or dies.
static int topology_guard_start(struct topology *topology)
{
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	topology->guard = fork();
	if (topology->guard < 0) {
		err = -errno;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (topology->guard == 0) {
		close(ends[1]);
		topology_guard_run(topology, ends[0]);
	}
	close(ends[0]);
	topology->guard_pipe = ends[1];
	return 0;
}

static struct rtnetlink_end topology_end(const struct topology_port *port)
{
	struct rtnetlink_end end = { .netns = port->netns };

	memcpy(end.name, port->name, sizeof(end.name));
	memcpy(end.mac, port->mac, sizeof(end.mac));
	return end;
}

static int topology_pair(struct rtnetlink *rtnetlink, const struct topology_port *one,
			 const struct topology_port *other)
{
	struct rtnetlink_end end = topology_end(one), peer = topology_end(other);

	return rtnetlink_veth(rtnetlink, &end, &peer);
}

// GRO gives a veth end NAPI without an XDP program, which ndo_xdp_xmit of its peer needs: the kernel as
// router and generic XDP receive nothing without it.
static int topology_gro_on(const struct topology_port *port)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&value };
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

// Sets up a port in its namespace, in which the calling thread is.
static int topology_port_up(struct rtnetlink *rtnetlink, struct topology_port *port)
{
	port->ifindex = if_nametoindex(port->name);
	if (!port->ifindex)
		return -errno;
	return rtnetlink_up(rtnetlink, port->ifindex);
}

static int topology_address(struct rtnetlink *rtnetlink, const struct topology_port *port, __u8 family,
			    const char *text)
{
	__u8 address[16];

	inet_pton(family, text, address);
	return rtnetlink_address(rtnetlink, port->ifindex, family, address, family == AF_INET6 ? 64 : 24);
}

static int topology_neighbours(struct rtnetlink *rtnetlink, const struct topology *topology, __u8 family)
{
	__u8 address[16], mac[6];
	unsigned int i;
	int err;

	topology_source_address(family, address);
	err = rtnetlink_neighbour(rtnetlink, topology->r0.ifindex, family, address, topology->s0.mac);
	for (i = 0; err >= 0 && i < TOPOLOGY_GATEWAYS; i++) {
		topology_gateway_address(i, family, address);
		topology_gateway_mac(i, mac);
		err = rtnetlink_neighbour(rtnetlink, topology->r1.ifindex, family, address, mac);
	}
	return err;
}

static int topology_router_fill(struct rtnetlink *rtnetlink, struct topology *topology)
{
	int err;

	err = topology_port_up(rtnetlink, &topology->r0);
	if (err >= 0)
		err = topology_port_up(rtnetlink, &topology->r1);
	if (err >= 0)
		err = topology_gro_on(&topology->r0);
	if (err >= 0)
		err = topology_address(rtnetlink, &topology->r0, AF_INET, topology_r0_address4);
	if (err >= 0)
		err = topology_address(rtnetlink, &topology->r0, AF_INET6, topology_r0_address6);
	if (err >= 0)
		err = topology_address(rtnetlink, &topology->r1, AF_INET, topology_r1_address4);
	if (err >= 0)
		err = topology_address(rtnetlink, &topology->r1, AF_INET6, topology_r1_address6);
	if (err >= 0)
		err = topology_neighbours(rtnetlink, topology, AF_INET);
	if (err >= 0)
		err = topology_neighbours(rtnetlink, topology, AF_INET6);
	return err;
}

static int topology_router_up(struct topology *topology)
{
	struct rtnetlink *rtnetlink;
	int home, err;

	err = netns_enter(topology->router, &home);
	if (err < 0)
		return err;
	err = rtnetlink_open(&rtnetlink);
	if (err >= 0) {
		err = topology_pair(rtnetlink, &topology->r0, &topology->s0);
		if (err >= 0)
			err = topology_pair(rtnetlink, &topology->r1, &topology->d0);
		if (err >= 0)
			err = topology_router_fill(rtnetlink, topology);
		rtnetlink_close(rtnetlink);
	}
	netns_leave(home);
	return err;
}

static int topology_end_up(struct topology_port *port)
{
	struct rtnetlink *rtnetlink;
	int home, err;

	err = netns_enter(port->netns, &home);
	if (err < 0)
		return err;
	err = rtnetlink_open(&rtnetlink);
	if (err >= 0) {
		err = topology_port_up(rtnetlink, port);
		rtnetlink_close(rtnetlink);
	}
	netns_leave(home);
	return err;
}

static int topology_namespaces(struct topology *topology)
{
	int err;

	err = netns_create(topology->source_name, &topology->source);
	if (err >= 0)
		err = netns_create(topology->router_name, &topology->router);
	if (err >= 0)
		err = netns_create(topology->target_name, &topology->target);
	if (err >= 0)
		err = topology_sysctls_write(topology->router, topology_router_sysctls,
					     sizeof(topology_router_sysctls) /
						     sizeof(struct topology_sysctl));
	if (err >= 0)
		err = topology_sysctls_write(topology->source, topology_end_sysctls,
					     sizeof(topology_end_sysctls) / sizeof(struct topology_sysctl));
	if (err >= 0)
		err = topology_sysctls_write(topology->target, topology_end_sysctls,
					     sizeof(topology_end_sysctls) / sizeof(struct topology_sysctl));
	return err;
}

static struct topology_port topology_port(const char *name, int netns, __u8 number)
{
	struct topology_port port = { .mac = { 0x02, 0x70, 0x73, 0x00, 0x00, number }, .netns = netns };

	snprintf(port.name, sizeof(port.name), "%s", name);
	return port;
}

int topology_open(struct topology *topology)
{
	int err;

	memset(topology, 0, sizeof(*topology));
	topology->source = topology->router = topology->target = -1;
	snprintf(topology->source_name, TOPOLOGY_NAME_SIZE, "penstock-bench-%d-S", getpid());
	snprintf(topology->router_name, TOPOLOGY_NAME_SIZE, "penstock-bench-%d-R", getpid());
	snprintf(topology->target_name, TOPOLOGY_NAME_SIZE, "penstock-bench-%d-T", getpid());
	err = topology_guard_start(topology);
	if (err < 0)
		return err;
	err = topology_namespaces(topology);
	if (err < 0)
		goto close_topology;
	topology->s0 = topology_port("s0", topology->source, 1);
	topology->r0 = topology_port("r0", topology->router, 2);
	topology->r1 = topology_port("r1", topology->router, 3);
	topology->d0 = topology_port("d0", topology->target, 4);
	err = topology_router_up(topology);
	if (err >= 0)
		err = topology_end_up(&topology->s0);
	if (err >= 0)
		err = topology_end_up(&topology->d0);
	if (err < 0)
		goto close_topology;
	return 0;

close_topology:
	topology_close(topology);
	return err;
}

void topology_close(struct topology *topology)
{
	const int netns[] = { topology->source, topology->router, topology->target };
	unsigned int i;

	close(topology->guard_pipe);
	while (waitpid(topology->guard, NULL, 0) < 0 && errno == EINTR)
		;
	// In case somebody killed the guard.
	netns_remove(topology->source_name);
	netns_remove(topology->router_name);
	netns_remove(topology->target_name);
	for (i = 0; i < sizeof(netns) / sizeof(netns[0]); i++)
		if (netns[i] >= 0)
			close(netns[i]);
}

void topology_gateway_mac(unsigned int index, __u8 mac[6])
{
	const __u8 base[6] = { 0x02, 0x70, 0x73, 0x00, 0x01, index };

	memcpy(mac, base, sizeof(base));
}

void topology_gateway_address(unsigned int index, __u8 family, __u8 *address)
{
	inet_pton(family, family == AF_INET6 ? topology_gateway_base6 : topology_gateway_base4, address);
	address[family == AF_INET6 ? 15 : 3] += index;
}

void topology_source_address(__u8 family, __u8 *address)
{
	inet_pton(family, family == AF_INET6 ? topology_s0_address6 : topology_s0_address4, address);
}
