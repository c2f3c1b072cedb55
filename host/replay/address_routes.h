// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An address of a router brings the routes that Linux adds for it: to the host itself, to its network, and to
 * the network's broadcast or anycast addresses.
 */
#pragma once

#include <linux/types.h>

#include "host/mirror/route_message.h"

struct site;

struct site_address {
	__u32 ifindex;
	__u8 family, length;
	__u8 address[16];
};

/* The link is in the site. scratch: overwritten. -ENOMEM. */
int address_routes_add(struct site *site, const struct site_address *address, struct route_message *scratch);
