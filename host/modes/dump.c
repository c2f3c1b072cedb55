// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/dump.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#define BUFFER_SIZE 32768

static int exchange(struct mnl_socket *socket, __u16 type, size_t header_size, mnl_cb_t each, void *arg)
{
	char buffer[BUFFER_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	int result = MNL_CB_OK;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = 1;
	(void)mnl_nlmsg_put_extra_header(header, header_size);
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (size < 0)
			return -errno;
		result = mnl_cb_run(buffer, (size_t)size, 1, mnl_socket_get_portid(socket), each, arg);
	}
	return result < 0 ? -errno : 0;
}

int dump_read(__u16 type, size_t header_size, mnl_cb_t each, void *arg)
{
	struct timeval timeout = { .tv_sec = 2 };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int error;

	if (!socket)
		return -errno;
	(void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	error = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0
			? -errno
			: exchange(socket, type, header_size, each, arg);
	mnl_socket_close(socket);
	return error;
}
