// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/world_ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "bench/workload/random.h"

#define END_MTU       3300       // longer than any MTU of a world
#define FIRST_VRF     50         // ifindex of the first VRF device
#define NEXTHOP_IDS   1000       // next-hop objects of route r: (r + 1) * NEXTHOP_IDS + 1...
#define CHANGED_IDS   1000000000 // and of those that come by the n-th change: this + n * NEXTHOP_IDS + 1...
#define CARRIER_TRIES 200        // ten a second

struct sysctl {
	const char *path, *value;
};

// Answers must not depend on time: no limits on ICMP, no duplicate address detection, the same ECMP hash.
static const struct sysctl router_sysctls[] = {
	{ "net/ipv4/ip_forward", "1" },
	{ "net/ipv4/icmp_ratelimit", "0" },
	{ "net/ipv4/icmp_ratemask", "0" },
	{ "net/ipv4/fib_multipath_hash_policy", "1" },
	{ "net/ipv4/conf/all/rp_filter", "0" },
	{ "net/ipv4/conf/default/rp_filter", "0" },
	{ "net/ipv4/conf/all/send_redirects", "0" },
	{ "net/ipv4/conf/all/accept_redirects", "0" },
	{ "net/ipv6/conf/all/forwarding", "1" },
	{ "net/ipv6/conf/default/forwarding", "1" },
	{ "net/ipv6/conf/all/accept_dad", "0" },
	{ "net/ipv6/conf/default/accept_dad", "0" },
	{ "net/ipv6/conf/default/dad_transmits", "0" },
	{ "net/ipv6/conf/default/router_solicitations", "0" },
	{ "net/ipv6/fib_multipath_hash_policy", "1" },
	{ "net/ipv6/icmp/ratelimit", "0" },
	{ "net/ipv6/icmp/ratemask", "127" },
};

// Not in every kernel. Before 6.11 the seed is one for the whole machine anyway.
static const struct sysctl router_sysctls_optional[] = {
	{ "net/ipv4/fib_multipath_hash_seed", "1" },
	{ "net/ipv6/route/max_size", "1000000" },
};

static const struct sysctl end_sysctls[] = {
	{ "net/ipv6/conf/all/disable_ipv6", "1" },
	{ "net/ipv6/conf/default/disable_ipv6", "1" },
};

static int set_sysctls(const struct netns *netns, const struct sysctl *sysctls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int error = netns_sysctl(netns, sysctls[i].path, sysctls[i].value);

		if (error < 0) {
			fprintf(stderr, "%s: sysctl %s: %s\n", netns->name, sysctls[i].path,
				strerror(-error));
			return error;
		}
	}
	return 0;
}

static const char *text(__u8 family, const __u8 *address)
{
	static char buffer[INET6_ADDRSTRLEN];

	return inet_ntop(family, address, buffer, sizeof(buffer));
}

static void write_mac(FILE *out, const __u8 mac[6])
{
	fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* --- interfaces --- */

static void write_interface(FILE *out, const struct world *world, const struct world_interface *interface,
			    const struct netns *ends)
{
	const struct world_interface *parent = world_interface(world, interface->parent);

	fprintf(out, "link add %s%s name %s index %u address ", parent ? "link " : "",
		parent ? parent->name : "", interface->name, interface->ifindex);
	write_mac(out, interface->mac);
	fprintf(out, " mtu %u type ", interface->mtu);
	if (parent)
		fprintf(out, "vlan proto %s id %u\n", interface->tpid == ETH_P_8021Q ? "802.1Q" : "802.1ad",
			interface->vid);
	else if (ends)
		fprintf(out, "veth peer name e%s mtu %u netns %s\n", interface->name + 1, END_MTU,
			ends->name);
	else
		fprintf(out, "veth\n");
	if (interface->table != RT_TABLE_MAIN)
		fprintf(out, "link set %s master vrf%u\n", interface->name, interface->table);
	fprintf(out, "link set %s up\n", interface->name);
	for (__u32 i = 0; i < interface->address_count; i++) {
		const struct world_prefix *address = &interface->address[i];

		fprintf(out, "address add %s/%u dev %s %s\n", text(address->family, address->address),
			address->length, interface->name,
			address->family == AF_INET ? "broadcast +" : "nodad");
	}
}

// ends NULL: ports have no peers.
static void write_interfaces(FILE *out, const struct world *world, const struct netns *ends)
{
	__u32 vrf = FIRST_VRF;

	fprintf(out, "link set lo up\n");
	for (__u32 i = 0; i < world->table_count; i++)
		if (world->table[i].id != RT_TABLE_MAIN && world->table[i].id != RT_TABLE_LOCAL) {
			fprintf(out, "link add vrf%u index %u type vrf table %u\n", world->table[i].id, vrf++,
				world->table[i].id);
			fprintf(out, "link set vrf%u up\n", world->table[i].id);
		}
	for (__u32 i = 0; i < world->interface_count; i++)
		write_interface(out, world, &world->interface[i], ends);
}

int world_ip_switches(const struct world *world, const struct netns *router)
{
	for (__u32 i = 0; i < world->interface_count; i++) {
		const struct world_interface *interface = &world->interface[i];
		const char *names[] = { "rp_filter", "send_redirects", "forwarding" };
		int values[] = { interface->rp_filter, interface->redirects, interface->forward4 };

		for (int j = 0; j < 3; j++) {
			char path[64], value[2] = { '0' + values[j], 0 };
			struct sysctl sysctl = { path, value };
			int error;

			snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", interface->name, names[j]);
			error = set_sysctls(router, &sysctl, 1);
			if (error < 0)
				return error;
		}
	}
	return 0;
}

/* --- routes --- */

static const char *type_name(__u8 type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return "blackhole ";
	case RTN_UNREACHABLE:
		return "unreachable ";
	case RTN_PROHIBIT:
		return "prohibit ";
	case RTN_THROW:
		return "throw ";
	default:
		return "";
	}
}

