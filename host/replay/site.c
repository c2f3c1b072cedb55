// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_arp.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/fib/fib.h"
#include "host/fib/image_store.h"
#include "host/mirror/links.h"
#include "host/mirror/objects.h"
#include "host/mirror/pathset.h"
#include "host/mirror/rib.h"
#include "host/mirror/rules.h"

#define WORK 100000 /* routes in a slice of work; nobody waits */

static const __u32 hash_key[4] = { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 };

struct site {
	struct image_store *store;
	struct fib *fib;
	struct links *links;
	struct objects *objects;
	struct pathsets *pathsets;
	struct rib *rib;
	struct rules *rules;
	__u16 ports;
	__u32 port[IMAGE_PORTS]; /* ifindex */
};

static void object_changed(void *arg, __u32 id, bool gone)
{
	struct site *site = arg;

	if (!gone)
		pathsets_nexthop_changed(site->pathsets, id);
}

int site_new(struct site **ret)
{
	struct site *site = calloc(1, sizeof(*site));
	int r;

	if (!site)
		return -ENOMEM;
	r = image_store_memory(NULL, &site->store);
	if (!r)
		r = fib_new(NULL, site->store, &site->fib);
	if (!r)
		r = links_new(&site->links);
	if (!r)
		r = objects_new(object_changed, site, &site->objects);
	if (!r)
		r = pathsets_new(site->fib, site->links, &site->pathsets);
	if (!r)
		r = rib_new(site->fib, site->pathsets, 0, &site->rib);
	if (!r)
		r = rules_new(&site->rules);
	if (!r)
		r = rib_table_open(site->rib, RT_TABLE_LOCAL);
	if (!r)
		r = rib_table_open(site->rib, RT_TABLE_MAIN);
	if (r) {
		site_free(site);
		return r;
	}
	pathsets_objects(site->pathsets, site->objects);
	*ret = site;
	return 0;
}

void site_free(struct site *site)
{
	if (!site)
		return;
	rules_free(site->rules);
	rib_free(site->rib);
	pathsets_free(site->pathsets);
	objects_free(site->objects);
	links_free(site->links);
	fib_free(site->fib);
	image_store_free(site->store);
	free(site);
}

int site_link(struct site *site, const struct link_message *message)
{
	struct links_change change;

	return links_apply(site->links, message, &change);
}

int site_netconf(struct site *site, const struct netconf_message *message)
{
	struct links_change change;

	return links_netconf(site->links, message, &change);
}

void site_all_redirects(struct site *site, bool on)
{
	(void)links_all_redirects(site->links, on);
}

int site_address(struct site *site, const struct address_message *message)
{
	(void)links_address(site->links, message);
	return 0;
}

int site_nexthop(struct site *site, const struct nexthop_message *message)
{
	return objects_apply(site->objects, message);
}

int site_nexthop_fits(const struct site *site, __u32 id, __u8 family)
{
	struct route_path path[ROUTE_PATHS];
	__u32 count = 0;

	if (objects_resolve(site->objects, id, path, &count) == OBJECTS_UNKNOWN)
		return -ENOENT;
	for (__u32 i = 0; i < count; i++)
		if (family == AF_INET6 && path[i].family == AF_INET)
			return -EAFNOSUPPORT;
	return 0;
}

int site_route(struct site *site, const struct route_message *message)
{
	/* Tables that no interface uses do no harm; beyond RIB_TABLES their routes are not kept. */
	(void)rib_table_open(site->rib, message->table);
	return rib_apply(site->rib, message);
}

int site_neighbour(struct site *site, const struct neighbour_message *message)
{
	__u16 valid = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

	if (message->flags & NTF_PROXY || !message->has_mac || !(message->state & valid))
		return 0;
	return fib_neighbour_set(site->fib, message->ifindex, message->family, message->address,
				 message->mac);
}

int site_rule(struct site *site, const struct rule_message *message)
{
	return rules_apply(site->rules, message);
}

