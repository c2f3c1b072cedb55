// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Messages about links, their addresses and their sysctls (rtnetlink: LINK, ADDR, NETCONF).
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/netlink_attribute.h"

/* The indices are IPV4_DEVCONF_* - 1 and DEVCONF_*; -1: the kernel did not say. */
struct link_sysctls {
	__s32 forwarding4, rp_filter, send_redirects, ignore_linkdown4;
	__s32 forwarding6, mtu6, disable_ipv6, ignore_linkdown6;
};

struct link_message {
	bool deleted;
	__u8 family; /* AF_UNSPEC, or AF_BRIDGE: a bridge speaks about its port, not the link about itself */
	__u32 ifindex;
	__u32 flags; /* IFF_* */
	__u16 type;  /* ARPHRD_* */
	char name[NETLINK_NAME];
	__u8 mac[6];
	bool has_mac; /* the link address has six bytes */
	__u32 mtu;
	bool carrier;
	__u8 operstate;       /* IF_OPER_* */
	__u32 below;          /* IFLA_LINK: ifindex of the device below, or of the peer; 0 = none */
	bool below_elsewhere; /* that device is in another network namespace */
	__u32 master;
	char kind[NETLINK_NAME]; /* "" for hardware */
	char master_kind[NETLINK_NAME];
	__u16 vlan_id;
	__u16 vlan_tpid;      /* host order */
	bool vlan_priorities; /* has an egress QoS map */
	__u32 vrf_table;
	bool passthrough; /* macvlan or macvtap that takes over the device below */
	struct link_sysctls sysctls;
};

/* -EBADMSG: not a sound message of this kind; the result is untouched. So for all decoders here. */
int link_message_decode(const struct nlmsghdr *message, struct link_message *ret);

struct address_message {
	bool deleted;
	__u8 family, length, scope;
	__u32 ifindex;
	__u8 address[16]; /* the host's own */
};

int address_message_decode(const struct nlmsghdr *message, struct address_message *ret);

struct netconf_message {
	bool deleted;
	__u8 family;
	__s32 ifindex;                                /* NETCONFA_IFINDEX_ALL, _DEFAULT or an interface */
	__s32 forwarding, rp_filter, ignore_linkdown; /* -1: not in the message */
};

int netconf_message_decode(const struct nlmsghdr *message, struct netconf_message *ret);
