// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/rule_message.h"

#include <errno.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>

static int rule_attribute(const struct nlattr *attribute, struct rule_message *ret)
{
	__u32 value;
	__u8 byte;
	int r;

	switch (mnl_attr_get_type(attribute)) {
	case FRA_DST:
		return netlink_attribute_address(attribute, ret->family, ret->destination);
	case FRA_SRC:
		return netlink_attribute_address(attribute, ret->family, ret->source);
	case FRA_IIFNAME:
		return netlink_attribute_name(attribute, ret->input);
	case FRA_OIFNAME:
		return netlink_attribute_name(attribute, ret->output);
	case FRA_GOTO:
		return netlink_attribute_u32(attribute, &ret->target);
	case FRA_PRIORITY:
		return netlink_attribute_u32(attribute, &ret->priority);
	case FRA_TABLE:
		return netlink_attribute_u32(attribute, &ret->table);
	case FRA_PROTOCOL:
		return netlink_attribute_u8(attribute, &ret->protocol);
	case FRA_FWMARK:
		return netlink_attribute_u32(attribute, &ret->mark);
	case FRA_FWMASK:
		return netlink_attribute_u32(attribute, &ret->mark_mask);
	case FRA_L3MDEV:
		r = netlink_attribute_u8(attribute, &byte);
		if (!r)
			ret->l3mdev = byte;
		return r;
	case FRA_SUPPRESS_IFGROUP:
	case FRA_SUPPRESS_PREFIXLEN:
		r = netlink_attribute_u32(attribute, &value);
		if (!r && value != ~0u) /* the kernel sends -1 for "not set" */
			ret->suppress = true;
		return r;
	case FRA_FLOW: /* a realm for accounting, not a selector */
	case FRA_PAD:
		return 0;
	default: /* uid, ports, protocol, tunnel, DSCP, and what later kernels may add */
		ret->narrow = true;
		return 0;
	}
}

int rule_message_decode(const struct nlmsghdr *message, struct rule_message *ret)
{
	struct rule_message rule;
	const struct fib_rule_hdr *header;
	const struct nlattr *attribute;
	struct netlink_attributes walk;
	const void *start;
	size_t length;
	int r = 0;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header)
		return -EBADMSG;
	if (!netlink_is_ip(header->family)) /* multicast routing has rules too */
		return -EPROTONOSUPPORT;
	memset(&rule, 0, sizeof(rule));
	rule.deleted = message->nlmsg_type == RTM_DELRULE;
	rule.family = header->family;
	rule.source_length = header->src_len;
	rule.destination_length = header->dst_len;
	rule.tos = header->tos;
	rule.action = header->action;
	rule.table = header->table;
	rule.invert = header->flags & FIB_RULE_INVERT;
	start = walk.at;
	length = walk.left;
	while (!r && (attribute = netlink_attributes_next(&walk)))
		r = rule_attribute(attribute, &rule);
	if (r || walk.bad || rule.source_length > netlink_address_size(rule.family) * 8 ||
	    rule.destination_length > netlink_address_size(rule.family) * 8 ||
	    !netlink_host_bits_clear(rule.destination, rule.destination_length,
				     netlink_address_size(rule.family)))
		return -EBADMSG;
	rule.digest = netlink_digest(0, start, length);
	rule.narrow |= rule.mark || rule.mark_mask || rule.tos;
	memcpy(ret, &rule, sizeof(rule));
	return 0;
}
