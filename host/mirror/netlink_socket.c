// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/netlink_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <libmnl/libmnl.h>

struct netlink_socket {
	struct mnl_socket *mnl;
	int fd;
	__u32 port;
	__u32 marker; /* port of the socket of ours that sends markers here, 0 = none yet */
	__u32 sequence;
};

static int enable(const struct netlink_socket *socket, int option)
{
	int one = 1;

	return setsockopt(socket->fd, SOL_NETLINK, option, &one, sizeof(one)) < 0 ? -errno : 0;
}

int netlink_socket_new(int protocol, struct netlink_socket **ret)
{
	struct netlink_socket *socket;
	int r;

	socket = calloc(1, sizeof(*socket));
	if (!socket)
		return -ENOMEM;
	socket->mnl = mnl_socket_open2(protocol, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!socket->mnl) {
		r = -errno;
		goto free_socket;
	}
	if (mnl_socket_bind(socket->mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		goto close_mnl;
	}
	socket->fd = mnl_socket_get_fd(socket->mnl);
	socket->port = mnl_socket_get_portid(socket->mnl);
	/* Kernels and families without these work, with less. */
	(void)enable(socket, NETLINK_GET_STRICT_CHK);
	(void)enable(socket, NETLINK_EXT_ACK);
	(void)enable(socket, NETLINK_CAP_ACK);
	*ret = socket;
	return 0;

close_mnl:
	mnl_socket_close(socket->mnl);
free_socket:
	free(socket);
	return r;
}

void netlink_socket_free(struct netlink_socket *socket)
{
	if (!socket)
		return;
	mnl_socket_close(socket->mnl);
	free(socket);
}

int netlink_socket_fd(const struct netlink_socket *socket)
{
	return socket->fd;
}

int netlink_socket_join(struct netlink_socket *socket, unsigned group)
{
	return setsockopt(socket->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ? -errno
												      : 0;
}

int netlink_socket_buffer(struct netlink_socket *socket, int bytes)
{
	int now = 0;
	socklen_t size = sizeof(now);

	if (setsockopt(socket->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(socket->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (getsockopt(socket->fd, SOL_SOCKET, SO_RCVBUF, &now, &size) < 0)
		return -errno;
	return now / 2; /* the kernel keeps twice what was asked for, for its own overhead */
}

static int send_to(const struct netlink_socket *socket, const struct nlmsghdr *message, __u32 port)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = port };
	ssize_t n;

	do {
		n = sendto(socket->fd, message, message->nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&address,
			   sizeof(address));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int netlink_socket_send(struct netlink_socket *socket, struct nlmsghdr *request, __u32 *ret_sequence)
{
	__u32 sequence = socket->sequence + 1 ? socket->sequence + 1 : 1;
	int r;

	request->nlmsg_seq = sequence;
	r = send_to(socket, request, 0);
	if (r)
		return r;
	socket->sequence = sequence;
	*ret_sequence = sequence;
	return 0;
}

int netlink_socket_mark(struct netlink_socket *from, struct netlink_socket *to, __u32 value)
{
	struct nlmsghdr mark = { .nlmsg_len = sizeof(mark),
				 .nlmsg_type = NETLINK_MARK,
				 .nlmsg_seq = value,
				 .nlmsg_pid = to->port };

	if (to->marker != from->port)
		to->marker = from->port;
	return send_to(from, &mark, to->port);
}

/* What other processes send us is not the kernel's word. */
static bool trusted(const struct netlink_socket *socket, const struct sockaddr_nl *sender)
{
	return sender->nl_pid == 0 || (socket->marker && sender->nl_pid == socket->marker);
}

int netlink_socket_receive(struct netlink_socket *socket, void *buffer, size_t size)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec part = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = {
		.msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &part, .msg_iovlen = 1
	};
	ssize_t n;

	do {
		n = recvmsg(socket->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (!trusted(socket, &sender))
		return 0;
	return (int)n;
}
