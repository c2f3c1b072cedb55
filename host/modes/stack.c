// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/stack.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#define BUFFER_SIZE 32768

struct count {
	__u32 ifindex;
	struct stack stack;
};

struct link {
	__u32 lower, master;
	bool elsewhere; /* the lower device is in another namespace */
	const char *kind;
};

static __u32 get_u32(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attribute) : 0;
}

static const char *parse_kind(const struct nlattr *nest)
{
	const struct nlattr *inner;

	mnl_attr_for_each_nested (inner, nest) {
		if (mnl_attr_get_type(inner) == IFLA_INFO_KIND &&
		    mnl_attr_validate(inner, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(inner);
	}
	return "";
}

static void count_upper(const char *kind, struct stack *stack)
{
	if (strcmp(kind, "vlan") == 0)
		stack->vlans++;
	else if (strcmp(kind, "macvlan") == 0 || strcmp(kind, "macvtap") == 0 || strcmp(kind, "ipvlan") == 0)
		stack->macvlans++;
	else if (strcmp(kind, "veth") != 0) /* a veth's lower device is its peer */
		stack->others++;
}

static int link_message(const struct nlmsghdr *header, void *data)
{
	struct link link = { .kind = "" };
	const struct nlattr *attribute;
	struct count *count = data;

	if (header->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(header) < sizeof(struct ifinfomsg))
		return MNL_CB_OK;
	mnl_attr_for_each (attribute, header, sizeof(struct ifinfomsg)) {
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_LINK:
			link.lower = get_u32(attribute);
			break;
		case IFLA_LINK_NETNSID:
			link.elsewhere = true;
			break;
		case IFLA_MASTER:
			link.master = get_u32(attribute);
			break;
		case IFLA_LINKINFO:
			link.kind = parse_kind(attribute);
			break;
		}
	}
	if (link.lower == count->ifindex && !link.elsewhere)
		count_upper(link.kind, &count->stack);
	if (link.master == count->ifindex)
		count->stack.members++;
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *socket, struct count *count)
{
	char buffer[BUFFER_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	int result = MNL_CB_OK;

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = 1;
	(void)mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (size < 0)
			return -errno;
		result = mnl_cb_run(buffer, (size_t)size, 1, mnl_socket_get_portid(socket), link_message,
				    count);
	}
	return result < 0 ? -errno : 0;
}

int stack_read(__u32 ifindex, struct stack *ret)
{
	struct timeval timeout = { .tv_sec = 2 };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct count count = { .ifindex = ifindex, .stack.known = true };
	int error;

	if (!socket)
		return -errno;
	(void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	error = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : dump(socket, &count);
	mnl_socket_close(socket);
	if (error == 0)
		*ret = count.stack;
	return error;
}