void site_no_rules(struct site *site)
{
	rules_absent(site->rules, AF_INET);
	rules_absent(site->rules, AF_INET6);
}

/* --- opening --- */

/* What frames come in by as they are on the wire, and nothing that is made of other devices. */
static bool can_be_port(const struct link *link)
{
	static const char *const kinds[] = { "", "veth", "dummy", "tun", "netkit", "ifb" };

	if (link->type != ARPHRD_ETHER || !link->has_mac || link->flags & IFF_LOOPBACK)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(link->kind, kinds[i]) == 0)
			return true;
	return false;
}

static bool collect_port(void *arg, const struct link *link)
{
	struct site *site = arg;

	if (!can_be_port(link))
		return true;
	if (site->ports == IMAGE_PORTS)
		return false;
	site->port[site->ports++] = link->ifindex;
	return true;
}

static int compare_ports(const void *a, const void *b)
{
	const __u32 *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* In the order of their ifindex, so that numbers do not depend on how links are kept. */
static int add_ports(struct site *site)
{
	int r = 0;

	links_each(site->links, collect_port, site);
	qsort(site->port, site->ports, sizeof(site->port[0]), compare_ports);
	for (__u16 i = 0; i < site->ports && !r; i++) {
		__u16 port;

		r = fib_port_add(site->fib, site->port[i], &port);
		if (r || port == i)
			continue;
		r = -EPROTO;
	}
	for (__u16 i = 0; i < site->ports && !r; i++)
		fib_port_egress(site->fib, i, true, true);
	return r;
}

static enum reason punt(void *arg, const struct link *link)
{
	const struct site *site = arg;

	return rules_punt(site->rules, site->links, link) ? REASON_POLICY_RULE : REASON_FORWARDED;
}

int site_open(struct site *site, struct why *why)
{
	int r;

	(void)links_publish(site->links, site->fib, punt, site);
	pathsets_link_changed(site->pathsets, 0);
	r = rules_publish(site->rules, site->rib);
	if (!r)
		r = add_ports(site);
	if (r)
		return why_set(why, -r, "the tables cannot be filled: %s", strerror(-r));
	while (rib_work(site->rib, WORK))
		;
	fib_hold(site->fib, false);
	while (fib_settle(site->fib))
		;
	/* The same flows take the same ways in every run. */
	memcpy(site->store->tables->control.hash_key, hash_key, sizeof(hash_key));
	if (fib_held(site->fib))
		return why_set(why, ENOMEM, "out of memory for the tables");
	return 0;
}

/* --- what it is made of --- */

const struct image_store *site_store(const struct site *site)
{
	return site->store;
}

const struct fib *site_fib(const struct site *site)
{
	return site->fib;
}

const struct link *site_link_named(const struct site *site, const char *name)
{
	return links_named(site->links, name);
}

const struct link *site_link_of(const struct site *site, __u32 ifindex)
{
	return links_find(site->links, ifindex);
}

__u32 site_table(const struct site *site, const struct link *link)
{
	return links_table(site->links, link);
}

struct vrf_search {
	__u32 table;
	const char *name;
};

static bool is_vrf(void *arg, const struct link *link)
{
	struct vrf_search *search = arg;

	if (link->vrf_table == search->table)
		search->name = link->name;
	return !search->name;
}

const char *site_vrf(const struct site *site, __u32 table)
{
	struct vrf_search search = { .table = table };

	if (table)
		links_each(site->links, is_vrf, &search);
	return search.name;
}

__u16 site_port(const struct site *site, const struct link *link)
{
	for (__u16 i = 0; i < site->ports; i++)
		if (site->port[i] == link->ifindex)
			return i;
	return SITE_NO_PORT;
}

__u16 site_ports(const struct site *site)
{
	return site->ports;
}

const char *site_port_name(const struct site *site, __u16 port)
{
	const struct link *link = port < site->ports ? links_find(site->links, site->port[port]) : NULL;

	return link ? link->name : "?";
}
