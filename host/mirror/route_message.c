// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/route_message.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

static int route_metrics(const struct nlattr *nest, struct route_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk)))
		if (mnl_attr_get_type(attribute) == RTAX_MTU)
			r = netlink_attribute_u32(attribute, &ret->mtu);
	ret->other_metrics = netlink_digest(ret->other_metrics, mnl_attr_get_payload(nest),
					    mnl_attr_get_payload_len(nest));
	return walk.bad ? -EBADMSG : r;
}

/* RTA_VIA: a gateway of another family than the route's. */
static int path_via(const struct nlattr *attribute, struct route_path *ret)
{
	const struct rtvia *via = mnl_attr_get_payload(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);

	if (length < sizeof(*via) || !netlink_is_ip((__u8)via->rtvia_family) ||
	    length != sizeof(*via) + netlink_address_size((__u8)via->rtvia_family))
		return -EBADMSG;
	ret->family = (__u8)via->rtvia_family;
	memcpy(ret->gateway, via->rtvia_addr, netlink_address_size(ret->family));
	return 0;
}

/* What belongs to one next hop, in a route's own attributes or inside RTA_MULTIPATH. */
static int path_attribute(const struct nlattr *attribute, __u8 family, struct route_path *ret)
{
	__u16 type;
	int r;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_OIF:
		return netlink_attribute_u32(attribute, &ret->ifindex);
	case RTA_GATEWAY:
		r = netlink_attribute_address(attribute, family, ret->gateway);
		if (!r)
			ret->family = family;
		return r;
	case RTA_VIA:
		return path_via(attribute, ret);
	case RTA_ENCAP_TYPE:
		r = netlink_attribute_u16(attribute, &type);
		if (!r && type)
			ret->encap = true;
		return r;
	case RTA_ENCAP:
		ret->encap = true;
		return 0;
	}
	return 0;
}

static int path_nested(const struct rtnexthop *hop, __u8 family, struct route_path *ret)
{
	struct route_path path = { .ifindex = (__u32)hop->rtnh_ifindex,
				   .flags = hop->rtnh_flags,
				   .weight = (__u16)(hop->rtnh_hops + 1) };
	struct netlink_attributes walk = netlink_attributes_of(hop + 1, hop->rtnh_len - sizeof(*hop));
	const struct nlattr *attribute;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk)))
		r = path_attribute(attribute, family, &path);
	if (walk.bad)
		return -EBADMSG;
	*ret = path;
	return r;
}

static int route_multipath(const struct nlattr *nest, struct route_message *ret)
{
	const char *at = mnl_attr_get_payload(nest);
	size_t left = mnl_attr_get_payload_len(nest), step;
	struct route_path path;
	int r;

	ret->path_count = 0;
	while (left) {
		const struct rtnexthop *hop = (const struct rtnexthop *)at;

		if (left < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > left)
			return -EBADMSG;
		r = path_nested(hop, ret->family, &path);
		if (r)
			return r;
		ret->encap |= path.encap;
		if (ret->path_count < ROUTE_PATHS)
			ret->path[ret->path_count++] = path;
		else
			ret->too_many = true;
		step = RTNH_ALIGN(hop->rtnh_len);
		if (step > left)
			step = left;
		at += step;
		left -= step;
	}
	return 0;
}

static int route_lifetime(const struct nlattr *attribute, struct route_message *ret)
{
	const struct rta_cacheinfo *info = mnl_attr_get_payload(attribute);

	if (mnl_attr_get_payload_len(attribute) < sizeof(*info))
		return -EBADMSG;
	ret->expires = info->rta_expires != 0;
	return 0;
}

static int route_attribute(const struct nlattr *attribute, struct route_message *ret,
			   struct route_path *single)
{
	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		return netlink_attribute_address(attribute, ret->family, ret->destination);
	case RTA_SRC:
		return netlink_attribute_address(attribute, ret->family, ret->source);
	case RTA_PREFSRC:
		return netlink_attribute_address(attribute, ret->family, ret->preferred);
	case RTA_TABLE:
		return netlink_attribute_u32(attribute, &ret->table);
	case RTA_PRIORITY:
		return netlink_attribute_u32(attribute, &ret->metric);
	case RTA_NH_ID:
		return netlink_attribute_u32(attribute, &ret->nexthop);
	case RTA_METRICS:
		return route_metrics(attribute, ret);
	case RTA_FLOW:
		ret->other_metrics = netlink_digest(ret->other_metrics, mnl_attr_get_payload(attribute),
						    mnl_attr_get_payload_len(attribute));
		return 0;
	case RTA_MULTIPATH:
		return route_multipath(attribute, ret);
	case RTA_CACHEINFO:
		return route_lifetime(attribute, ret);
	}
	return path_attribute(attribute, ret->family, single);
}