static void write_path(FILE *out, const struct world *world, const struct world_route *route,
		       const struct world_path *path)
{
	if (path->family)
		fprintf(out, " via %s%s", path->family != route->prefix.family ? "inet6 " : "",
			text(path->family, path->gateway));
	fprintf(out, " dev %s", world_interface(world, path->ifindex)->name);
}

static bool uses_objects(const struct world *world, const struct world_route *route)
{
	return route->path_count && world->path[route->first_path].family &&
	       random_mix(route - world->route) % 3 == 0;
}

// One route in three goes by next-hop objects, as FRR's do.
static void write_objects(FILE *out, const struct world *world, const struct world_route *route, __u32 first)
{
	for (__u32 i = 0; i < route->path_count; i++) {
		const struct world_path *path = &world->path[route->first_path + i];

		fprintf(out, "nexthop add id %u via %s dev %s\n", first + i + 1,
			text(path->family, path->gateway), world_interface(world, path->ifindex)->name);
	}
	if (route->path_count == 1)
		return;
	fprintf(out, "nexthop add id %u group ", first);
	for (__u32 i = 0; i < route->path_count; i++)
		fprintf(out, "%s%u,%u", i ? "/" : "", first + i + 1,
			world->path[route->first_path + i].weight);
	fprintf(out, "\n");
}

// The commands for a route; its next-hop objects have ids from `first` on.
static void write_route(FILE *out, const struct world *world, const struct world_route *route,
			const char *verb, __u32 first)
{
	if (uses_objects(world, route))
		write_objects(out, world, route, first);
	fprintf(out, "route %s %s%s/%u table %u", verb, type_name(route->type),
		text(route->prefix.family, route->prefix.address), route->prefix.length, route->table);
	if (route->mtu)
		fprintf(out, " mtu %u", route->mtu);
	if (uses_objects(world, route))
		fprintf(out, " nhid %u", route->path_count == 1 ? first + 1 : first);
	for (__u32 i = 0; i < route->path_count && !uses_objects(world, route); i++) {
		if (route->path_count > 1)
			fprintf(out, " nexthop");
		write_path(out, world, route, &world->path[route->first_path + i]);
		if (route->path_count > 1)
			fprintf(out, " weight %u", world->path[route->first_path + i].weight);
	}
	fprintf(out, "\n");
}

static void write_neighbour(FILE *out, const struct world *world, const struct world_neighbour *neighbour)
{
	fprintf(out, "neighbour replace %s lladdr ", text(neighbour->family, neighbour->address));
	write_mac(out, neighbour->mac);
	fprintf(out, " dev %s nud permanent\n", world_interface(world, neighbour->ifindex)->name);
}

static void write_routes(FILE *out, const struct world *world)
{
	for (__u32 i = 0; i < world->neighbour_count; i++)
		write_neighbour(out, world, &world->neighbour[i]);
	for (__u32 i = 0; i < world->route_count; i++)
		if (!world->route[i].automatic)
			write_route(out, world, &world->route[i], "add", (i + 1) * NEXTHOP_IDS);
}

/* --- carrying it out --- */

int world_ip_commands(const struct netns *netns, const char *commands)
{
	int code = netns_run(netns, commands, (const char *[]){ "ip", "-batch", "-", NULL });

	if (code == 0)
		return 0;
	fprintf(stderr, "%s: ip -batch ended with %d\n", netns->name, code);
	return code < 0 ? code : -EINVAL;
}

// Hosts behind a port may have VLAN devices of their own.
static int add_host_devices(const struct world *world, const struct netns *ends)
{
	for (__u32 i = 0; i < world->interface_count; i++) {
		const struct world_interface *sub = &world->interface[i];
		const struct world_interface *port = world_interface(world, sub->parent);
		char command[160];

		if (!port || port->parent)
			continue;
		snprintf(command, sizeof(command),
			 "link add link e%s name h%s mtu %u type vlan proto %s id %u\nlink set h%s up\n",
			 port->name + 1, sub->name + 1, END_MTU,
			 sub->tpid == ETH_P_8021Q ? "802.1Q" : "802.1ad", sub->vid, sub->name + 1);
		if (world_ip_commands(ends, command) < 0)
			return -EINVAL;
	}
	return 0;
}

