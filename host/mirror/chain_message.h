// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Messages about nftables chains (nfnetlink: NFT_MSG_NEWCHAIN).
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/netlink_attribute.h"

#define CHAIN_NAME    64
#define CHAIN_DEVICES 32

struct chain_message {
	__u8 family; /* NFPROTO_* */
	bool base;   /* is called by a hook */
	bool drops;  /* its policy is to drop */
	__u32 hook, rules;
	char table[CHAIN_NAME], name[CHAIN_NAME]; /* cut if longer */
	bool too_many;                            /* more devices than are kept */
	__u32 device_count;                       /* of hooks of one device or several */
	char device[CHAIN_DEVICES][NETLINK_NAME];
};

/* -EBADMSG; -EPROTONOSUPPORT: a message about something else. */
int chain_message_decode(const struct nlmsghdr *message, struct chain_message *ret);
