// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/capability.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "host/modes/veth_peer.h"
#include "host/modes/xdp_features.h"

#define BUFFER_SIZE 32768
#define SYSFS       "/sys"
#define CARD_LIMIT  64 /* bound to user space */

/* One answer to RTM_GETLINK. */
struct link {
	struct capability capability;
	__u32 master;
};

static void copy_name(char *to, size_t size, const struct nlattr *attribute)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_STRING) == 0)
		snprintf(to, size, "%.*s", (int)mnl_attr_get_payload_len(attribute),
			 mnl_attr_get_str(attribute));
}

static __u32 get_u32(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attribute) : 0;
}

static void parse_program(const struct nlattr *attribute, enum capability_attach place,
			  struct capability *capability)
{
	capability->program.id = capability->program.at[place] = get_u32(attribute);
}

static void parse_xdp(const struct nlattr *nest, struct capability *capability)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested (attribute, nest) {
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_XDP_ATTACHED:
			if (mnl_attr_validate(attribute, MNL_TYPE_U8) == 0)
				capability->program.attached = mnl_attr_get_u8(attribute);
			break;
		case IFLA_XDP_PROG_ID:
			capability->program.id = get_u32(attribute);
			break;
		case IFLA_XDP_DRV_PROG_ID: /* with MANY, PROG_ID is absent */
			parse_program(attribute, CAPABILITY_ATTACH_NATIVE, capability);
			break;
		case IFLA_XDP_SKB_PROG_ID:
			parse_program(attribute, CAPABILITY_ATTACH_GENERIC, capability);
			break;
		case IFLA_XDP_HW_PROG_ID:
			parse_program(attribute, CAPABILITY_ATTACH_HARDWARE, capability);
			break;
		}
	}
}

static void parse_attribute(const struct nlattr *attribute, struct link *link)
{
	struct capability *capability = &link->capability;
	const struct nlattr *inner;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		copy_name(capability->name, sizeof(capability->name), attribute);
		break;
	case IFLA_MTU:
		capability->mtu = get_u32(attribute);
		break;
	case IFLA_LINK:
		capability->lower = get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		capability->lower_namespace = (int)get_u32(attribute);
		break;
	case IFLA_MASTER:
		link->master = get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		mnl_attr_for_each_nested (inner, attribute) {
			if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
				copy_name(capability->kind, sizeof(capability->kind), inner);
		}
		break;
	case IFLA_XDP:
		parse_xdp(attribute, capability);
		break;
	}
}

static int parse_link(const struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;
	struct link *link = data;

	if (header->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(header) < sizeof(*info))
		return MNL_CB_OK;
	link->capability.ifindex = (__u32)info->ifi_index;
	link->capability.type = info->ifi_type;
	link->capability.up = info->ifi_flags & IFF_UP;
	link->capability.carrier = info->ifi_flags & IFF_LOWER_UP;
	link->capability.lower_namespace = -1;
	link->capability.pci.numa = -1;
	mnl_attr_for_each (attribute, header, sizeof(*info)) {
		parse_attribute(attribute, link);
	}
	return MNL_CB_STOP;
}

static int exchange(struct mnl_socket *socket, struct nlmsghdr *request, struct link *link)
{
	char buffer[BUFFER_SIZE];
	ssize_t size;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (size < 0)
		return -errno;
	if (mnl_cb_run(buffer, (size_t)size, request->nlmsg_seq, mnl_socket_get_portid(socket), parse_link,
		       link) < 0)
		return -errno;
	return link->capability.ifindex ? 0 : -ENODEV;
}

