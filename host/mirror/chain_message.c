// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/chain_message.h"

#include <errno.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <libmnl/libmnl.h>

static int get_be32(const struct nlattr *attribute, __u32 *ret)
{
	int r = netlink_attribute_u32(attribute, ret);

	if (!r)
		*ret = ntohl(*ret);
	return r;
}

static void get_text(const struct nlattr *attribute, char *text)
{
	const char *from = mnl_attr_get_payload(attribute);
	size_t length = strnlen(from, mnl_attr_get_payload_len(attribute));

	if (length >= CHAIN_NAME)
		length = CHAIN_NAME - 1;
	memcpy(text, from, length);
	text[length] = 0;
}

static void add_device(const struct nlattr *attribute, struct chain_message *ret)
{
	if (ret->device_count == CHAIN_DEVICES)
		ret->too_many = true;
	else
		(void)netlink_attribute_name(attribute, ret->device[ret->device_count++]);
}

static int get_devices(const struct nlattr *nest, struct chain_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;

	while ((attribute = netlink_attributes_next(&walk)))
		if (mnl_attr_get_type(attribute) == NFTA_DEVICE_NAME)
			add_device(attribute, ret);
	return walk.bad ? -EBADMSG : 0;
}

static int get_hook(const struct nlattr *nest, struct chain_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;
	int r = 0;

	ret->base = true;
	while (!r && (attribute = netlink_attributes_next(&walk))) {
		switch (mnl_attr_get_type(attribute)) {
		case NFTA_HOOK_HOOKNUM:
			r = get_be32(attribute, &ret->hook);
			break;
		case NFTA_HOOK_DEV:
			add_device(attribute, ret);
			break;
		case NFTA_HOOK_DEVS:
			r = get_devices(attribute, ret);
			break;
		}
	}
	return walk.bad ? -EBADMSG : r;
}

static int chain_attribute(const struct nlattr *attribute, struct chain_message *ret)
{
	__u32 value;
	int r;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_CHAIN_TABLE:
		get_text(attribute, ret->table);
		return 0;
	case NFTA_CHAIN_NAME:
		get_text(attribute, ret->name);
		return 0;
	case NFTA_CHAIN_HOOK:
		return get_hook(attribute, ret);
	case NFTA_CHAIN_USE: /* of a base chain, which nothing can jump to: its rules */
		return get_be32(attribute, &ret->rules);
	case NFTA_CHAIN_POLICY:
		r = get_be32(attribute, &value);
		if (!r)
			ret->drops = value == NF_DROP;
		return r;
	}
	return 0;
}

int chain_message_decode(const struct nlmsghdr *message, struct chain_message *ret)
{
	const struct nfgenmsg *header;
	const struct nlattr *attribute;
	struct netlink_attributes walk;
	int r = 0;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
		return -EPROTONOSUPPORT;
	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->family = header->nfgen_family;
	while (!r && (attribute = netlink_attributes_next(&walk)))
		r = chain_attribute(attribute, ret);
	return walk.bad ? -EBADMSG : r;
}
