// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A netlink socket that never blocks: strict dump requests, extended acknowledgements, the kernel as the only
 * sender that is listened to (and ourselves, see netlink_socket_mark()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/netlink.h>
#include <linux/types.h>

struct netlink_socket;

/* A dump is fastest with reads of 32 KiB; more gains nothing, less costs more calls. */
#define NETLINK_READ 32768

/* protocol: NETLINK_ROUTE ... -EPROTONOSUPPORT: the kernel has no such family. */
int netlink_socket_new(int protocol, struct netlink_socket **ret);
/* NULL is fine. */
void netlink_socket_free(struct netlink_socket *socket);
int netlink_socket_fd(const struct netlink_socket *socket);

/* Notifications of this group from now on. -EINVAL, -ENOENT: the kernel does not have the group. */
int netlink_socket_join(struct netlink_socket *socket, unsigned group);
/* Wanted size of the receive queue in bytes, above the system's limit if we may. Returns what it is now. */
int netlink_socket_buffer(struct netlink_socket *socket, int bytes);

/* Sends a request and gives it a sequence number (>= 1). -EAGAIN: the kernel's queue for it is full. */
int netlink_socket_send(struct netlink_socket *socket, struct nlmsghdr *request, __u32 *ret_sequence);

/*
 * Puts a marker with this value into the receive queue of `to`, behind everything the kernel has queued there
 * until now. It comes out of netlink_socket_receive() as a message of type NETLINK_MARK with the value as
 * sequence number. Nothing in the kernel but that queue is touched. -EAGAIN, -ENOBUFS, -ECONNREFUSED: the
 * queue is full; -EPERM: CAP_NET_ADMIN is missing.
 */
#define NETLINK_MARK 0x7ff0
int netlink_socket_mark(struct netlink_socket *from, struct netlink_socket *to, __u32 value);

/*
 * Reads one datagram (one or many messages) of at most size bytes. Returns its length; 0: something from
 * another sender, ignore it. -EAGAIN: nothing there. -ENOBUFS: the kernel had to drop messages. -EMSGSIZE: it
 * was longer than size and is lost.
 */
int netlink_socket_receive(struct netlink_socket *socket, void *buffer, size_t size);
