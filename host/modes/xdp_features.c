// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/xdp_features.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "host/loop.h"

#define FAMILY      "netdev"
#define EVENT_GROUP "mgmt"
#define BUFFER_SIZE 8192
#define TIMEOUT_MS  2000

/* linux/netdev.h */
enum {
	NETDEV_CMD_DEV_GET = 1,
	NETDEV_A_DEV_IFINDEX = 1,
	NETDEV_A_DEV_XDP_FEATURES = 3,
	NETDEV_A_DEV_XDP_ZC_MAX_SEGS = 4,
	NETDEV_A_DEV_XDP_RX_METADATA_FEATURES = 5,
	NETDEV_A_DEV_XSK_FEATURES = 6,
};

struct xdp_features {
	struct mnl_socket *request, *events; /* events NULL: not watched */
	struct loop *loop;
	xdp_features_fn *fn;
	void *arg;
	__u32 sequence;
	__u32 group;
	__u16 family;
};

struct device {
	__u32 ifindex;
	struct xdp_device says;
};

static int parse_device(const struct nlattr *attribute, void *data)
{
	struct device *device = data;
	bool is_u32 = mnl_attr_validate(attribute, MNL_TYPE_U32) == 0;
	bool is_u64 = mnl_attr_validate(attribute, MNL_TYPE_U64) == 0;

	switch (mnl_attr_get_type(attribute)) {
	case NETDEV_A_DEV_IFINDEX:
		device->ifindex = is_u32 ? mnl_attr_get_u32(attribute) : 0;
		break;
	case NETDEV_A_DEV_XDP_FEATURES:
		device->says.features = is_u64 ? mnl_attr_get_u64(attribute) : 0;
		break;
	case NETDEV_A_DEV_XDP_ZC_MAX_SEGS:
		device->says.zc_max_segs = is_u32 ? mnl_attr_get_u32(attribute) : 0;
		break;
	case NETDEV_A_DEV_XDP_RX_METADATA_FEATURES:
		device->says.rx_metadata = is_u64 ? mnl_attr_get_u64(attribute) : 0;
		break;
	case NETDEV_A_DEV_XSK_FEATURES:
		device->says.xsk_features = is_u64 ? mnl_attr_get_u64(attribute) : 0;
		break;
	}
	return MNL_CB_OK;
}

static int device_message(const struct nlmsghdr *header, void *data)
{
	if (mnl_nlmsg_get_payload_len(header) < sizeof(struct genlmsghdr))
		return MNL_CB_OK;
	(void)mnl_attr_parse(header, sizeof(struct genlmsghdr), parse_device, data);
	return MNL_CB_OK;
}

struct family {
	__u16 id;
	__u32 group;
};

static void parse_group(const struct nlattr *group, struct family *family)
{
	const struct nlattr *attribute;
	const char *name = "";
	__u32 id = 0;

	mnl_attr_for_each_nested (attribute, group) {
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GRP_NAME &&
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
			name = mnl_attr_get_str(attribute);
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_MCAST_GRP_ID &&
		    mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
			id = mnl_attr_get_u32(attribute);
	}
	if (strcmp(name, EVENT_GROUP) == 0)
		family->group = id;
}

static int family_message(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attribute, *group;
	struct family *family = data;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(struct genlmsghdr))
		return MNL_CB_OK;
	mnl_attr_for_each (attribute, header, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_validate(attribute, MNL_TYPE_U16) == 0)
			family->id = mnl_attr_get_u16(attribute);
		if (mnl_attr_get_type(attribute) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested (group, attribute) {
			parse_group(group, family);
		}
	}
	return MNL_CB_OK;
}

/* Sends a request and reads its answers up to the acknowledgement. */
static int exchange(struct xdp_features *features, struct nlmsghdr *header, mnl_cb_t callback, void *data)
{
	char buffer[BUFFER_SIZE];
	int result = MNL_CB_OK;

	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	header->nlmsg_seq = ++features->sequence;
	if (mnl_socket_sendto(features->request, header, header->nlmsg_len) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t size = mnl_socket_recvfrom(features->request, buffer, sizeof(buffer));

		if (size < 0)
			return -errno;
		result = mnl_cb_run(buffer, (size_t)size, header->nlmsg_seq,
				    mnl_socket_get_portid(features->request), callback, data);
		if (result < 0 && errno == ESRCH) { /* late answer to an earlier request */
			result = MNL_CB_OK;
			continue;
		}
		if (result < 0)
			return -errno;
	}
	return 0;
}

