// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/link_message.h"

#include <errno.h>
#include <string.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

/* Indices into IFLA_INET6_CONF; linux/ipv6.h cannot be included beside netinet/in.h. */
enum {
	DEVCONF_FORWARDING = 0,
	DEVCONF_MTU6 = 2,
	DEVCONF_DISABLE_IPV6 = 26,
	DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN = 39,
};

static __s32 sysctl_at(const struct nlattr *array, unsigned index)
{
	const __s32 *values = mnl_attr_get_payload(array);

	return index < mnl_attr_get_payload_len(array) / sizeof(*values) ? values[index] : -1;
}

static int link_inet(const struct nlattr *nest, struct link_sysctls *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;

	while ((attribute = netlink_attributes_next(&walk))) {
		if (mnl_attr_get_type(attribute) != IFLA_INET_CONF)
			continue;
		ret->forwarding4 = sysctl_at(attribute, IPV4_DEVCONF_FORWARDING - 1);
		ret->rp_filter = sysctl_at(attribute, IPV4_DEVCONF_RP_FILTER - 1);
		ret->send_redirects = sysctl_at(attribute, IPV4_DEVCONF_SEND_REDIRECTS - 1);
		ret->ignore_linkdown4 = sysctl_at(attribute, IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN - 1);
	}
	return walk.bad ? -EBADMSG : 0;
}

static int link_inet6(const struct nlattr *nest, struct link_sysctls *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;

	while ((attribute = netlink_attributes_next(&walk))) {
		if (mnl_attr_get_type(attribute) != IFLA_INET6_CONF)
			continue;
		ret->forwarding6 = sysctl_at(attribute, DEVCONF_FORWARDING);
		ret->mtu6 = sysctl_at(attribute, DEVCONF_MTU6);
		ret->disable_ipv6 = sysctl_at(attribute, DEVCONF_DISABLE_IPV6);
		ret->ignore_linkdown6 = sysctl_at(attribute, DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN);
	}
	return walk.bad ? -EBADMSG : 0;
}

static int link_families(const struct nlattr *nest, struct link_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk))) {
		if (mnl_attr_get_type(attribute) == AF_INET)
			r = link_inet(attribute, &ret->sysctls);
		else if (mnl_attr_get_type(attribute) == AF_INET6)
			r = link_inet6(attribute, &ret->sysctls);
	}
	return walk.bad ? -EBADMSG : r;
}

static int link_vlan(const struct nlattr *nest, struct link_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk))) {
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_VLAN_ID:
			r = netlink_attribute_u16(attribute, &ret->vlan_id);
			break;
		case IFLA_VLAN_PROTOCOL:
			r = netlink_attribute_u16(attribute, &ret->vlan_tpid);
			ret->vlan_tpid = __builtin_bswap16(ret->vlan_tpid);
			break;
		case IFLA_VLAN_EGRESS_QOS:
			ret->vlan_priorities = true;
			break;
		}
	}
	return walk.bad ? -EBADMSG : r;
}

static int link_vrf(const struct nlattr *nest, struct link_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk)))
		if (mnl_attr_get_type(attribute) == IFLA_VRF_TABLE)
			r = netlink_attribute_u32(attribute, &ret->vrf_table);
	return walk.bad ? -EBADMSG : r;
}

static int link_macvlan(const struct nlattr *nest, struct link_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute;
	__u32 mode;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk))) {
		if (mnl_attr_get_type(attribute) != IFLA_MACVLAN_MODE)
			continue;
		r = netlink_attribute_u32(attribute, &mode);
		if (!r)
			ret->passthrough = mode == MACVLAN_MODE_PASSTHRU;
	}
	return walk.bad ? -EBADMSG : r;
}

static int link_data(const struct nlattr *data, struct link_message *ret)
{
	if (!strcmp(ret->kind, "vlan"))
		return link_vlan(data, ret);
	if (!strcmp(ret->kind, "vrf"))
		return link_vrf(data, ret);
	if (!strcmp(ret->kind, "macvlan") || !strcmp(ret->kind, "macvtap"))
		return link_macvlan(data, ret);
	return 0;
}

static int link_info(const struct nlattr *nest, struct link_message *ret)
{
	struct netlink_attributes walk = netlink_attributes_nested(nest);
	const struct nlattr *attribute, *data = NULL;
	int r = 0;

	while (!r && (attribute = netlink_attributes_next(&walk))) {
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_INFO_KIND:
			r = netlink_attribute_name(attribute, ret->kind);
			break;
		case IFLA_INFO_DATA:
			data = attribute;
			break;
		case IFLA_INFO_SLAVE_KIND:
			r = netlink_attribute_name(attribute, ret->master_kind);
			break;
		}
	}
	if (walk.bad)
		return -EBADMSG;
	return !r && data ? link_data(data, ret) : r;
}

