// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/netns/kernel_oracle.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define HOPS 64

struct kernel_oracle {
	int fd;
	__u32 sequence;
	unsigned ignored; /* RTNH_F_* of next hops that do not count */
};

struct hops {
	unsigned ignored;
	struct oracle_hop hop[HOPS];
	unsigned count;
};

struct request {
	struct nlmsghdr message;
	struct rtmsg route;
	char attributes[64];
};

static void put(struct request *request, unsigned short type, const void *data, unsigned size)
{
	char *end = request->attributes + request->message.nlmsg_len - offsetof(struct request, attributes);
	struct rtattr attribute = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(size) };

	memcpy(end, &attribute, sizeof(attribute));
	memcpy(end + RTA_LENGTH(0), data, size);
	request->message.nlmsg_len += (__u32)RTA_ALIGN(attribute.rta_len);
}

static void add_hop(struct hops *hops, unsigned flags, int ifindex, unsigned weight,
		    const struct rtattr *first, int length, int family)
{
	char gateway[INET6_ADDRSTRLEN] = "link";

	if (flags & hops->ignored)
		return;
	for (const struct rtattr *a = first; RTA_OK(a, length); a = RTA_NEXT(a, length)) {
		if (a->rta_type == RTA_OIF)
			ifindex = *(int *)RTA_DATA(a);
		if (a->rta_type == RTA_GATEWAY)
			inet_ntop(family, RTA_DATA(a), gateway, sizeof(gateway));
		if (a->rta_type == RTA_VIA) {
			const struct rtvia *via = RTA_DATA(a);

			inet_ntop(via->rtvia_family, via->rtvia_addr, gateway, sizeof(gateway));
		}
	}
	assert(hops->count < HOPS);
	hops->hop[hops->count].weight = weight;
	snprintf(hops->hop[hops->count++].text, sizeof(hops->hop[0].text), "%d:%s", ifindex, gateway);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct oracle_hop *)a)->text, ((const struct oracle_hop *)b)->text);
}

void oracle_hops_text(struct oracle_hop *hop, unsigned count, char *text)
{
	unsigned different = 0;

	qsort(hop, count, sizeof(*hop), compare);
	for (unsigned i = 0; i < count; i++) {
		if (different && !strcmp(hop[different - 1].text, hop[i].text))
			hop[different - 1].weight += hop[i].weight;
		else
			hop[different++] = hop[i];
	}
	text += sprintf(text, "via");
	for (unsigned i = 0; i < different; i++)
		text += sprintf(text, " %s*%u", hop[i].text, different == 1 ? 1 : hop[i].weight);
}

static const char *name_of(unsigned type)
{
	switch (type) {
	case RTN_LOCAL:
		return "local";
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		return "broadcast";
	case RTN_MULTICAST:
		return "multicast";
	case RTN_UNICAST:
		return NULL;
	}
	return "reject";
}

static void describe(const struct nlmsghdr *message, unsigned ignored, char *text)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const struct rtattr *first = RTM_RTA(route), *a;
	int length = (int)RTM_PAYLOAD(message), left = length;
	struct hops hops = { .ignored = ignored };
	int multipath = 0;

	if (name_of(route->rtm_type)) {
		strcpy(text, name_of(route->rtm_type));
		return;
	}
	for (a = first; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_ENCAP) {
			strcpy(text, "encap");
			return;
		}
		if (a->rta_type != RTA_MULTIPATH)
			continue;
		multipath = 1;
		int rest = (int)RTA_PAYLOAD(a);

		for (const struct rtnexthop *hop = RTA_DATA(a); RTNH_OK(hop, rest);
		     rest -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
			add_hop(&hops, hop->rtnh_flags, hop->rtnh_ifindex, hop->rtnh_hops + 1u,
				RTNH_DATA(hop), hop->rtnh_len - (int)sizeof(*hop), route->rtm_family);
	}
	if (!multipath)
		add_hop(&hops, 0, 0, 1, first, length, route->rtm_family);
	oracle_hops_text(hops.hop, hops.count, text);
}

void kernel_oracle_open(struct kernel_oracle **ret)
{
	struct kernel_oracle *oracle = calloc(1, sizeof(*oracle));
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };

	oracle->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (oracle->fd < 0 || bind(oracle->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	oracle->ignored = RTNH_F_DEAD;
	*ret = oracle;
}

void kernel_oracle_ignore_linkdown(struct kernel_oracle *oracle)
{
	oracle->ignored |= RTNH_F_LINKDOWN;
}

void kernel_oracle_close(struct kernel_oracle *oracle)
{
	close(oracle->fd);
	free(oracle);
}

void kernel_oracle_ask(struct kernel_oracle *oracle, __u8 family, const __u8 *address, __u32 vrf, char *text)
{
	static char answer[65536] __attribute__((aligned(8)));
	struct request request = { .message = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
						.nlmsg_type = RTM_GETROUTE,
						.nlmsg_flags = NLM_F_REQUEST,
						.nlmsg_seq = ++oracle->sequence },
				   .route = { .rtm_family = family,
					      .rtm_dst_len = family == AF_INET ? 32 : 128,
					      .rtm_flags = RTM_F_FIB_MATCH } };
	const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
	ssize_t n;
	int error;

	put(&request, RTA_DST, address, family == AF_INET ? 4 : 16);
	if (vrf)
		put(&request, RTA_OIF, &vrf, sizeof(vrf));
	if (send(oracle->fd, &request, request.message.nlmsg_len, 0) < 0)
		abort();
	do {
		n = recv(oracle->fd, answer, sizeof(answer), 0);
		if (n < (ssize_t)sizeof(*message))
			abort();
	} while (message->nlmsg_seq != oracle->sequence);
	if (message->nlmsg_type == RTM_NEWROUTE) {
		describe(message, oracle->ignored, text);
		return;
	}
	error = ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
	strcpy(text, error == -ENETUNREACH ? "none" : "reject");
}