static struct nlmsghdr *request(char *buffer, __u16 type, __u8 command)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	header->nlmsg_type = type;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return header;
}

static int find_family(struct xdp_features *features)
{
	char buffer[BUFFER_SIZE];
	struct nlmsghdr *header = request(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct family family = { 0 };
	int error;

	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, FAMILY);
	error = exchange(features, header, family_message, &family);
	if (error == -ENOENT || (error == 0 && !family.id))
		return -EOPNOTSUPP;
	features->family = family.id;
	features->group = family.group;
	return error;
}

static int open_socket(int flags, struct mnl_socket **ret)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | flags);

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = -errno;

		mnl_socket_close(socket);
		return error;
	}
	*ret = socket;
	return 0;
}

static void events_ready(void *arg, uint32_t events)
{
	struct xdp_features *features = arg;
	char buffer[BUFFER_SIZE];

	for (;;) {
		struct device device = { 0 };
		ssize_t size = mnl_socket_recvfrom(features->events, buffer, sizeof(buffer));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == ENOBUFS)
			features->fn(features->arg, 0, 0);
		if (size < 0)
			return;
		/* The kernel sends one notification to a datagram. */
		(void)mnl_cb_run(buffer, (size_t)size, 0, 0, device_message, &device);
		if (device.ifindex)
			features->fn(features->arg, device.ifindex, device.says.features);
	}
}

int xdp_features_open(struct xdp_features **ret)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_MS / 1000 };
	struct xdp_features *features = calloc(1, sizeof(*features));
	int error;

	if (!features)
		return -ENOMEM;
	error = open_socket(0, &features->request);
	if (error < 0)
		goto free_features;
	(void)setsockopt(mnl_socket_get_fd(features->request), SOL_SOCKET, SO_RCVTIMEO, &timeout,
			 sizeof(timeout));
	error = find_family(features);
	if (error < 0)
		goto close_socket;
	*ret = features;
	return 0;
close_socket:
	mnl_socket_close(features->request);
free_features:
	free(features);
	return error;
}

void xdp_features_close(struct xdp_features *features)
{
	if (!features)
		return;
	if (features->events) {
		loop_fd_remove(features->loop, mnl_socket_get_fd(features->events));
		mnl_socket_close(features->events);
	}
	mnl_socket_close(features->request);
	free(features);
}

int xdp_features_describe(struct xdp_features *features, __u32 ifindex, struct xdp_device *ret)
{
	char buffer[BUFFER_SIZE];
	struct nlmsghdr *header = request(buffer, features->family, NETDEV_CMD_DEV_GET);
	struct device device = { 0 };
	int error;

	mnl_attr_put_u32(header, NETDEV_A_DEV_IFINDEX, ifindex);
	error = exchange(features, header, device_message, &device);
	if (error < 0)
		return error;
	if (device.ifindex != ifindex)
		return -ENODEV;
	*ret = device.says;
	return 0;
}

int xdp_features_watch(struct xdp_features *features, struct loop *loop, xdp_features_fn *fn, void *arg)
{
	int error = open_socket(SOCK_NONBLOCK, &features->events);

	if (error < 0)
		return error;
	if (mnl_socket_setsockopt(features->events, NETLINK_ADD_MEMBERSHIP, &features->group, sizeof(__u32)) <
	    0) {
		error = -errno;
		goto close_socket;
	}
	features->loop = loop;
	features->fn = fn;
	features->arg = arg;
	error = loop_fd_add(loop, mnl_socket_get_fd(features->events), EPOLLIN, events_ready, features);
	if (error < 0)
		goto close_socket;
	return 0;
close_socket:
	mnl_socket_close(features->events);
	features->events = NULL;
	return error;
}
