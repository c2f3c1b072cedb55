// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A hash of links by ifindex. links_publish() computes what the fib should know of every link and compares it
 * with what it was told before: which change of which device affects which other one (VLANs above it, members
 * of a VRF, devices that take its packets) need not be tracked.
 */
#include "host/mirror/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_arp.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define BUCKETS        1024
#define IPV6_LEAST_MTU 1280
#define DEPTH          8 /* devices below each other: more is a loop or nothing we forward by */

struct own_address {
	__u8 address[4], length;
};

struct entry {
	LIST_ENTRY(entry) hash;
	struct link link;
	struct own_address *address; /* IPv4 */
	__u32 address_size;
	bool seen;
	bool published;
	struct fib_interface told;
};

LIST_HEAD(entry_list, entry);

struct links {
	struct entry_list bucket[BUCKETS];
	__u32 count;
	__u32 takers;            /* devices that take over what is below them */
	struct link_sysctls all; /* net.ipv4.conf.all, net.ipv6.conf.all */
};

static struct entry_list *bucket_of(const struct links *links, __u32 ifindex)
{
	return (struct entry_list *)&links->bucket[ifindex % BUCKETS];
}

static struct entry *find(const struct links *links, __u32 ifindex)
{
	struct entry *entry;

	LIST_FOREACH (entry, bucket_of(links, ifindex), hash)
		if (entry->link.ifindex == ifindex)
			return entry;
	return NULL;
}

static struct entry *first_from(const struct links *links, unsigned bucket)
{
	for (; bucket < BUCKETS; bucket++)
		if (!LIST_EMPTY(&links->bucket[bucket]))
			return LIST_FIRST(&links->bucket[bucket]);
	return NULL;
}

static struct entry *first(const struct links *links)
{
	return first_from(links, 0);
}

static struct entry *after(const struct links *links, const struct entry *entry)
{
	struct entry *next = LIST_NEXT(entry, hash);

	return next ? next : first_from(links, entry->link.ifindex % BUCKETS + 1);
}

static struct entry *insert(struct links *links, __u32 ifindex)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->link.ifindex = ifindex;
	LIST_INSERT_HEAD(bucket_of(links, ifindex), entry, hash);
	links->count++;
	return entry;
}

static bool is_up(const struct link *link)
{
	return link->flags & IFF_UP;
}

/* As the kernel's routing sees it: it handles a loss of carrier late, and then clears both. */
static bool is_carried(const struct link *link)
{
	return is_up(link) && link->flags & (IFF_RUNNING | IFF_LOWER_UP);
}

/* What the kernel says of a new MTU it says before IPv6 has followed. */
static bool has_ipv6(const struct link *link)
{
	return link->sysctls.disable_ipv6 == 0 && link->sysctls.mtu6 > 0 && link->mtu >= IPV6_LEAST_MTU;
}

static __u32 mtu6(const struct link *link)
{
	__u32 mtu = (__u32)link->sysctls.mtu6;

	if (!has_ipv6(link))
		return 1; /* nothing goes out there */
	return mtu < link->mtu ? mtu : link->mtu;
}

static void fill(struct link *link, const struct link_message *message)
{
	memcpy(link->name, message->name, sizeof(link->name));
	memcpy(link->kind, message->kind, sizeof(link->kind));
	memcpy(link->mac, message->mac, sizeof(link->mac));
	link->flags = message->flags;
	link->type = message->type;
	link->carrier = message->carrier;
	link->has_mac = message->has_mac;
	link->passthrough = message->passthrough;
	link->vlan_priorities = message->vlan_priorities;
	link->below_elsewhere = message->below_elsewhere;
	link->operstate = message->operstate;
	link->mtu = message->mtu;
	link->below = message->below;
	link->master = message->master;
	link->vrf_table = message->vrf_table;
	link->vlan_id = message->vlan_id;
	link->vlan_tpid = message->vlan_tpid;
	link->sysctls = message->sysctls;
}

static bool same_otherwise(const struct link *old, const struct link *new)
{
	const __u32 liveness = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;
	struct link same = *old;

	same.flags = old->flags ^ ((old->flags ^ new->flags) & liveness);
	same.carrier = new->carrier;
	same.operstate = new->operstate;
	return !memcmp(&same, new, sizeof(same)); /* padding that differs does no harm */
}

