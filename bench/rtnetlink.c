// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/rtnetlink.h"

#include "bench/netns.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define RTNETLINK_MESSAGE_SIZE 1024
#define RTNETLINK_DUMP_SIZE    32768
#define RTNETLINK_MEMBERS      64 // of a group
#define RTNETLINK_VLANS        16 // over one link, that are removed

struct rtnetlink {
	struct mnl_socket *socket;
	unsigned int sequence;
};

static size_t rtnetlink_address_size(__u8 family)
{
	return family == AF_INET6 ? 16 : 4;
}

static struct nlmsghdr *rtnetlink_message(void *buffer, __u16 type, __u16 flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return message;
}

// Sends the message and waits for the kernel's answer: 0 or its negative errno.
static int rtnetlink_ask(struct rtnetlink *rtnetlink, struct nlmsghdr *message)
{
	char answer[RTNETLINK_MESSAGE_SIZE * 4];
	ssize_t size;

	message->nlmsg_seq = ++rtnetlink->sequence;
	if (mnl_socket_sendto(rtnetlink->socket, message, message->nlmsg_len) < 0)
		return -errno;
	size = mnl_socket_recvfrom(rtnetlink->socket, answer, sizeof(answer));
	if (size < 0)
		return -errno;
	if (mnl_cb_run(answer, size, rtnetlink->sequence, 0, NULL, NULL) < 0)
		return -errno;
	return 0;
}

static void rtnetlink_put_end(struct nlmsghdr *message, const struct rtnetlink_end *end)
{
	mnl_attr_put_strz(message, IFLA_IFNAME, end->name);
	mnl_attr_put(message, IFLA_ADDRESS, sizeof(end->mac), end->mac);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, end->netns);
}

static int rtnetlink_set_flags(struct rtnetlink *rtnetlink, int ifindex, unsigned int flags,
			       unsigned int change)
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

	link->ifi_index = ifindex;
	link->ifi_flags = flags;
	link->ifi_change = change;
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_open(struct rtnetlink **ret_rtnetlink)
{
	struct rtnetlink *rtnetlink = calloc(1, sizeof(*rtnetlink));
	int err;

	if (!rtnetlink)
		return -ENOMEM;
	rtnetlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!rtnetlink->socket || mnl_socket_bind(rtnetlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		rtnetlink_close(rtnetlink);
		return err;
	}
	*ret_rtnetlink = rtnetlink;
	return 0;
}

int rtnetlink_open_in(int netns, struct rtnetlink **ret_rtnetlink)
{
	int home, err = netns_enter(netns, &home);

	if (err < 0)
		return err;
	err = rtnetlink_open(ret_rtnetlink);
	netns_leave(home);
	return err;
}

void rtnetlink_close(struct rtnetlink *rtnetlink)
{
	if (!rtnetlink)
		return;
	if (rtnetlink->socket)
		mnl_socket_close(rtnetlink->socket);
	free(rtnetlink);
}

int rtnetlink_veth(struct rtnetlink *rtnetlink, const struct rtnetlink_end *end,
		   const struct rtnetlink_end *peer)
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *of_peer;

	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	rtnetlink_put_end(message, end);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	of_peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	rtnetlink_put_end(message, peer);
	mnl_attr_nest_end(message, of_peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_vlan(struct rtnetlink *rtnetlink, int below, const char *name, __u16 vid)
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data;

	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_LINK, below);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u16(message, IFLA_VLAN_ID, vid);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_remove(struct rtnetlink *rtnetlink, int ifindex)
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_DELLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

	link->ifi_index = ifindex;
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_up(struct rtnetlink *rtnetlink, int ifindex)
{
	return rtnetlink_set_flags(rtnetlink, ifindex, IFF_UP, IFF_UP);
}

int rtnetlink_down(struct rtnetlink *rtnetlink, int ifindex)
{
	return rtnetlink_set_flags(rtnetlink, ifindex, 0, IFF_UP);
}

int rtnetlink_promiscuous(struct rtnetlink *rtnetlink, int ifindex)
{
	return rtnetlink_set_flags(rtnetlink, ifindex, IFF_PROMISC, IFF_PROMISC);
}

// Sets one thing of a link.
static int rtnetlink_set(struct rtnetlink *rtnetlink, int ifindex, __u16 attribute, __u32 value)
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

	link->ifi_index = ifindex;
	mnl_attr_put_u32(message, attribute, value);
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_move(struct rtnetlink *rtnetlink, int ifindex, int netns)
{
	return rtnetlink_set(rtnetlink, ifindex, IFLA_NET_NS_FD, netns);
}

struct rtnetlink_using {
	int ifindex;
	const char *use;
	int vlans[RTNETLINK_VLANS]; // over it
	unsigned int vlan_count;
};

// What of a link the question needs.
struct rtnetlink_seen {
	bool master, program, veth, vlan;
	int below;
};

static int rtnetlink_see_info(const struct nlattr *attribute, void *data)
{
	struct rtnetlink_seen *seen = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		seen->veth = strcmp(mnl_attr_get_str(attribute), "veth") == 0;
	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		seen->vlan = strcmp(mnl_attr_get_str(attribute), "vlan") == 0;
	return MNL_CB_OK;
}

