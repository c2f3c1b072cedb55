// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/mirror/link_message.h"
#include "host/mirror/netlink_socket.h"

static struct netlink_socket *socket_of(int protocol)
{
	struct netlink_socket *socket;

	cr_assert_eq(netlink_socket_new(protocol, &socket), 0);
	return socket;
}

static int wait_and_receive(struct netlink_socket *socket, void *buffer, size_t size)
{
	struct pollfd fd = { .fd = netlink_socket_fd(socket), .events = POLLIN };

	cr_assert_eq(poll(&fd, 1, 5000), 1);
	return netlink_socket_receive(socket, buffer, size);
}

Test(netlink_socket, dump_of_links_has_loopback_and_ends)
{
	struct netlink_socket *socket = socket_of(NETLINK_ROUTE);
	static char buffer[NETLINK_READ] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer), *message;
	bool loopback = false, done = false;
	struct link_message link;
	__u32 sequence;
	int length;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	cr_assert_eq(netlink_socket_send(socket, request, &sequence), 0);
	while (!done) {
		length = wait_and_receive(socket, buffer, sizeof(buffer));
		cr_assert_gt(length, 0);
		for (message = (struct nlmsghdr *)buffer; mnl_nlmsg_ok(message, length);
		     message = mnl_nlmsg_next(message, &length)) {
			cr_expect_eq(message->nlmsg_seq, sequence);
			if (message->nlmsg_type == NLMSG_DONE)
				done = true;
			else if (!link_message_decode(message, &link) && !strcmp(link.name, "lo"))
				loopback = true;
		}
	}
	cr_expect(loopback);
	cr_expect_eq(netlink_socket_receive(socket, buffer, sizeof(buffer)), -EAGAIN);
	netlink_socket_free(socket);
}

Test(netlink_socket, short_buffer_is_reported)
{
	struct netlink_socket *socket = socket_of(NETLINK_ROUTE);
	char buffer[64] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	__u32 sequence;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	cr_assert_eq(netlink_socket_send(socket, request, &sequence), 0);
	cr_expect_eq(wait_and_receive(socket, buffer, sizeof(buffer)), -EMSGSIZE);
	netlink_socket_free(socket);
}

Test(netlink_socket, marker_comes_out_in_order)
{
	struct netlink_socket *from = socket_of(NETLINK_ROUTE), *to = socket_of(NETLINK_ROUTE);
	char buffer[256] __attribute__((aligned(8)));
	struct nlmsghdr *message = (struct nlmsghdr *)buffer;

	if (netlink_socket_mark(from, to, 41) == -EPERM)
		cr_skip_test("markers need CAP_NET_ADMIN");
	cr_assert_eq(netlink_socket_mark(from, to, 42), 0);
	for (__u32 value = 41; value <= 42; value++) {
		cr_assert_eq(wait_and_receive(to, buffer, sizeof(buffer)), (int)sizeof(*message));
		cr_expect_eq(message->nlmsg_type, NETLINK_MARK);
		cr_expect_eq(message->nlmsg_seq, value);
	}
	netlink_socket_free(from);
	netlink_socket_free(to);
}

/* Another process could claim anything; only the kernel and our own markers are heard. */
Test(netlink_socket, strangers_are_not_heard)
{
	struct netlink_socket *stranger = socket_of(NETLINK_ROUTE), *to = socket_of(NETLINK_ROUTE),
			      *own = socket_of(NETLINK_ROUTE);
	char buffer[256] __attribute__((aligned(8)));

	if (netlink_socket_mark(stranger, to, 1) == -EPERM)
		cr_skip_test("sending to another socket needs CAP_NET_ADMIN");
	cr_assert_eq(netlink_socket_mark(own, to, 2), 0);
	cr_expect_eq(wait_and_receive(to, buffer, sizeof(buffer)), 0);
	cr_expect_gt(wait_and_receive(to, buffer, sizeof(buffer)), 0);
	netlink_socket_free(stranger);
	netlink_socket_free(own);
	netlink_socket_free(to);
}

Test(netlink_socket, unknown_group_and_buffer)
{
	struct netlink_socket *socket = socket_of(NETLINK_ROUTE);

	cr_expect_eq(netlink_socket_join(socket, RTNLGRP_NEXTHOP), 0);
	cr_expect_lt(netlink_socket_join(socket, 100000), 0);
	cr_expect_geq(netlink_socket_buffer(socket, 65536), 65536);
	netlink_socket_free(socket);
}
