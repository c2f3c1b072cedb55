// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The network devices of the namespace and what the kernel's settings make of each: followed from messages,
 * handed to the fib as interfaces.
 *
 * Where two settings meet, the one in effect is computed here: rp_filter is the larger of `all` and the
 * interface's, send_redirects holds if either is on, IPv6 forwards by `all` alone (the interface's sysctl of
 * that name is about router advertisements), ignore_routes_with_linkdown of IPv4 holds if either is on.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/mirror/link_message.h"

struct links;

struct link {
	__u32 ifindex;
	char name[NETLINK_NAME];
	char kind[NETLINK_NAME];
	__u32 flags; /* IFF_* */
	__u16 type;  /* ARPHRD_* */
	bool carrier, has_mac, passthrough, vlan_priorities, below_elsewhere;
	__u8 mac[6];
	__u8 operstate;
	__u32 mtu, below, master, vrf_table;
	__u16 vlan_id, vlan_tpid;
	struct link_sysctls sysctls;
	__u32 addresses; /* IPv4 addresses it has */
	bool forewarned; /* links_forewarn(): does not work, though nothing above says so yet */
};

/* What a message changed. */
struct links_change {
	bool added, removed, renamed;
	bool down;              /* is administratively down (or gone) and was not before */
	bool up;                /* the reverse */
	bool ipv6_off, ipv6_on; /* the sysctl disable_ipv6 */
	bool uncarried;         /* lost its carrier, as routing sees it, or went down */
	bool liveness;          /* links_alive() may answer differently, for either family */
	bool other;             /* anything but whether it is up and has a carrier */
	bool tables;            /* a VRF appeared, went, or a device joined or left one */
	__u32 ifindex;
	__u32 old_table; /* of a VRF that went or changed its table; 0: none */
	char old_name[NETLINK_NAME];
};

int links_new(struct links **ret);
/* NULL is fine. */
void links_free(struct links *links);

/* Follows a message. -ENOMEM. */
int links_apply(struct links *links, const struct link_message *message, struct links_change *ret);
/*
 * What a message says that is read ahead of its turn: a link that does not work any more is not sent to from
 * now on, whatever apply() makes of older messages. What routing makes of it waits for apply(). Returns true
 * if links_publish() has something to tell.
 */
bool links_forewarn(struct links *links, const struct link_message *message);
/* Messages were lost ahead: nothing is known of what is to come. */
void links_forewarn_forget(struct links *links);
int links_netconf(struct links *links, const struct netconf_message *message, struct links_change *ret);
/* Settings that netlink does not tell were read; true: something is another. */
bool links_settings(struct links *links, __u32 ifindex, const struct link_sysctls *sysctls,
		    struct links_change *ret);
/* An IPv4 address came or went. Returns true if the last one of its device went. */
bool links_address(struct links *links, const struct address_message *message);
/* net.ipv4.conf.all.send_redirects, which netlink does not tell. Returns true if it was another. */
bool links_all_redirects(struct links *links, bool on);

/* Mark and sweep over a dump of links: apply() marks; links_sync_unseen() returns one that was not marked, 0:
 * none is left. The caller has it removed by links_remove(). */
void links_sync_begin(struct links *links);
__u32 links_sync_unseen(const struct links *links);
void links_remove(struct links *links, __u32 ifindex, struct links_change *ret);
/* Before a dump of IPv4 addresses: forgets how many there are. */
void links_sync_addresses(struct links *links);

const struct link *links_find(const struct links *links, __u32 ifindex);
const struct link *links_named(const struct links *links, const char *name);
/* The routing table of packets that come in by it: its VRF's, else RT_TABLE_MAIN. */
__u32 links_table(const struct links *links, const struct link *link);
bool links_is_up(const struct links *links, __u32 ifindex);
/* Whether lookups take next hops through it. An unknown one is taken: the fib punts what it does not know. */
bool links_alive(const struct links *links, __u32 ifindex, __u8 family);
/*
 * Whether a next hop through it cannot be dead. The kernel says so of those without carrier, where that
 * counts, as of those whose device is down or without IP, and is silent when the carrier comes back.
 */
bool links_revives(const struct links *links, __u32 ifindex, __u8 family);
/* REASON_HELD where something above takes the packets (bridge, bond, ipvlan ...), else FORWARDED. */
enum reason links_punt(const struct links *links, const struct link *link);
/* What the fib is told about it; .punt is links_punt(). */
void links_interface(const struct links *links, const struct link *link, struct fib_interface *ret);
/* Whether a strict or loose reverse path check (IPv4) is in effect. */
bool links_checks_source(const struct links *links, const struct link *link);

void links_each(const struct links *links, bool (*each)(void *arg, const struct link *link), void *arg);
__u32 links_count(const struct links *links);

/*
 * Tells the fib about every link that looks different from last time. punt: a reason to keep its packets in
 * the kernel besides links_punt(), 0 = none. Returns how many were told.
 */
typedef enum reason links_punt_fn(void *arg, const struct link *link);
unsigned links_publish(struct links *links, struct fib *fib, links_punt_fn *punt, void *arg);