static bool route_sound(const struct route_message *route)
{
	size_t size = netlink_address_size(route->family);

	return route->length <= size * 8 && route->source_length <= size * 8 &&
	       netlink_host_bits_clear(route->destination, route->length, size) &&
	       netlink_host_bits_clear(route->source, route->source_length, size);
}

static void route_header(const struct nlmsghdr *message, const struct rtmsg *header,
			 struct route_message *ret)
{
	memset(ret, 0, offsetof(struct route_message, path));
	ret->deleted = message->nlmsg_type == RTM_DELROUTE;
	ret->nlflags = message->nlmsg_flags & (NLM_F_REPLACE | NLM_F_EXCL | NLM_F_CREATE | NLM_F_APPEND);
	ret->family = header->rtm_family;
	ret->length = header->rtm_dst_len;
	ret->source_length = header->rtm_src_len;
	ret->tos = header->rtm_tos;
	ret->protocol = header->rtm_protocol;
	ret->scope = header->rtm_scope;
	ret->type = header->rtm_type;
	ret->table = header->rtm_table;
	ret->cloned = header->rtm_flags & RTM_F_CLONED;
}

int route_message_decode(const struct nlmsghdr *message, struct route_message *ret)
{
	struct route_path single = { .weight = 1 };
	const struct nlattr *attribute;
	const struct rtmsg *header;
	struct netlink_attributes walk;
	int r = 0;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header || !netlink_is_ip(header->rtm_family))
		return -EBADMSG;
	route_header(message, header, ret);
	single.flags = (__u8)header->rtm_flags;
	while (!r && (attribute = netlink_attributes_next(&walk)))
		r = route_attribute(attribute, ret, &single);
	if (r || walk.bad || !route_sound(ret))
		return -EBADMSG;
	if (!ret->path_count && (single.ifindex || single.family)) {
		ret->path[0] = single;
		ret->path_count = 1;
	}
	ret->encap |= single.encap;
	return 0;
}

static int nexthop_group(const struct nlattr *attribute, struct nexthop_message *ret)
{
	const struct nexthop_grp *entry = mnl_attr_get_payload(attribute);
	size_t count = mnl_attr_get_payload_len(attribute) / sizeof(*entry);
	__u32 weight;

	if (mnl_attr_get_payload_len(attribute) % sizeof(*entry))
		return -EBADMSG;
	ret->group = true;
	ret->too_many = count > ROUTE_PATHS;
	ret->member_count = ret->too_many ? ROUTE_PATHS : (__u32)count;
	for (__u32 i = 0; i < ret->member_count; i++) {
		weight = (((__u32)entry[i].weight_high << 8) | entry[i].weight) + 1;
		ret->member[i].id = entry[i].id;
		ret->member[i].weight = weight > 65535 ? 65535 : (__u16)weight;
	}
	return 0;
}

static int nexthop_attribute(const struct nlattr *attribute, struct nexthop_message *ret)
{
	__u16 type;
	int r;

	switch (mnl_attr_get_type(attribute)) {
	case NHA_ID:
		return netlink_attribute_u32(attribute, &ret->id);
	case NHA_GROUP:
		return nexthop_group(attribute, ret);
	case NHA_GROUP_TYPE:
		r = netlink_attribute_u16(attribute, &type);
		if (!r)
			ret->resilient = type == NEXTHOP_GRP_TYPE_RES;
		return r;
	case NHA_BLACKHOLE:
		ret->blackhole = true;
		return 0;
	case NHA_FDB:
		ret->fdb = true;
		return 0;
	case NHA_ENCAP:
	case NHA_ENCAP_TYPE:
		ret->encap = true;
		return 0;
	case NHA_OIF:
		return netlink_attribute_u32(attribute, &ret->path.ifindex);
	case NHA_GATEWAY:
		r = netlink_attribute_address(attribute, ret->family, ret->path.gateway);
		if (!r)
			ret->path.family = ret->family;
		return r;
	}
	return 0;
}

int nexthop_message_decode(const struct nlmsghdr *message, struct nexthop_message *ret)
{
	const struct nlattr *attribute;
	const struct nhmsg *header;
	struct netlink_attributes walk;
	int r = 0;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header)
		return -EBADMSG;
	memset(ret, 0, offsetof(struct nexthop_message, member));
	ret->deleted = message->nlmsg_type == RTM_DELNEXTHOP;
	ret->family = header->nh_family;
	ret->protocol = header->nh_protocol;
	ret->path.weight = 1;
	ret->path.flags = (__u8)header->nh_flags;
	while (!r && (attribute = netlink_attributes_next(&walk)))
		r = nexthop_attribute(attribute, ret);
	return r || walk.bad || !ret->id ? -EBADMSG : 0;
}
