// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/odd.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#define OWN_TABLE 77 // of the policy rules

struct odd {
	const struct world *world;
	const struct netns *router;
	struct random random;
	__u64 carriers;      // ports whose carrier has been changed
	bool rules;          // whether there are any: they leave much to the kernel
	FILE *out[2], *ends; // commands: of IPv4 and of IPv6 for the router, for the far ends
};

static __u32 below(struct odd *odd, __u32 bound)
{
	return random_below(&odd->random, bound);
}

// A route of the world, with its paths; the family's stream of commands comes with it.
static const struct world_route *draw_route(struct odd *odd, FILE **ret_out)
{
	const struct world_route *route;

	do
		route = &odd->world->route[below(odd, odd->world->route_count)];
	while (route->automatic || route->type != RTN_UNICAST);
	*ret_out = odd->out[route->prefix.family == AF_INET6];
	return route;
}

static const struct world_interface *draw_port(struct odd *odd)
{
	return &odd->world->interface[below(odd, odd->world->interface_count)];
}

static void write_prefix(FILE *out, const struct world_prefix *prefix)
{
	char text[INET6_ADDRSTRLEN];

	fprintf(out, "%s/%u ", inet_ntop(prefix->family, prefix->address, text, sizeof(text)),
		prefix->length);
}

// The path of some other route of the family. Not IPv4 by an IPv6 gateway: Linux forgets to mark such routes
// when they are added while the carrier is gone.
static void write_path(struct odd *odd, FILE *out)
{
	const struct world_route *route;
	const struct world_path *path;
	char text[INET6_ADDRSTRLEN];
	FILE *other;

	do {
		route = draw_route(odd, &other);
		path = &odd->world->path[route->first_path];
	} while (other != out || (path->family && path->family != route->prefix.family));
	if (path->family)
		fprintf(out, "via %s ", inet_ntop(path->family, path->gateway, text, sizeof(text)));
	fprintf(out, "dev %s ", world_interface(odd->world, path->ifindex)->name);
}

// "route VERB PREFIX", to be continued.
static FILE *begin_route(struct odd *odd, const char *verb)
{
	FILE *out;
	const struct world_route *route = draw_route(odd, &out);

	fprintf(out, "route %s ", verb);
	write_prefix(out, &route->prefix);
	return out;
}

/* --- routes --- */

static void metrics(struct odd *odd)
{
	FILE *out;
	const struct world_route *route = draw_route(odd, &out);
	static const char *const kinds[] = { "", "blackhole ", "unreachable " };

	fprintf(out, "route delete ");
	write_prefix(out, &route->prefix);
	fprintf(out, "\n");
	for (int metric = 30; metric > 0; metric -= 10) {
		__u32 kind = below(odd, 8);

		fprintf(out, "route add %s", kind < 3 ? kinds[kind] : "");
		write_prefix(out, &route->prefix);
		if (kind == 0 || kind >= 3)
			write_path(odd, out);
		fprintf(out, "metric %d\n", metric);
	}
	if (below(odd, 2)) {
		fprintf(out, "route delete ");
		write_prefix(out, &route->prefix);
		fprintf(out, "metric 10\n");
	}
}

static void tos(struct odd *odd)
{
	FILE *out = begin_route(odd, "add");

	write_path(odd, out);
	fprintf(out, "tos 0x%02x\n", 4 << below(odd, 5));
}

static void append(struct odd *odd)
{
	FILE *out;
	const struct world_route *route;

	do // IPv6 would make several paths of it
		route = draw_route(odd, &out);
	while (route->prefix.family == AF_INET6);
	fprintf(out, "route append ");
	write_prefix(out, &route->prefix);
	write_path(odd, out);
	fprintf(out, "\n");
}

static void mtu_lock(struct odd *odd)
{
	FILE *out = begin_route(odd, "replace");

	write_path(odd, out);
	fprintf(out, "mtu lock %u\n", 1280 + below(odd, 3) * 100);
}

static void from(struct odd *odd)
{
	const struct world_route *source;
	FILE *out, *other;
	const struct world_route *route;

	do
		route = draw_route(odd, &out);
	while (route->prefix.family != AF_INET6);
	do
		source = draw_route(odd, &other);
	while (other != out);
	fprintf(out, "route add ");
	write_prefix(out, &route->prefix);
	fprintf(out, "from ");
	write_prefix(out, &source->prefix);
	write_path(odd, out);
	fprintf(out, "\n");
}

static void custom_local(struct odd *odd)
{
	FILE *out = begin_route(odd, "add local");

	fprintf(out, "table %s dev lo\n", below(odd, 2) ? "local" : "main");
}

static void onlink(struct odd *odd)
{
	FILE *out = begin_route(odd, "replace");

	write_path(odd, out);
	fprintf(out, "onlink\n");
}

// An object under two routes, then changed.
static void object(struct odd *odd)
{
	__u32 id = 2000000000 + below(odd, 1000000);
	FILE *out, *other;
	const struct world_route *route = draw_route(odd, &out), *second;

	do
		second = draw_route(odd, &other);
	while (other != out);
	fprintf(out, "nexthop add id %u ", id);
	write_path(odd, out);
	fprintf(out, "\nroute replace ");
	write_prefix(out, &route->prefix);
	fprintf(out, "nhid %u\nroute replace ", id);
	write_prefix(out, &second->prefix);
	fprintf(out, "nhid %u\nnexthop %s id %u ", id, below(odd, 4) ? "replace" : "delete", id);
	write_path(odd, out);
	fprintf(out, "\n");
}

