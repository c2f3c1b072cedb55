// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/inject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

// About 750 IPv4 routes: more per system call gains nothing.
#define INJECT_BATCH_SIZE   (48 * 1024)
// Room for the answers to a batch in which the kernel refuses every message.
#define INJECT_RECEIVE_SIZE (4 * 1024 * 1024)

struct inject {
	struct mnl_socket *socket;
	__u32 sequence;
	size_t used;
	struct inject_refusals refusals;
	__u32 flushed; // sequence at the last inject_flush()
	char batch[INJECT_BATCH_SIZE];
};

static const __u16 inject_flags[] = {
	[INJECT_ADD] = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL,
	[INJECT_REPLACE] = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE,
	[INJECT_DELETE] = NLM_F_REQUEST,
};

static size_t inject_address_size(__u8 family)
{
	return table_width(family) / 8;
}

static void inject_answer(struct inject *inject, const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

	if (answer->nlmsg_type != NLMSG_ERROR || error->error == 0)
		return;
	if (inject->refusals.count++)
		return;
	inject->refusals.error = error->error;
	inject->refusals.sequence = answer->nlmsg_seq - inject->flushed;
}

// Reads what the kernel answered so far.
static int inject_receive(struct inject *inject)
{
	char buffer[32 * 1024];
	const struct nlmsghdr *answer;
	ssize_t size;
	int left;

	for (;;) {
		size = recv(mnl_socket_get_fd(inject->socket), buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size < 0)
			return errno == EAGAIN ? 0 : -errno;
		left = size;
		for (answer = (void *)buffer; mnl_nlmsg_ok(answer, left);
		     answer = mnl_nlmsg_next(answer, &left))
			inject_answer(inject, answer);
	}
}

static int inject_send(struct inject *inject)
{
	if (inject->used && mnl_socket_sendto(inject->socket, inject->batch, inject->used) < 0)
		return -errno;
	inject->used = 0;
	return inject_receive(inject);
}

static int inject_make_room(struct inject *inject)
{
	return inject->used + INJECT_MESSAGE_MAX > sizeof(inject->batch) ? inject_send(inject) : 0;
}

int inject_open(struct inject **ret_inject)
{
	struct inject *inject = calloc(1, sizeof(*inject));
	const int receive_size = INJECT_RECEIVE_SIZE, on = 1;
	int fd, err;

	if (!inject)
		return -ENOMEM;
	inject->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!inject->socket || mnl_socket_bind(inject->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		inject_close(inject);
		return err;
	}
	fd = mnl_socket_get_fd(inject->socket);
	// Without these the answers are just longer.
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_size, sizeof(receive_size));
	*ret_inject = inject;
	return 0;
}

void inject_close(struct inject *inject)
{
	if (!inject)
		return;
	if (inject->socket)
		mnl_socket_close(inject->socket);
	free(inject);
}

int inject_route(struct inject *inject, enum inject_verb verb, const struct table_route *route,
		 const struct inject_hop *hop)
{
	int err = inject_make_room(inject);

	if (err < 0)
		return err;
	inject->used += inject_message(inject->batch + inject->used, verb, route, hop, ++inject->sequence);
	return 0;
}

int inject_object(struct inject *inject, enum inject_verb verb, __u8 family, const struct inject_hop *hop)
{
	struct nlmsghdr *message;
	struct nhmsg *header;
	int err = inject_make_room(inject);

	if (err < 0)
		return err;
	message = mnl_nlmsg_put_header(inject->batch + inject->used);
	message->nlmsg_type = verb == INJECT_DELETE ? RTM_DELNEXTHOP : RTM_NEWNEXTHOP;
	message->nlmsg_flags = inject_flags[verb];
	message->nlmsg_seq = ++inject->sequence;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	mnl_attr_put_u32(message, NHA_ID, hop->object);
	if (verb != INJECT_DELETE) {
		header->nh_family = family;
		header->nh_protocol = RTPROT_STATIC;
		mnl_attr_put_u32(message, NHA_OIF, hop->ifindex);
		mnl_attr_put(message, NHA_GATEWAY, inject_address_size(family), hop->gateway);
	}
	inject->used += NLMSG_ALIGN(message->nlmsg_len);
	return 0;
}

int inject_flush(struct inject *inject, struct inject_refusals *ret_refusals)
{
	int err = inject_send(inject);

	if (err < 0)
		return err;
	*ret_refusals = inject->refusals;
	memset(&inject->refusals, 0, sizeof(inject->refusals));
	inject->flushed = inject->sequence;
	return 0;
}

size_t inject_message(void *buffer, enum inject_verb verb, const struct table_route *route,
		      const struct inject_hop *hop, __u32 sequence)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	size_t size = inject_address_size(route->family);

	message->nlmsg_type = verb == INJECT_DELETE ? RTM_DELROUTE : RTM_NEWROUTE;
	message->nlmsg_flags = inject_flags[verb];
	message->nlmsg_seq = sequence;
	header->rtm_family = route->family;
	header->rtm_dst_len = route->len;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = RTPROT_STATIC;
	header->rtm_type = RTN_UNICAST;
	header->rtm_scope = verb == INJECT_DELETE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE;
	mnl_attr_put(message, RTA_DST, size, route->addr);
	if (verb == INJECT_DELETE) {
		header->rtm_protocol = RTPROT_UNSPEC;
		header->rtm_type = RTN_UNSPEC;
	} else if (hop->object) {
		mnl_attr_put_u32(message, RTA_NH_ID, hop->object);
	} else {
		mnl_attr_put(message, RTA_GATEWAY, size, hop->gateway);
		mnl_attr_put_u32(message, RTA_OIF, hop->ifindex);
	}
	return NLMSG_ALIGN(message->nlmsg_len);
}