static int link_attribute(const struct nlattr *attribute, struct link_message *ret)
{
	__u8 byte;
	int r;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		return netlink_attribute_name(attribute, ret->name);
	case IFLA_ADDRESS:
		ret->has_mac = mnl_attr_get_payload_len(attribute) == sizeof(ret->mac);
		if (ret->has_mac)
			memcpy(ret->mac, mnl_attr_get_payload(attribute), sizeof(ret->mac));
		return 0;
	case IFLA_MTU:
		return netlink_attribute_u32(attribute, &ret->mtu);
	case IFLA_CARRIER:
		r = netlink_attribute_u8(attribute, &byte);
		if (!r)
			ret->carrier = byte;
		return r;
	case IFLA_OPERSTATE:
		return netlink_attribute_u8(attribute, &ret->operstate);
	case IFLA_LINK:
		return netlink_attribute_u32(attribute, &ret->below);
	case IFLA_LINK_NETNSID:
		ret->below_elsewhere = true;
		return 0;
	case IFLA_MASTER:
		return netlink_attribute_u32(attribute, &ret->master);
	case IFLA_LINKINFO:
		return link_info(attribute, ret);
	case IFLA_AF_SPEC:
		/* From a bridge about its port this nest holds something else. */
		return ret->family == AF_UNSPEC ? link_families(attribute, ret) : 0;
	}
	return 0;
}

int link_message_decode(const struct nlmsghdr *message, struct link_message *ret)
{
	struct link_message link = { .deleted = message->nlmsg_type == RTM_DELLINK,
				     .sysctls = { -1, -1, -1, -1, -1, -1, -1, -1 } };
	const struct nlattr *attribute;
	const struct ifinfomsg *header;
	struct netlink_attributes walk;
	int r;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header || header->ifi_index <= 0)
		return -EBADMSG;
	link.family = header->ifi_family;
	link.ifindex = (__u32)header->ifi_index;
	link.flags = header->ifi_flags;
	link.type = header->ifi_type;
	link.carrier = link.flags & IFF_LOWER_UP;
	while ((attribute = netlink_attributes_next(&walk))) {
		r = link_attribute(attribute, &link);
		if (r)
			return r;
	}
	if (walk.bad)
		return -EBADMSG;
	*ret = link;
	return 0;
}

int address_message_decode(const struct nlmsghdr *message, struct address_message *ret)
{
	struct address_message address = { .deleted = message->nlmsg_type == RTM_DELADDR };
	const struct nlattr *attribute;
	const struct ifaddrmsg *header;
	struct netlink_attributes walk;
	bool local = false;
	int r = 0;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header || !netlink_is_ip(header->ifa_family) ||
	    header->ifa_prefixlen > netlink_address_size(header->ifa_family) * 8)
		return -EBADMSG;
	address.family = header->ifa_family;
	address.length = header->ifa_prefixlen;
	address.scope = header->ifa_scope;
	address.ifindex = header->ifa_index;
	/* IFA_LOCAL is our end; IFA_ADDRESS is the peer's if there is both. */
	while (!r && (attribute = netlink_attributes_next(&walk))) {
		if (mnl_attr_get_type(attribute) == IFA_LOCAL) {
			r = netlink_attribute_address(attribute, address.family, address.address);
			local = true;
		} else if (mnl_attr_get_type(attribute) == IFA_ADDRESS && !local) {
			r = netlink_attribute_address(attribute, address.family, address.address);
		}
	}
	if (walk.bad || r)
		return -EBADMSG;
	*ret = address;
	return 0;
}

int netconf_message_decode(const struct nlmsghdr *message, struct netconf_message *ret)
{
	struct netconf_message conf = { .deleted = message->nlmsg_type == RTM_DELNETCONF,
					.forwarding = -1,
					.rp_filter = -1,
					.ignore_linkdown = -1 };
	const struct netconfmsg *header;
	const struct nlattr *attribute;
	struct netlink_attributes walk;
	bool addressed = false;
	int r = 0;

	header = netlink_attributes_open(message, sizeof(*header), &walk);
	if (!header)
		return -EBADMSG;
	if (!netlink_is_ip(header->ncm_family))
		return -EPROTONOSUPPORT;
	conf.family = header->ncm_family;
	while (!r && (attribute = netlink_attributes_next(&walk))) {
		switch (mnl_attr_get_type(attribute)) {
		case NETCONFA_IFINDEX:
			r = netlink_attribute_u32(attribute, (__u32 *)&conf.ifindex);
			addressed = true;
			break;
		case NETCONFA_FORWARDING:
			r = netlink_attribute_u32(attribute, (__u32 *)&conf.forwarding);
			break;
		case NETCONFA_RP_FILTER:
			r = netlink_attribute_u32(attribute, (__u32 *)&conf.rp_filter);
			break;
		case NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN:
			r = netlink_attribute_u32(attribute, (__u32 *)&conf.ignore_linkdown);
			break;
		}
	}
	if (r || walk.bad || !addressed)
		return -EBADMSG;
	*ret = conf;
	return 0;
}