/* By name, or by ifindex if name is NULL. */
static int read_link(const char *name, __u32 ifindex, struct link *ret)
{
	struct timeval timeout = { .tv_sec = 2 };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buffer[BUFFER_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	int error;

	if (!socket)
		return -errno;
	(void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = 1;
	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->ifi_index = (int)ifindex;
	if (name)
		mnl_attr_put_strz(header, IFLA_IFNAME, name);
	error = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : exchange(socket, header, ret);
	mnl_socket_close(socket);
	return error;
}

static void read_master(const struct link *link, struct capability *capability)
{
	struct link master = { 0 };

	if (!link->master || read_link(NULL, link->master, &master) < 0)
		return;
	snprintf(capability->master, sizeof(capability->master), "%s", master.capability.name);
	snprintf(capability->master_kind, sizeof(capability->master_kind), "%s", master.capability.kind);
}

/* The name needs rights that `plan` may lack; the id is shown then. */
static void read_program(struct capability *capability)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int fd;

	if (!capability->program.id)
		return;
	fd = bpf_prog_get_fd_by_id(capability->program.id);
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
		snprintf(capability->program.name, sizeof(capability->program.name), "%s", info.name);
	capability->program.ours = strncmp(info.name, "penstock", 8) == 0;
	close(fd);
}

int capability_read_plain(const char *interface, struct xdp_features *features, struct capability *ret)
{
	struct link link = { 0 };
	struct capability *capability = &link.capability;
	struct xdp_device device;
	int error = read_link(interface, 0, &link);

	if (error < 0) {
		memset(ret, 0, sizeof(*ret));
		snprintf(ret->name, sizeof(ret->name), "%s", interface);
		return pci_read(SYSFS, interface, &ret->pci) == 0 ? 0 : error;
	}
	if (capability->lower && capability->lower_namespace < 0)
		(void)if_indextoname(capability->lower, capability->lower_name);
	read_master(&link, capability);
	read_program(capability);
	(void)ethtool_read(interface, &capability->ethtool); /* what it does not say stays unknown */
	if (features && xdp_features_describe(features, capability->ifindex, &device) == 0) {
		capability->features_known = true;
		capability->features = device.features;
		capability->zc_max_segs = device.zc_max_segs;
		capability->rx_metadata = device.rx_metadata;
		capability->xsk_features = device.xsk_features;
	}
	*ret = *capability;
	return 0;
}

int capability_read(const char *interface, struct xdp_features *features, struct capability *ret)
{
	int error = capability_read_plain(interface, features, ret);

	if (error == 0 && !ret->features_known && strcmp(ret->kind, "veth") == 0)
		ret->peer_known = veth_peer_takes_frames(ret, &ret->peer_takes) == 0;
	return error;
}

int capability_read_all(const char *interface, struct xdp_features *features, struct capability *ret)
{
	int error = capability_read(interface, features, ret);
	struct capability peer;

	if (error < 0 || !ret->ifindex)
		return error;
	(void)stack_read(ret->ifindex, &ret->stack); /* stays unknown */
	if (strcmp(ret->kind, "veth") == 0 && veth_peer_read(ret, &peer) == 0) {
		ret->peer_seen = true;
		ret->peer_tx_checksum = peer.ethtool.tx_checksum;
		ret->peer_hides_tags = ethtool_hides_sent(&peer.ethtool);
	}
	if (!ret->kind[0])
		(void)pci_read(SYSFS, ret->ethtool.bus, &ret->pci);
	return 0;
}

/* Without memory for a name it is left out. */
static int add_name(char **names, int count, const char *name)
{
	names[count] = strdup(name);
	return names[count] ? count + 1 : count;
}

/* Appends the addresses of cards that user space has. */
static int list_cards(char **names, int count)
{
	struct pci_device cards[CARD_LIMIT];
	int found = pci_list(SYSFS, cards, CARD_LIMIT);

	for (int i = 0; i < found && i < CARD_LIMIT; i++)
		if (pci_driver_for_users(cards[i].driver))
			count = add_name(names, count, cards[i].address);
	return count;
}

int capability_list(char ***ret_names)
{
	struct if_nameindex *all = if_nameindex();
	size_t interfaces = 0;
	char **names;
	int count = 0;

	if (!all)
		return -errno;
	while (all[interfaces].if_index)
		interfaces++;
	names = calloc(interfaces + CARD_LIMIT, sizeof(*names));
	for (size_t i = 0; names && i < interfaces; i++)
		count = add_name(names, count, all[i].if_name);
	if_freenameindex(all);
	if (!names)
		return -ENOMEM;
	count = list_cards(names, count);
	*ret_names = names;
	return count;
}
