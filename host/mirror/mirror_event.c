// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/mirror_parts.h"

#include <errno.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/loop.h"
#include "host/mirror/neighbour_message.h"
#include "host/mirror/sysctl.h"

#define POLL_LINKS 100 /* at a call: three files each */
#define VERIFY     50  /* ms from what the kernel did without a word to the dump that shows it */
#define SUSPECT    50  /* ms that notifications have to clear a suspicion */

/* --- links --- */

static bool has_table(struct mirror *mirror, __u32 table)
{
	for (__u32 i = 0; i < mirror->vrfs; i++)
		if (mirror->vrf[i] == table)
			return true;
	return false;
}

struct vrf_search {
	__u32 table;
	bool found;
};

static bool is_vrf_of(void *arg, const struct link *link)
{
	struct vrf_search *search = arg;

	search->found |= link->vrf_table == search->table;
	return !search->found;
}

static void open_table(struct mirror *mirror, __u32 table)
{
	struct resync_dump dump = { .kind = RESYNC_ROUTES, .table = table };

	if (has_table(mirror, table) || mirror->vrfs == RIB_TABLES || rib_table_is_open(mirror->rib, table) ||
	    rib_table_open(mirror->rib, table))
		return; /* without it the VRF has no routes: its packets go to the kernel */
	mirror->vrf[mirror->vrfs++] = table;
	dump.family = AF_INET;
	(void)resync_want(mirror->resync, &dump, 0);
	dump.family = AF_INET6;
	(void)resync_want(mirror->resync, &dump, 0);
}

static void close_tables(struct mirror *mirror)
{
	for (__u32 i = mirror->vrfs; i--;) {
		struct vrf_search search = { .table = mirror->vrf[i] };

		links_each(mirror->links, is_vrf_of, &search);
		if (search.found)
			continue;
		rib_table_close(mirror->rib, mirror->vrf[i]);
		mirror->vrf[i] = mirror->vrf[--mirror->vrfs];
	}
}

static void link_down(struct mirror *mirror, const struct links_change *change)
{
	unsigned silent = 0;

	if (change->down) {
		silent = pathsets_link_down(mirror->pathsets, change->ifindex, AF_INET, change->removed);
		silent += pathsets_link_down(mirror->pathsets, change->ifindex, AF_INET6, change->removed);
	}
	/* Objects go with the carrier, too. */
	silent += objects_link_lost(mirror->objects, change->ifindex);
	if (!silent)
		return;
	mirror->stats.silent += silent;
	mirror_note_resync(mirror, change->down ? "a link went down" : "a link lost its carrier");
	mirror_want(mirror, RESYNC_NEXTHOPS, 0, VERIFY);
	mirror_want_routes(mirror, AF_INET, change->ifindex, VERIFY);
}

static void link_changed(struct mirror *mirror, const struct links_change *change)
{
	const struct link *link;

	if (change->removed)
		fib_interface_delete(mirror->options.fib, change->ifindex);
	if (change->uncarried)
		link_down(mirror, change);
	if (change->removed)
		neighbourhood_link_removed(mirror->neighbourhood, change->ifindex);
	if (change->up)
		pathsets_link_up(mirror->pathsets, change->ifindex, AF_INET);
	if (change->up || change->ipv6_on)
		pathsets_link_up(mirror->pathsets, change->ifindex, AF_INET6);
	if (change->ipv6_off)
		(void)pathsets_link_down(mirror->pathsets, change->ifindex, AF_INET6, false);
	if (change->liveness)
		pathsets_link_changed(mirror->pathsets, change->ifindex);
	if (change->tables) {
		link = links_find(mirror->links, change->ifindex);
		if (link && link->vrf_table)
			open_table(mirror, link->vrf_table);
		close_tables(mirror);
	}
	mirror->links_dirty = true;
	mirror->news |= change->other;
}

void mirror_lost_link(struct mirror *mirror, __u32 ifindex)
{
	struct links_change change;

	links_remove(mirror->links, ifindex, &change);
	link_changed(mirror, &change);
}

static int link_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	struct links_change change;
	struct link_message link;
	int r;

	r = link_message_decode(message, &link);
	if (!r)
		r = links_apply(mirror->links, &link, &change);
	if (!r && link.family == AF_UNSPEC)
		link_changed(mirror, &change);
	return r;
}

struct poll {
	struct mirror *mirror;
	__u32 at, begin, end; /* positions in the order of links_each() */
};

static bool poll_link(void *arg, const struct link *link)
{
	struct link_sysctls sysctls = link->sysctls;
	struct poll *poll = arg;
	struct links_change change;

	if (poll->at++ < poll->begin)
		return true;
	sysctl_read_link(link->name, &sysctls);
	if (links_settings(poll->mirror->links, link->ifindex, &sysctls, &change))
		link_changed(poll->mirror, &change);
	return poll->at < poll->end;
}

void mirror_poll_links(struct mirror *mirror)
{
	struct poll poll = { .mirror = mirror, .begin = mirror->polled, .end = mirror->polled + POLL_LINKS };

	links_each(mirror->links, poll_link, &poll);
	mirror->polled = poll.end < links_count(mirror->links) ? poll.end : 0;
	if (links_all_redirects(mirror->links, sysctl_all_redirects()))
		mirror->links_dirty = mirror->news = true;
}

