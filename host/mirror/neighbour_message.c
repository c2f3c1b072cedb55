// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/neighbour_message.h"

#include <errno.h>
#include <string.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>

static int neighbour_attribute(const struct nlattr *attribute, struct neighbour_message *ret,
			       bool *ret_address)
{
	switch (mnl_attr_get_type(attribute)) {
	case NDA_DST:
		*ret_address = true;
		return netlink_attribute_address(attribute, ret->family, ret->address);
	case NDA_LLADDR:
		ret->has_mac = mnl_attr_get_payload_len(attribute) == sizeof(ret->mac);
		if (ret->has_mac)
			memcpy(ret->mac, mnl_attr_get_payload(attribute), sizeof(ret->mac));
		return 0;
	case NDA_PROTOCOL:
		return netlink_attribute_u8(attribute, &ret->protocol);
	case NDA_FLAGS_EXT:
		return netlink_attribute_u32(attribute, &ret->extended);
	}
	return 0;
}

int neighbour_message_decode(const struct nlmsghdr *message, struct neighbour_message *ret)
{
	struct neighbour_message neighbour = { .deleted = message->nlmsg_type == RTM_DELNEIGH };
	const struct nlattr *attribute;
	const struct ndmsg *header;
	struct netlink_attributes walk;
	bool addressed = false;
	int r = 0;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header)
		return -EBADMSG;
	if (!netlink_is_ip(header->ndm_family))
		return -EPROTONOSUPPORT;
	if (header->ndm_ifindex <= 0)
		return -EBADMSG;
	neighbour.family = header->ndm_family;
	neighbour.ifindex = (__u32)header->ndm_ifindex;
	neighbour.state = header->ndm_state;
	neighbour.flags = header->ndm_flags;
	while (!r && (attribute = netlink_attributes_next(&walk)))
		r = neighbour_attribute(attribute, &neighbour, &addressed);
	if (r || walk.bad || !addressed)
		return -EBADMSG;
	*ret = neighbour;
	return 0;
}