/* --- rules --- */

// A rule of either family: from or to a prefix, by interface, TOS or port; to a table of its own, or to
// nothing.
static void rule(struct odd *odd)
{
	FILE *out;
	const struct world_route *route = draw_route(odd, &out);

	if (!odd->rules)
		return;
	fprintf(out, "rule add preference %u ", 100 + below(odd, 800));
	switch (below(odd, 6)) {
	case 0:
	case 1:
		fprintf(out, "%s ", below(odd, 2) ? "from" : "to");
		write_prefix(out, &route->prefix);
		break;
	case 2:
		fprintf(out, "iif %s ", draw_port(odd)->name);
		break;
	case 3:
		fprintf(out, "tos 0x%02x ", 4 << below(odd, 3));
		break;
	case 4:
		fprintf(out, "ipproto udp dport 53 ");
		break;
	default:
		fprintf(out, "table main suppress_prefixlength %u\n", below(odd, 10));
		return;
	}
	if (below(odd, 3))
		fprintf(out, "table %u\n", OWN_TABLE);
	else
		fprintf(out, "%s\n", below(odd, 2) ? "prohibit" : "blackhole");
}

static void own_table(struct odd *odd)
{
	FILE *out = begin_route(odd, "replace");

	write_path(odd, out);
	fprintf(out, "table %u\n", OWN_TABLE);
}

static void no_rules(struct odd *odd)
{
	for (int i = 0; i < 8; i++)
		fprintf(odd->out[i % 2], "rule delete table %u\n", OWN_TABLE);
}

/* --- links and addresses --- */

static void link_down(struct odd *odd)
{
	const struct world_interface *port = draw_port(odd);

	if (below(odd, 3)) // takes all its routes along
		return;
	fprintf(odd->out[0], "link set %s down\n", port->name);
	if (below(odd, 4))
		fprintf(odd->out[0], "link set %s up\n", port->name);
}

static void carrier(struct odd *odd)
{
	const struct world_interface *port = draw_port(odd);
	const char *name = port->name;

	// two changes at once are one or two to the kernel, which looks once a second
	if (odd->carriers >> (port->ifindex % 64) & 1)
		return;
	odd->carriers |= 1ull << (port->ifindex % 64);
	fprintf(odd->ends, "link set e%s %s\n", name + 1, below(odd, 3) ? "up" : "down");
}

static void link_mtu(struct odd *odd)
{
	fprintf(odd->out[0], "link set %s mtu %u\n", draw_port(odd)->name, 1280 + below(odd, 5) * 100);
}

static void address(struct odd *odd)
{
	const struct world_interface *port = draw_port(odd);
	const struct world_prefix *own = &port->address[below(odd, port->address_count)];
	FILE *out = odd->out[own->family == AF_INET6];

	if (below(odd, 2)) {
		fprintf(out, "address delete ");
		write_prefix(out, own);
	} else {
		fprintf(out, "address add 10.200.%u.1/24 broadcast + ", below(odd, 8));
	}
	fprintf(out, "dev %s\n", port->name);
}

static void sysctl(struct odd *odd)
{
	static const char *const names[] = { "accept_local",  "route_localnet",
					     "bc_forwarding", "ignore_routes_with_linkdown",
					     "rp_filter",     "send_redirects",
					     "forwarding" };
	char path[96];

	snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", below(odd, 6) ? draw_port(odd)->name : "all",
		 names[below(odd, 7)]);
	netns_sysctl(odd->router, path, below(odd, 2) ? "1" : "0");
}

static void (*const things[])(struct odd *odd) = {
	metrics, tos,       append,   mtu_lock,  from,    custom_local, onlink,  object, rule,
	rule,    own_table, no_rules, link_down, carrier, link_mtu,     address, sysctl,
};

// Errors do not matter: each router says the same.
static void carry_out(const struct netns *netns, const char *family, FILE *out, char **commands)
{
	fclose(out);
	netns_run(netns, *commands,
		  (const char *[]){ "sh", "-c", "exec ip $0 -force -batch - 2>/dev/null", family, NULL });
	free(*commands);
}

void odd_things(const struct world *world, const struct netns *router, const struct netns *ends,
		struct random random, __u32 count)
{
	struct odd odd = { .world = world, .router = router, .random = random };
	char *commands[3];
	size_t sizes[3];

	odd.out[0] = open_memstream(&commands[0], &sizes[0]);
	odd.out[1] = open_memstream(&commands[1], &sizes[1]);
	odd.ends = open_memstream(&commands[2], &sizes[2]);
	odd.rules = below(&odd, 3) == 0;
	if (!odd.out[0] || !odd.out[1] || !odd.ends)
		abort();
	for (__u32 i = 0; i < count; i++)
		things[below(&odd, sizeof(things) / sizeof(things[0]))](&odd);
	carry_out(router, "-4", odd.out[0], &commands[0]);
	carry_out(router, "-6", odd.out[1], &commands[1]);
	carry_out(ends, "-4", odd.ends, &commands[2]);
}