static void compare(const struct link *old, const struct link *new, struct links_change *ret)
{
	ret->other = !same_otherwise(old, new);
	ret->renamed = strcmp(old->name, new->name) != 0;
	memcpy(ret->old_name, old->name, sizeof(ret->old_name));
	ret->down = is_up(old) && !is_up(new);
	ret->up = !is_up(old) && is_up(new);
	ret->ipv6_off = has_ipv6(old) && !has_ipv6(new);
	ret->ipv6_on = !has_ipv6(old) && has_ipv6(new);
	ret->uncarried = (is_carried(old) && !is_carried(new)) || ret->down;
	ret->liveness = is_up(old) != is_up(new) || is_carried(old) != is_carried(new) ||
			old->sysctls.ignore_linkdown4 != new->sysctls.ignore_linkdown4 ||
			old->sysctls.ignore_linkdown6 != new->sysctls.ignore_linkdown6;
	ret->tables = old->vrf_table != new->vrf_table || old->master != new->master;
	if (old->vrf_table != new->vrf_table)
		ret->old_table = old->vrf_table;
}

static __s32 larger(__s32 a, __s32 b)
{
	return a > b ? a : b;
}

static bool ignores_linkdown(const struct links *links, const struct link *link, __u8 family)
{
	if (family == AF_INET6)
		return link->sysctls.ignore_linkdown6 > 0;
	return larger(link->sysctls.ignore_linkdown4, links->all.ignore_linkdown4) > 0;
}

static __s32 rp_filter(const struct links *links, const struct link *link)
{
	return larger(link->sysctls.rp_filter, links->all.rp_filter);
}

/* A device without IPv4 addresses is loose to nobody: Linux then wants the route to lead back by it, as if
 * the filter were strict. */
static __u8 rp_filter_in_effect(const struct links *links, const struct link *link)
{
	__s32 value = rp_filter(links, link);

	if (value <= 0)
		return 0;
	return value == 1 || !link->addresses ? 1 : 2;
}

/* Up with carrier, and everything below it too. */
static bool works(const struct links *links, const struct link *link)
{
	for (int depth = 0; depth < DEPTH; depth++) {
		const struct entry *below;

		if (!is_up(link) || !link->carrier || link->forewarned)
			return false;
		if (strcmp(link->kind, "vlan") || link->below_elsewhere)
			return true;
		below = find(links, link->below);
		if (!below)
			return false;
		link = &below->link;
	}
	return false;
}

static const struct link *vrf_of(const struct links *links, const struct link *link)
{
	const struct entry *master = link->master ? find(links, link->master) : NULL;

	return master && master->link.vrf_table ? &master->link : NULL;
}

/* A device above that receives what comes in here before IP sees it. */
static bool takes_over(const struct link *above)
{
	if (!strcmp(above->kind, "macvlan") || !strcmp(above->kind, "macvtap"))
		return above->passthrough;
	return !strcmp(above->kind, "ipvlan") || !strcmp(above->kind, "ipvtap") ||
	       !strcmp(above->kind, "macsec");
}

static bool is_taken(const struct links *links, const struct link *link)
{
	const struct entry *entry;

	for (entry = first(links); links->takers && entry; entry = after(links, entry))
		if (entry->link.below == link->ifindex && !entry->link.below_elsewhere &&
		    takes_over(&entry->link))
			return true;
	return false;
}

/* Bridge, bond and their kind take the packets of their ports; a VRF that is down does nothing with them. */
static bool master_takes(const struct links *links, const struct link *link)
{
	const struct link *vrf = vrf_of(links, link);

	return link->master && !(vrf && is_up(vrf));
}

static void interface_of_vlan(const struct link *link, struct fib_interface *ret)
{
	ret->parent = link->below_elsewhere ? 0 : link->below;
	ret->tpid = link->vlan_tpid;
	ret->vid = link->vlan_id;
	ret->plain_tag = !link->vlan_priorities;
}

/* Without memory it is forgotten: then the last address seems to go too early, and a dump follows. */
static void add_address(struct entry *entry, const struct address_message *message)
{
	struct own_address *larger;

	if (entry->link.addresses == entry->address_size) {
		larger = realloc(entry->address, (entry->address_size + 8) * sizeof(*larger));
		if (!larger)
			return;
		entry->address = larger;
		entry->address_size += 8;
	}
	larger = &entry->address[entry->link.addresses++];
	memcpy(larger->address, message->address, 4);
	larger->length = message->length;
}

static void destroy(struct entry *entry)
{
	LIST_REMOVE(entry, hash);
	free(entry->address);
	free(entry);
}

int links_new(struct links **ret)
{
	struct links *links = calloc(1, sizeof(*links));

	if (!links)
		return -ENOMEM;
	links->all.send_redirects = 1; /* until we are told: punting is never wrong */
	*ret = links;
	return 0;
}

void links_free(struct links *links)
{
	struct entry *entry;

	if (!links)
		return;
	while ((entry = first(links)))
		destroy(entry);
	free(links);
}

