// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Messages about policy rules (rtnetlink: RULE).
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/netlink_attribute.h"

/* Padding is zero: rules are compared as bytes. */
struct rule_message {
	bool deleted;
	__u8 family, source_length, destination_length, tos, action, protocol;
	bool invert, l3mdev;
	bool narrow;   /* selects by something that penstock does not look at: mark, ports, uid, tunnel ... */
	bool suppress; /* suppress_prefixlength or suppress_ifgroup */
	__u32 table, priority, target, mark, mark_mask;
	__u32 digest; /* of all attributes, those not named here too: it tells rules apart */
	__u8 source[16], destination[16];
	char input[NETLINK_NAME], output[NETLINK_NAME];
};

int rule_message_decode(const struct nlmsghdr *message, struct rule_message *ret);
