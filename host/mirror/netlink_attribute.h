// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Attributes of netlink messages that may hold anything: a walk that ends exactly where the bytes end
 * (libmnl's own loops round up to four), and getters that check sizes. What the kernel would not send is
 * -EBADMSG, never a read past the end. Addresses are in network order, IPv4 in the first four bytes.
 *
 * The decoders built on this (link_message, route_message, neighbour_message, rule_message) are pure: bytes
 * in, a structure out, untouched on failure unless they say otherwise. Attributes that they do not name are
 * skipped: kernels grow new ones.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/netlink.h>
#include <linux/types.h>

#define NETLINK_NAME 16 /* IFNAMSIZ */

struct netlink_attributes {
	const char *at;
	size_t left;
	bool bad; /* something that is not an attribute was met */
};

/* The fixed header behind the netlink header, and the walk over what follows. NULL: too short a message. */
const void *netlink_attributes_open(const struct nlmsghdr *message, size_t header,
				    struct netlink_attributes *ret_walk);
struct netlink_attributes netlink_attributes_of(const void *start, size_t length);
struct netlink_attributes netlink_attributes_nested(const struct nlattr *attribute);
/* NULL: the end, or walk->bad. */
const struct nlattr *netlink_attributes_next(struct netlink_attributes *walk);

int netlink_attribute_u8(const struct nlattr *attribute, __u8 *ret);
int netlink_attribute_u16(const struct nlattr *attribute, __u16 *ret);
int netlink_attribute_u32(const struct nlattr *attribute, __u32 *ret);
/* A name or kind in NETLINK_NAME bytes. What does not fit is cut: longer interface names do not exist, and
 * kinds that long are not among those we know. */
int netlink_attribute_name(const struct nlattr *attribute, char *name);
int netlink_attribute_address(const struct nlattr *attribute, __u8 family, __u8 *address);

/* Goes on from `hash`; tells apart, protects from nobody. */
__u32 netlink_digest(__u32 hash, const void *bytes, size_t length);

size_t netlink_address_size(__u8 family);
bool netlink_is_ip(__u8 family);
/* Whether the bits of an address behind `length` are zero: prefixes are compared as bytes. */
bool netlink_host_bits_clear(const __u8 *address, unsigned length, size_t size);

/* The messages of one datagram, as long as they fit. (libmnl's own walk takes lengths of 2^31 and more for
 * good.) */
struct netlink_messages {
	const char *at;
	size_t left;
};
/* NULL: the end. */
const struct nlmsghdr *netlink_messages_next(struct netlink_messages *walk);

/*
 * The errno (negative or 0) of an NLMSG_ERROR or NLMSG_DONE message. *ret_text: the kernel's own words
 * (extended acknowledgement), inside the message, NULL if there are none. -EBADMSG: not such a message.
 */
int netlink_error_decode(const struct nlmsghdr *message, const char **ret_text);