int links_apply(struct links *links, const struct link_message *message, struct links_change *ret)
{
	struct links_change change = { .ifindex = message->ifindex };
	struct entry *entry;
	struct link old;

	if (message->family != AF_UNSPEC) {
		*ret = change;
		return 0;
	}
	if (message->deleted) {
		links_remove(links, message->ifindex, ret);
		return 0;
	}
	entry = find(links, message->ifindex);
	if (!entry) {
		entry = insert(links, message->ifindex);
		if (!entry)
			return -ENOMEM;
		change.added = true;
	}
	old = entry->link;
	fill(&entry->link, message);
	links->takers += (__u32)takes_over(&entry->link) - (__u32)takes_over(&old);
	compare(&old, &entry->link, &change);
	change.renamed &= !change.added;
	change.other |= change.added;
	change.liveness |= change.added; /* links_alive() took it while it was unknown */
	entry->seen = true;
	*ret = change;
	return 0;
}

bool links_forewarn(struct links *links, const struct link_message *message)
{
	struct entry *entry = message->family == AF_UNSPEC ? find(links, message->ifindex) : NULL;
	bool works = !message->deleted && message->flags & IFF_UP && message->carrier;

	if (!entry || entry->link.forewarned == !works)
		return false;
	entry->link.forewarned = !works;
	return true;
}

void links_forewarn_forget(struct links *links)
{
	struct entry *entry;

	for (entry = first(links); entry; entry = after(links, entry))
		entry->link.forewarned = false;
}

int links_netconf(struct links *links, const struct netconf_message *message, struct links_change *ret)
{
	struct links_change change = { 0 };
	struct link_sysctls *sysctls = NULL;
	struct entry *entry;

	if (message->ifindex == NETCONFA_IFINDEX_ALL) {
		sysctls = &links->all;
	} else if (message->ifindex > 0) {
		entry = find(links, (__u32)message->ifindex);
		sysctls = entry ? &entry->link.sysctls : NULL;
		change.ifindex = (__u32)message->ifindex;
	}
	if (sysctls && message->deleted) {
		if (message->family == AF_INET6)
			sysctls->mtu6 = -1;
		else
			sysctls->forwarding4 = -1;
	} else if (sysctls) {
		bool v6 = message->family == AF_INET6;
		__s32 *ignore = v6 ? &sysctls->ignore_linkdown6 : &sysctls->ignore_linkdown4;

		if (message->forwarding >= 0)
			*(v6 ? &sysctls->forwarding6 : &sysctls->forwarding4) = message->forwarding;
		if (message->rp_filter >= 0 && !v6)
			sysctls->rp_filter = message->rp_filter;
		if (message->ignore_linkdown >= 0) {
			change.liveness = *ignore != message->ignore_linkdown;
			*ignore = message->ignore_linkdown;
		}
	}
	*ret = change;
	return 0;
}

bool links_settings(struct links *links, __u32 ifindex, const struct link_sysctls *sysctls,
		    struct links_change *ret)
{
	struct links_change change = { .ifindex = ifindex };
	struct entry *entry = find(links, ifindex);
	struct link old;

	if (!entry || !memcmp(&entry->link.sysctls, sysctls, sizeof(*sysctls)))
		return false;
	old = entry->link;
	entry->link.sysctls = *sysctls;
	compare(&old, &entry->link, &change);
	*ret = change;
	return true;
}

bool links_address(struct links *links, const struct address_message *message)
{
	struct entry *entry = find(links, message->ifindex);
	__u32 i;

	if (!entry || message->family != AF_INET)
		return false;
	for (i = 0; i < entry->link.addresses; i++)
		if (!memcmp(entry->address[i].address, message->address, 4) &&
		    entry->address[i].length == message->length)
			break;
	if (!message->deleted) {
		if (i == entry->link.addresses)
			add_address(entry, message);
		return false;
	}
	if (i == entry->link.addresses)
		return false;
	entry->address[i] = entry->address[--entry->link.addresses];
	return !entry->link.addresses;
}

bool links_all_redirects(struct links *links, bool on)
{
	bool changed = links->all.send_redirects != on;

	links->all.send_redirects = on;
	return changed;
}

void links_sync_begin(struct links *links)
{
	struct entry *entry;

	for (entry = first(links); entry; entry = after(links, entry))
		entry->seen = false;
}

__u32 links_sync_unseen(const struct links *links)
{
	const struct entry *entry;

	for (entry = first(links); entry; entry = after(links, entry))
		if (!entry->seen)
			return entry->link.ifindex;
	return 0;
}

