// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/socket.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define BUFFER_BYTES (64 << 20)
#define FRAME_MAX    16384

struct capture {
	int fd; // takes from all ends
	const struct world *world;
	int send_fd[WORLD_INTERFACES];     // per port, and per sub-interface of a port
	int end_ifindex[WORLD_INTERFACES]; // per port
	__u32 port_count;
	__u64 lost;
};

static int open_end(const char *name, int *ret_ifindex)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };
	int one = 1, fd;

	*ret_ifindex = if_nametoindex(name);
	if (!*ret_ifindex)
		return -errno;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); // protocol 0: takes nothing
	if (fd < 0)
		return -errno;
	address.sll_ifindex = *ret_ifindex;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int open_all(struct capture *capture)
{
	int one = 1, size = BUFFER_BYTES;

	capture->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	if (capture->fd < 0)
		return -errno;
	if (setsockopt(capture->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(capture->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    setsockopt(capture->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0)
		return -errno;
	return 0;
}

static int open_sockets(struct capture *capture, const struct world *world)
{
	for (__u32 i = 0; i < world->interface_count; i++) {
		const struct world_interface *interface = &world->interface[i];
		int ifindex, fd;
		char name[20];

		if (interface->parent &&
		    (!world->beside || world_interface(world, interface->parent)->parent))
			continue;
		snprintf(name, sizeof(name), "%c%s", interface->parent ? 'h' : 'e', interface->name + 1);
		fd = open_end(name, &ifindex);
		if (fd < 0)
			return fd;
		capture->send_fd[i] = fd;
		if (interface->parent)
			continue;
		capture->end_ifindex[i] = ifindex;
		capture->port_count = i + 1;
	}
	return open_all(capture);
}

// The sub-interface that the outer tag of a frame leads to, NULL: none.
static const struct world_interface *outer_device(const struct capture *capture, __u32 port,
						  const __u8 *frame, __u32 length)
{
	__u16 tpid = frame[12] << 8 | frame[13], tci = frame[14] << 8 | frame[15];

	// a device would not send the priority, nor the bit beside it
	if (length < 18 || tci >> 12 || (tpid != ETH_P_8021Q && tpid != ETH_P_8021AD))
		return NULL;
	return world_sub_interface(capture->world, capture->world->interface[port].ifindex, tpid, tci);
}

static __s32 port_of(const struct capture *capture, int ifindex)
{
	for (__u32 i = 0; i < capture->port_count; i++)
		if (capture->end_ifindex[i] == ifindex)
			return i;
	return -1;
}

// The kernel takes the outermost tag out of the frame before a socket sees it.
static void restore_tag(const struct msghdr *message, struct capture_frame *frame)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR((struct msghdr *)message, part)) {
		struct tpacket_auxdata data;
		__u16 tag[2];

		if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&data, CMSG_DATA(part), sizeof(data));
		if (!(data.tp_status & TP_STATUS_VLAN_VALID))
			continue;
		tag[0] = htons(data.tp_status & TP_STATUS_VLAN_TPID_VALID ? data.tp_vlan_tpid : ETH_P_8021Q);
		tag[1] = htons(data.tp_vlan_tci);
		memmove(frame->bytes + 16, frame->bytes + 12, frame->length - 12);
		memcpy(frame->bytes + 12, tag, 4);
		frame->length += 4;
	}
}

int capture_new(const struct world *world, const struct netns *ends, struct capture **ret_capture)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int error;

	if (!capture)
		return -ENOMEM;
	capture->fd = -1;
	capture->world = world;
	for (int i = 0; i < WORLD_INTERFACES; i++)
		capture->send_fd[i] = -1;
	netns_enter(ends);
	error = open_sockets(capture, world);
	netns_leave();
	if (error < 0)
		capture_free(capture);
	else
		*ret_capture = capture;
	return error < 0 ? error : 0;
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	for (int i = 0; i < WORLD_INTERFACES; i++)
		if (capture->send_fd[i] >= 0)
			close(capture->send_fd[i]);
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture);
}

int capture_send(struct capture *capture, __u32 port, const __u8 *frame, __u32 length, bool host)
{
	const struct world_interface *sub = host ? outer_device(capture, port, frame, length) : NULL;
	__u8 untagged[FRAME_MAX];

	if (!sub)
		return send(capture->send_fd[port], frame, length, 0) < 0 ? -errno : 0;
	memcpy(untagged, frame, 12);
	memcpy(untagged + 12, frame + 16, length - 16);
	return send(capture->send_fd[sub->ifindex - WORLD_FIRST_IFINDEX], untagged, length - 4, 0) < 0
		       ? -errno
		       : 0;
}

bool capture_take(struct capture *capture, struct capture_frame *ret_frame)
{
	static __u8 buffer[FRAME_MAX + 4];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from;
	struct iovec part = { buffer, FRAME_MAX };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct capture_frame frame = { .bytes = buffer };
	ssize_t length;
	__s32 port;

	do {
		message.msg_controllen = sizeof(control);
		length = recvmsg(capture->fd, &message, MSG_DONTWAIT);
		if (length < 0)
			return false;
		port = port_of(capture, from.sll_ifindex);
	} while (port < 0);
	frame.port = port;
	frame.length = length;
	restore_tag(&message, &frame);
	frame.bytes = malloc(frame.length);
	if (!frame.bytes)
		return false;
	memcpy(frame.bytes, buffer, frame.length);
	*ret_frame = frame;
	return true;
}

bool capture_wait(struct capture *capture, int milliseconds)
{
	struct pollfd wait = { .fd = capture->fd, .events = POLLIN };

	return poll(&wait, 1, milliseconds) > 0;
}

__u64 capture_lost(struct capture *capture)
{
	struct tpacket_stats statistics;
	socklen_t size = sizeof(statistics);

	if (getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
		capture->lost += statistics.tp_drops;
	return capture->lost;
}