// Brings up the peers; GRO gives a veth end the receive ring that redirected frames need.
static int prepare_ends(const struct world *world, const struct netns *ends)
{
	const char *tags = world->beside ? "on" : "off";

	for (__u32 i = 0; i < world->interface_count; i++) {
		const char *number = world->interface[i].name + 1;
		char name[20], command[64];

		if (world->interface[i].parent)
			continue;
		snprintf(name, sizeof(name), "e%s", number);
		snprintf(command, sizeof(command), "link set %s up\n", name);
		if (world_ip_commands(ends, command) < 0 ||
		    netns_run(ends, NULL,
			      (const char *[]){ "ethtool", "-K", name, "gro", "on", "txvlan", tags,
						"tx-vlan-stag-hw-insert", tags, NULL }) != 0)
			return -EINVAL;
	}
	return world->beside ? add_host_devices(world, ends) : 0;
}

static int apply_commands(const struct world *world, const struct netns *netns, const struct netns *ends)
{
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	int error;

	if (!out)
		return -ENOMEM;
	if (ends)
		write_interfaces(out, world, ends);
	else
		write_routes(out, world);
	fclose(out);
	error = world_ip_commands(netns, commands);
	free(commands);
	return error;
}

static int open_in(const struct netns *netns)
{
	int fd;

	netns_enter(netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	netns_leave();
	return fd;
}

static bool has_flag(int fd, char prefix, const char *name, int flag)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%c%s", prefix, name + 1);
	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & flag;
}

// Whether the kernel takes each interface for what it is: running if it is up and so is what it is joined to.
static bool carriers_settled(const struct world *world, int router, int ends)
{
	bool runs[WORLD_INTERFACES];

	for (__u32 i = 0; i < world->interface_count; i++) {
		const struct world_interface *interface = &world->interface[i];

		runs[i] = has_flag(router, 'w', interface->name, IFF_UP) &&
			  (interface->parent ? runs[interface->parent - WORLD_FIRST_IFINDEX]
					     : has_flag(ends, 'e', interface->name, IFF_UP));
		if (has_flag(router, 'w', interface->name, IFF_RUNNING) != runs[i])
			return false;
	}
	return true;
}

int world_ip_carriers(const struct world *world, const struct netns *router, const struct netns *ends)
{
	int in_router = open_in(router), in_ends = open_in(ends), tries = 0;
	bool settled = false;

	while (in_router >= 0 && in_ends >= 0 && !settled && tries++ < CARRIER_TRIES) {
		settled = carriers_settled(world, in_router, in_ends);
		if (!settled)
			usleep(100000);
	}
	close(in_router);
	close(in_ends);
	if (!settled)
		fprintf(stderr, "%s: the kernel has not looked at all carriers in 20 s\n", router->name);
	return settled ? 0 : -ETIMEDOUT;
}

int world_ip_apply(const struct world *world, const struct netns *router, const struct netns *ends)
{
	int error;

	error = set_sysctls(router, router_sysctls, sizeof(router_sysctls) / sizeof(router_sysctls[0]));
	if (!error)
		error = set_sysctls(ends, end_sysctls, sizeof(end_sysctls) / sizeof(end_sysctls[0]));
	for (size_t i = 0; i < sizeof(router_sysctls_optional) / sizeof(router_sysctls_optional[0]); i++)
		netns_sysctl(router, router_sysctls_optional[i].path, router_sysctls_optional[i].value);
	if (!error)
		error = apply_commands(world, router, ends);
	if (!error)
		error = prepare_ends(world, ends);
	if (!error)
		error = world_ip_carriers(world, router, ends);
	if (!error)
		error = apply_commands(world, router, NULL);
	if (!error)
		error = world_ip_switches(world, router);
	return error;
}

void world_ip_write(FILE *out, const struct world *world)
{
	write_interfaces(out, world, NULL);
	write_routes(out, world);
	for (__u32 i = 0; i < world->interface_count; i++) {
		const struct world_interface *interface = &world->interface[i];

		fprintf(out,
			"net.ipv4.conf.%s.rp_filter = %u\nnet.ipv4.conf.%s.send_redirects = %d\n"
			"net.ipv4.conf.%s.forwarding = %d\n",
			interface->name, interface->rp_filter, interface->name, interface->redirects,
			interface->name, interface->forward4);
	}
}

void world_ip_write_change(FILE *out, const struct world *world, const struct world_change *change,
			   __u32 number)
{
	const struct world_route *route = &world->route[change->index];

	if (change->kind == WORLD_ROUTE)
		write_route(out, world, route, "replace", CHANGED_IDS + number * NEXTHOP_IDS);
	else if (change->kind == WORLD_ROUTE_GONE)
		fprintf(out, "route delete %s/%u table %u\n",
			text(route->prefix.family, route->prefix.address), route->prefix.length,
			route->table);
	else if (change->kind == WORLD_NEIGHBOUR)
		write_neighbour(out, world, &world->neighbour[change->index]);
}