void links_remove(struct links *links, __u32 ifindex, struct links_change *ret)
{
	struct links_change change = { .ifindex = ifindex };
	struct entry *entry = find(links, ifindex);

	if (entry) {
		change.removed = change.other = true;
		change.down = true; /* even if it was down already: what was left of its routes goes now */
		change.uncarried = true;
		change.liveness = true;
		change.tables = entry->link.master || entry->link.vrf_table;
		change.old_table = entry->link.vrf_table;
		memcpy(change.old_name, entry->link.name, sizeof(change.old_name));
		links->count--;
		links->takers -= takes_over(&entry->link);
		destroy(entry);
	}
	*ret = change;
}

void links_sync_addresses(struct links *links)
{
	struct entry *entry;

	for (entry = first(links); entry; entry = after(links, entry))
		entry->link.addresses = 0;
}

const struct link *links_find(const struct links *links, __u32 ifindex)
{
	const struct entry *entry = find(links, ifindex);

	return entry ? &entry->link : NULL;
}

const struct link *links_named(const struct links *links, const char *name)
{
	const struct entry *entry;

	for (entry = first(links); entry; entry = after(links, entry))
		if (!strcmp(entry->link.name, name))
			return &entry->link;
	return NULL;
}

__u32 links_table(const struct links *links, const struct link *link)
{
	const struct link *vrf = vrf_of(links, link);

	return vrf ? vrf->vrf_table : RT_TABLE_MAIN;
}

bool links_is_up(const struct links *links, __u32 ifindex)
{
	const struct entry *entry = find(links, ifindex);

	return entry && is_up(&entry->link);
}

bool links_alive(const struct links *links, __u32 ifindex, __u8 family)
{
	const struct entry *entry = find(links, ifindex);

	if (!entry)
		return true;
	if (!is_up(&entry->link))
		return false;
	return is_carried(&entry->link) || !ignores_linkdown(links, &entry->link, family);
}

bool links_revives(const struct links *links, __u32 ifindex, __u8 family)
{
	const struct entry *entry = find(links, ifindex);

	if (!entry || !links_alive(links, ifindex, family))
		return false;
	return family == AF_INET ? entry->link.addresses > 0 : has_ipv6(&entry->link);
}

enum reason links_punt(const struct links *links, const struct link *link)
{
	return master_takes(links, link) || is_taken(links, link) ? REASON_HELD : REASON_FORWARDED;
}

void links_interface(const struct links *links, const struct link *link, struct fib_interface *ret)
{
	const struct link_sysctls *own = &link->sysctls, *all = &links->all;
	bool ipv6 = has_ipv6(link);

	memset(ret, 0, sizeof(*ret)); /* padding too: it is compared as bytes */
	ret->ifindex = link->ifindex;
	ret->up = works(links, link);
	ret->ethernet = link->type == ARPHRD_ETHER && link->has_mac && !(link->flags & IFF_LOOPBACK);
	ret->plain_tag = true;
	ret->forward4 = own->forwarding4 > 0;
	ret->forward6 = all->forwarding6 > 0 && ipv6;
	ret->redirects = larger(own->send_redirects, all->send_redirects) > 0;
	ret->rp_filter = rp_filter_in_effect(links, link);
	ret->table = links_table(links, link);
	ret->mtu4 = link->mtu;
	ret->mtu6 = mtu6(link);
	ret->punt = links_punt(links, link);
	memcpy(ret->mac, link->mac, sizeof(ret->mac));
	if (!strcmp(link->kind, "vlan"))
		interface_of_vlan(link, ret);
}

bool links_checks_source(const struct links *links, const struct link *link)
{
	return rp_filter(links, link) > 0;
}

void links_each(const struct links *links, bool (*each)(void *arg, const struct link *link), void *arg)
{
	const struct entry *entry;

	for (entry = first(links); entry && each(arg, &entry->link); entry = after(links, entry))
		;
}

__u32 links_count(const struct links *links)
{
	return links->count;
}

unsigned links_publish(struct links *links, struct fib *fib, links_punt_fn *punt, void *arg)
{
	struct fib_interface interface;
	struct entry *entry;
	unsigned told = 0;

	for (entry = first(links); entry; entry = after(links, entry)) {
		links_interface(links, &entry->link, &interface);
		if (!interface.punt)
			interface.punt = punt(arg, &entry->link);
		if (entry->published && !memcmp(&interface, &entry->told, sizeof(interface)))
			continue;
		/* -ENOSPC: the fib keeps its packets in the kernel, and counts it. */
		(void)fib_interface_set(fib, &interface);
		entry->told = interface;
		entry->published = true;
		told++;
	}
	return told;
}
