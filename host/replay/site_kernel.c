// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/site_kernel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "host/mirror/netlink_socket.h"
#include "host/mirror/sysctl.h"
#include "host/replay/site.h"

#define PATIENCE 10000 /* ms for an answer of the kernel */

struct kernel {
	struct site *site;
	struct netlink_socket *socket;
	struct route_message route;
	struct nexthop_message nexthop;
	bool interrupted;
	char buffer[NETLINK_READ] __attribute__((aligned(8)));
};

/* In the order in which they build on each other. */
static const struct dump {
	__u16 type;
	__u8 family;
	size_t header;
} dumps[] = {
	{ RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg) },
	{ RTM_GETNETCONF, AF_INET, sizeof(struct netconfmsg) },
	{ RTM_GETNETCONF, AF_INET6, sizeof(struct netconfmsg) },
	{ RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg) },
	{ RTM_GETRULE, AF_INET, sizeof(struct fib_rule_hdr) },
	{ RTM_GETRULE, AF_INET6, sizeof(struct fib_rule_hdr) },
	{ RTM_GETNEXTHOP, AF_UNSPEC, sizeof(struct nhmsg) },
	{ RTM_GETROUTE, AF_INET, sizeof(struct rtmsg) },
	{ RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg) },
	{ RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg) },
};

static int take_link(struct kernel *kernel, const struct nlmsghdr *message)
{
	struct link_message link;
	int r = link_message_decode(message, &link);

	return r ? r : site_link(kernel->site, &link);
}

static int take_netconf(struct kernel *kernel, const struct nlmsghdr *message)
{
	struct netconf_message conf;
	int r = netconf_message_decode(message, &conf);

	return r ? r : site_netconf(kernel->site, &conf);
}

static int take_address(struct kernel *kernel, const struct nlmsghdr *message)
{
	struct address_message address;
	int r = address_message_decode(message, &address);

	return r ? r : site_address(kernel->site, &address);
}

static int take_rule(struct kernel *kernel, const struct nlmsghdr *message)
{
	struct rule_message rule;
	int r = rule_message_decode(message, &rule);

	return r ? r : site_rule(kernel->site, &rule);
}

static int take_neighbour(struct kernel *kernel, const struct nlmsghdr *message)
{
	struct neighbour_message neighbour;
	int r = neighbour_message_decode(message, &neighbour);

	return r ? r : site_neighbour(kernel->site, &neighbour);
}

static int take(struct kernel *kernel, const struct nlmsghdr *message)
{
	int r;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		return take_link(kernel, message);
	case RTM_NEWNETCONF:
		return take_netconf(kernel, message);
	case RTM_NEWADDR:
		return take_address(kernel, message);
	case RTM_NEWRULE:
		return take_rule(kernel, message);
	case RTM_NEWNEXTHOP:
		r = nexthop_message_decode(message, &kernel->nexthop);
		return r ? r : site_nexthop(kernel->site, &kernel->nexthop);
	case RTM_NEWROUTE:
		r = route_message_decode(message, &kernel->route);
		kernel->route.nlflags = NLM_F_CREATE | NLM_F_APPEND;
		return r ? r : site_route(kernel->site, &kernel->route);
	case RTM_NEWNEIGH:
		return take_neighbour(kernel, message);
	}
	return 0;
}

/* No such family in this kernel: then there is nothing of it. */
static bool means_nothing(int error)
{
	return error == -EOPNOTSUPP || error == -EAFNOSUPPORT || error == -ENOENT;
}

/* Returns 1 at the end of the dump. */
static int take_all(struct kernel *kernel, size_t length)
{
	struct netlink_messages walk = { kernel->buffer, length };
	const struct nlmsghdr *message;
	const char *text;
	int r;

	while ((message = netlink_messages_next(&walk))) {
		kernel->interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
			r = netlink_error_decode(message, &text);
			return r && !means_nothing(r) ? r : 1;
		}
		r = take(kernel, message);
		/* What cannot be read or has no room: its packets go to the kernel. */
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static int read_answer(struct kernel *kernel)
{
	struct pollfd queue = { .fd = netlink_socket_fd(kernel->socket), .events = POLLIN };
	int r = 0;

	while (!r) {
		int length = netlink_socket_receive(kernel->socket, kernel->buffer, sizeof(kernel->buffer));

		if (length == -EAGAIN)
			length = poll(&queue, 1, PATIENCE) > 0 ? 0 : -ETIMEDOUT;
		r = length > 0 ? take_all(kernel, (size_t)length) : length;
	}
	return r < 0 ? r : 0;
}

static int ask(struct kernel *kernel, const struct dump *dump)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(kernel->buffer);
	struct rtgenmsg *generic;
	__u32 sequence;
	int r;

	message->nlmsg_type = dump->type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	generic = mnl_nlmsg_put_extra_header(message, dump->header);
	memset(generic, 0, dump->header);
	generic->rtgen_family = dump->family;
	if (dump->type == RTM_GETLINK)
		mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = netlink_socket_send(kernel->socket, message, &sequence);
	return r < 0 ? r : read_answer(kernel);
}

int site_kernel_read(struct site *site, struct why *why)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int r = -ENOMEM;

	if (!kernel)
		return why_set(why, ENOMEM, "out of memory");
	kernel->site = site;
	r = netlink_socket_new(NETLINK_ROUTE, &kernel->socket);
	for (size_t i = 0; !r && i < sizeof(dumps) / sizeof(dumps[0]); i++)
		r = ask(kernel, &dumps[i]);
	site_all_redirects(site, sysctl_all_redirects());
	if (!r && kernel->interrupted)
		r = -EINTR;
	netlink_socket_free(kernel->socket);
	free(kernel);
	if (r == -EINTR)
		return why_set(why, EINTR, "the kernel's tables changed while they were read; try again");
	return r ? why_set(why, -r, "cannot read the kernel's tables (rtnetlink): %s", strerror(-r)) : 0;
}