static int rtnetlink_see_program(const struct nlattr *attribute, void *data)
{
	struct rtnetlink_seen *seen = data;

	if (mnl_attr_get_type(attribute) == IFLA_XDP_ATTACHED)
		seen->program = mnl_attr_get_u8(attribute) != XDP_ATTACHED_NONE;
	return MNL_CB_OK;
}

static int rtnetlink_see(const struct nlattr *attribute, void *data)
{
	struct rtnetlink_seen *seen = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_MASTER:
		seen->master = true;
		break;
	case IFLA_LINK:
		seen->below = mnl_attr_get_u32(attribute);
		break;
	case IFLA_XDP:
		mnl_attr_parse_nested(attribute, rtnetlink_see_program, seen);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, rtnetlink_see_info, seen);
		break;
	}
	return MNL_CB_OK;
}

static int rtnetlink_see_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct rtnetlink_using *using = data;
	struct rtnetlink_seen seen = { 0 };

	mnl_attr_parse(message, sizeof(*link), rtnetlink_see, &seen);
	if (seen.vlan && seen.below == using->ifindex && using->vlan_count < RTNETLINK_VLANS)
		using->vlans[using->vlan_count++] = link->ifi_index;
	if (link->ifi_index != using->ifindex) // a veth names its peer
		using->use =
			seen.below == using->ifindex && !seen.veth ? "has other devices on it" : using->use;
	else if (seen.master)
		using->use = "is part of a bridge or a bond";
	else if (seen.program)
		using->use = "has a program of XDP's";
	return MNL_CB_OK;
}

// Looks at all links for whoever uses the one.
static int rtnetlink_look(struct rtnetlink *rtnetlink, struct rtnetlink_using *using)
{
	char buffer[RTNETLINK_DUMP_SIZE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	ssize_t size;
	int more = MNL_CB_OK;

	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++rtnetlink->sequence;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	if (mnl_socket_sendto(rtnetlink->socket, message, message->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		size = mnl_socket_recvfrom(rtnetlink->socket, buffer, sizeof(buffer));
		more = size < 0 ? -1
				: mnl_cb_run(buffer, size, rtnetlink->sequence, 0, rtnetlink_see_link, using);
	}
	return more < 0 ? -errno : 0;
}

int rtnetlink_use(struct rtnetlink *rtnetlink, int ifindex, const char **ret_use)
{
	struct rtnetlink_using using = { .ifindex = ifindex };
	int err = rtnetlink_look(rtnetlink, &using);

	if (err >= 0)
		*ret_use = using.use;
	return err;
}

int rtnetlink_remove_vlans(struct rtnetlink *rtnetlink, int below)
{
	struct rtnetlink_using using = { .ifindex = below };
	int err = rtnetlink_look(rtnetlink, &using);

	for (unsigned int i = 0; err >= 0 && i < using.vlan_count; i++)
		err = rtnetlink_remove(rtnetlink, using.vlans[i]);
	return err;
}

int rtnetlink_mtu(struct rtnetlink *rtnetlink, int ifindex, __u32 mtu)
{
	return rtnetlink_set(rtnetlink, ifindex, IFLA_MTU, mtu);
}

int rtnetlink_address(struct rtnetlink *rtnetlink, int ifindex, __u8 family, const void *address, __u8 length)
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->ifa_family = family;
	header->ifa_prefixlen = length;
	header->ifa_flags = IFA_F_PERMANENT | (family == AF_INET6 ? IFA_F_NODAD : 0);
	header->ifa_index = ifindex;
	mnl_attr_put(message, IFA_LOCAL, rtnetlink_address_size(family), address);
	mnl_attr_put(message, IFA_ADDRESS, rtnetlink_address_size(family), address);
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_neighbour(struct rtnetlink *rtnetlink, int ifindex, __u8 family, const void *address,
			const __u8 mac[6])
{
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->ndm_family = family;
	header->ndm_ifindex = ifindex;
	header->ndm_state = NUD_PERMANENT;
	mnl_attr_put(message, NDA_DST, rtnetlink_address_size(family), address);
	mnl_attr_put(message, NDA_LLADDR, 6, mac);
	return rtnetlink_ask(rtnetlink, message);
}

int rtnetlink_group(struct rtnetlink *rtnetlink, __u32 id, __u32 first, unsigned int count)
{
	struct nexthop_grp members[RTNETLINK_MEMBERS] = { 0 };
	char buffer[RTNETLINK_MESSAGE_SIZE];
	struct nlmsghdr *message = rtnetlink_message(buffer, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE);
	struct nhmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	if (count > RTNETLINK_MEMBERS)
		return -E2BIG;
	for (unsigned int i = 0; i < count; i++)
		members[i].id = first + i;
	header->nh_family = AF_UNSPEC;
	header->nh_protocol = RTPROT_STATIC;
	mnl_attr_put_u32(message, NHA_ID, id);
	mnl_attr_put(message, NHA_GROUP, count * sizeof(members[0]), members);
	return rtnetlink_ask(rtnetlink, message);
}
