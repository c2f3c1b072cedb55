// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Routes and next-hop objects in the words of `ip route` and `ip nexthop`, as they are typed and as they are
 * printed, turned into what the kernel would say about them. Also "PREFIX ID": a route by a next-hop object.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/route_message.h"
#include "host/why.h"

/* What the names in the words mean. */
struct route_names {
	void *arg;
	/* The device of this name; it may be declared later. 0: it cannot be one. */
	__u32 (*device)(void *arg, const char *name);
	/* The device on whose network an address is, 0: none. */
	__u32 (*device_towards)(void *arg, __u8 family, const __u8 *address);
	/* The table of the VRF of this name, 0: there is none. */
	__u32 (*vrf)(void *arg, const char *name);
};

/* An address; family 0: any. Sets ret_family. False: it is none. */
bool route_text_address(const char *word, __u8 *family, __u8 address[16]);
/* An address with or without a length; bits behind the length stay. */
bool route_text_prefix(const char *word, __u8 *family, __u8 address[16], __u8 *ret_length);

/*
 * The words of a route from its type or prefix on, count >= 1. family: of `ip -4` or `-6`, else 0. Returns 1
 * if its next hops follow, each as the words of a line (route_text_hop()), else 0. -EINVAL and `why`.
 */
int route_text_read(const struct route_names *names, __u8 family, char *const *word, unsigned int count,
		    struct route_message *ret, struct why *why);
/* The words behind `nexthop` on a line of its own: one more next hop. */
int route_text_hop(const struct route_names *names, char *const *word, unsigned int count,
		   struct route_message *route, struct why *why);
/* The words of `ip nexthop`, from `id` on. */
int route_text_object(const struct route_names *names, __u8 family, char *const *word, unsigned int count,
		      struct nexthop_message *ret, struct why *why);