static int netconf_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	struct netconf_message conf;
	struct links_change change;
	int r;

	r = netconf_message_decode(message, &conf);
	if (!r)
		r = links_netconf(mirror->links, &conf, &change);
	if (r)
		return r;
	if (change.liveness)
		pathsets_link_changed(mirror->pathsets, change.ifindex);
	mirror->links_dirty = mirror->news = true;
	return 0;
}

/* --- addresses --- */

static void address_gone(struct mirror *mirror, const struct address_message *address, bool last)
{
	unsigned silent = 0;

	/* fib_disable_ip(): with its last address a device loses all IPv4 routes. */
	if (last)
		silent = pathsets_link_down(mirror->pathsets, address->ifindex, AF_INET, true);
	mirror->stats.silent += silent;
	if (silent)
		mirror_want_routes(mirror, AF_INET, address->ifindex, VERIFY);
	/* fib_sync_down_addr(): and routes lose their preferred source, if it is nowhere else. Of those that
	 * the kernel removes with a word, the word follows: then there is nothing left to suspect. */
	if (pathsets_suspect(mirror->pathsets, address->address))
		loop_timer_set(mirror->suspects, SUSPECT, 0);
}

static int address_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	struct address_message address;
	bool last;
	int r;

	r = address_message_decode(message, &address);
	if (r || address.family != AF_INET)
		return r;
	last = links_address(mirror->links, &address);
	mirror->links_dirty = mirror->news = true; /* a loose rp_filter depends on it */
	if (address.deleted)
		address_gone(mirror, &address, last);
	else if (links_is_up(mirror->links, address.ifindex))
		pathsets_link_up(mirror->pathsets, address.ifindex, AF_INET);
	return 0;
}

/* --- the rest --- */

static int nexthop_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	int r = nexthop_message_decode(message, &mirror->nexthop);

	return r ? r : objects_apply(mirror->objects, &mirror->nexthop);
}

static int neighbour_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	struct neighbour_message neighbour;
	int r;

	r = neighbour_message_decode(message, &neighbour);
	if (r)
		return r == -EPROTONOSUPPORT ? 0 : r;
	return neighbourhood_apply(mirror->neighbourhood, &neighbour);
}

static int rule_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	struct rule_message rule;
	int r;

	r = rule_message_decode(message, &rule);
	if (r)
		return r == -EPROTONOSUPPORT ? 0 : r;
	mirror->rules_dirty = mirror->links_dirty = mirror->news = true;
	return rules_apply(mirror->rules, &rule);
}

static int route_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	int r = route_message_decode(message, &mirror->route);

	/* No room: its prefix punts, which is counted. */
	if (!r)
		(void)rib_apply(mirror->rib, &mirror->route);
	return r;
}

int mirror_event(struct mirror *mirror, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_event(mirror, message);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return neighbour_event(mirror, message);
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_event(mirror, message);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return address_event(mirror, message);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return nexthop_event(mirror, message);
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return rule_event(mirror, message);
	case RTM_NEWNETCONF:
	case RTM_DELNETCONF:
		return netconf_event(mirror, message);
	}
	return 0;
}

/* --- what keeps packets in the kernel --- */

/* Rules at the ingress of a device meet the packets of VLANs above it, too. */
static bool has_ingress_rules(const struct mirror *mirror, const struct link *link)
{
	const struct netfilter_state *state = netfilter_state(mirror->netfilter);

	for (int depth = 0; link && depth < 8; depth++) {
		if (netfilter_on_device(state, link->name))
			return true;
		if (strcmp(link->kind, "vlan"))
			return false;
		link = links_find(mirror->links, link->below);
	}
	return false;
}

static enum reason punt(void *arg, const struct link *link)
{
	const struct mirror *mirror = arg;
	const struct netfilter_state *state = netfilter_state(mirror->netfilter);

	if (state->xfrm)
		return REASON_XFRM;
	if (!mirror->options.bypass_netfilter && (state->rules || has_ingress_rules(mirror, link)))
		return REASON_NETFILTER;
	return rules_punt(mirror->rules, mirror->links, link) ? REASON_POLICY_RULE : REASON_FORWARDED;
}

enum reason mirror_punt(const struct mirror *mirror, const struct link *link, struct why *why)
{
	const struct netfilter_state *state = netfilter_state(mirror->netfilter);
	enum reason reason = links_punt(mirror->links, link);

	if (reason) {
		(void)why_set(why, 0, "another device (bridge, bond, ipvlan ...) takes what comes in here");
		return reason;
	}
	reason = punt((void *)mirror, link);
	if (reason == REASON_XFRM)
		(void)why_set(why, 0, "%s", state->why_xfrm);
	else if (reason == REASON_NETFILTER && state->rules)
		(void)why_set(why, 0, "%s", state->why_rules);
	else if (reason == REASON_NETFILTER)
		(void)why_set(why, 0, "nftables has rules at the ingress of this device");
	else if (reason)
		(void)why_set(why, 0,
			      "a policy rule may concern what comes in here: see `penstock show rules`");
	return reason;
}

void mirror_publish(struct mirror *mirror)
{
	/* -ENOMEM: more goes to the kernel than must; the tick tries again. */
	if (mirror->rules_dirty)
		mirror->rules_dirty = rules_publish(mirror->rules, mirror->rib);
	if (mirror->links_dirty)
		links_publish(mirror->links, mirror->options.fib, punt, mirror);
	mirror->links_dirty = false;
	if (mirror->news && mirror->ready)
		mirror->options.changed(mirror->options.arg);
	mirror->news = false;
}
