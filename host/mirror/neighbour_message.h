// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Messages about neighbours (rtnetlink: NEIGH).
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/netlink_attribute.h"

struct neighbour_message {
	bool deleted;
	__u8 family;   /* AF_INET or AF_INET6; other families (bridge FDB): -EPROTONOSUPPORT */
	__u8 flags;    /* NTF_* */
	__u8 protocol; /* who made it, RTPROT_*; 0 = not said */
	__u16 state;   /* NUD_* */
	__u32 ifindex;
	__u32 extended; /* NTF_EXT_* */
	__u8 address[16];
	bool has_mac;
	__u8 mac[6];
};

int neighbour_message_decode(const struct nlmsghdr *message, struct neighbour_message *ret);
