// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/netfilter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/xfrm.h>
#include <libmnl/libmnl.h>

#include "host/loop.h"
#include "host/mirror/chain_message.h"
#include "host/mirror/iptables.h"
#include "host/mirror/netlink_socket.h"
#include "host/mirror/xfrm.h"

#define POLL  1000 /* ms */
#define TRIES 4    /* a dump that was interrupted by a change */

struct netfilter {
	struct loop *loop;
	netfilter_changed_fn *changed;
	void *arg;
	struct loop_timer *poll, *soon;
	/* NULL: the kernel has no such thing */
	struct netlink_socket *chain_events, *chains;
	struct netlink_socket *policy_events, *policies;
	struct netfilter_state state;
	struct netfilter_state chain_state, policy_state; /* what was seen last */
	bool chains_seen, policies_seen;                  /* nothing has changed since */
	char buffer[NETLINK_READ] __attribute__((aligned(8)));
};

static const char *family_name(__u8 family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_NETDEV:
		return "netdev";
	}
	return "?";
}

/* Hooks that forwarded packets pass. */
static bool is_on_the_way(const struct chain_message *chain)
{
	switch (chain->family) {
	case NFPROTO_INET:
		if (chain->hook == NF_INET_INGRESS)
			return true;
		/* fallthrough */
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		return chain->hook == NF_INET_PRE_ROUTING || chain->hook == NF_INET_FORWARD ||
		       chain->hook == NF_INET_POST_ROUTING;
	case NFPROTO_NETDEV:
		return true;
	}
	return false; /* bridge, arp */
}

static bool is_ingress(const struct chain_message *chain)
{
	return (chain->family == NFPROTO_INET && chain->hook == NF_INET_INGRESS) ||
	       (chain->family == NFPROTO_NETDEV && chain->hook == NF_NETDEV_INGRESS);
}

void netfilter_judge(struct netfilter_state *state, const struct chain_message *chain)
{
	if (!chain->base || (!chain->rules && !chain->drops) || !is_on_the_way(chain))
		return;
	/* Rules where packets leave could concern those from anywhere. */
	if (is_ingress(chain) && !chain->too_many &&
	    state->device_count + chain->device_count <= NETFILTER_DEVICES) {
		for (__u32 i = 0; i < chain->device_count; i++)
			memcpy(state->device[state->device_count++], chain->device[i], NETLINK_NAME);
		return;
	}
	if (!state->rules)
		snprintf(state->why_rules, sizeof(state->why_rules),
			 "nftables chain '%s %s %s' has %u rule%s%s", family_name(chain->family),
			 chain->table, chain->name, chain->rules, chain->rules == 1 ? "" : "s",
			 chain->drops ? " and drops by policy" : "");
	state->rules = true;
}

static void cannot_look(struct netfilter_state *state, const char *what, int error)
{
	if (!state->rules)
		snprintf(state->why_rules, sizeof(state->why_rules), "%s cannot be read: %s", what,
			 strerror(-error));
	state->rules = true;
}

/* --- nftables --- */

static int request_chains(struct netfilter *netfilter, __u32 *ret_sequence)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(netfilter->buffer);
	struct nfgenmsg *header;

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = NFPROTO_UNSPEC;
	header->version = NFNETLINK_V0;
	return netlink_socket_send(netfilter->chains, message, ret_sequence);
}

/* 1: the dump is at its end; 0: go on. */
static int take_chain(const struct nlmsghdr *message, struct netfilter_state *state)
{
	struct chain_message chain;
	int r;

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EINTR;
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		r = netlink_error_decode(message, NULL);
		return r ? r : 1;
	}
	r = chain_message_decode(message, &chain);
	if (r)
		return r == -EPROTONOSUPPORT ? 0 : r;
	netfilter_judge(state, &chain);
	return 0;
}

/* Every read is answered at once: the kernel makes the next part of a dump while it hands out the one before.
 * The rest of a dump that was interrupted is read, too, so that the next one can begin. */
static int read_chains(struct netfilter *netfilter, __u32 sequence, struct netfilter_state *state)
{
	const struct nlmsghdr *message;
	struct netlink_messages walk;
	int length, r = 0, error = 0;

	while (r != 1) {
		length = netlink_socket_receive(netfilter->chains, netfilter->buffer,
						sizeof(netfilter->buffer));
		if (length < 0)
			return length;
		walk = (struct netlink_messages){ netfilter->buffer, (size_t)length };
		while (r != 1 && (message = netlink_messages_next(&walk))) {
			if (message->nlmsg_seq != sequence)
				continue;
			r = take_chain(message, state);
			if (r < 0)
				error = r;
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
				r = 1;
		}
	}
	return error;
}

static void look_at_chains(struct netfilter *netfilter)
{
	struct netfilter_state *state = &netfilter->chain_state;
	__u32 sequence;
	int r = -EINTR;

	if (!netfilter->chains || netfilter->chains_seen)
		return;
	for (int tries = 0; tries < TRIES && r == -EINTR; tries++) {
		memset(state, 0, sizeof(*state));
		r = request_chains(netfilter, &sequence);
		if (!r)
			r = read_chains(netfilter, sequence, state);
	}
	netfilter->chains_seen = !r || r == -EINVAL || r == -EOPNOTSUPP; /* -EINVAL: nftables is not there */
	if (!netfilter->chains_seen)
		cannot_look(state, "nftables", r);
}

/* --- all together --- */

static void look_at_tables(struct netfilter_state *state, __u8 family)
{
	bool active = false;
	char why[NETFILTER_WHY];
	int r = -EAGAIN;

	for (int tries = 0; tries < TRIES && r == -EAGAIN; tries++)
		r = iptables_active(family, &active, why, sizeof(why));
	if (r && r != -EAFNOSUPPORT)
		cannot_look(state, "iptables", r);
	if (r || !active)
		return;
	if (!state->rules)
		snprintf(state->why_rules, sizeof(state->why_rules), "%s", why);
	state->rules = true;
}

static void look_at_policies(struct netfilter *netfilter)
{
	struct netfilter_state *state = &netfilter->policy_state;
	int r;

	if (!netfilter->policies || netfilter->policies_seen)
		return;
	memset(state, 0, sizeof(*state));
	r = xfrm_active(netfilter->policies, &state->xfrm, state->why_xfrm, sizeof(state->why_xfrm));
	netfilter->policies_seen = !r;
	if (!r)
		return;
	state->xfrm = true;
	snprintf(state->why_xfrm, sizeof(state->why_xfrm), "IPsec policies cannot be read: %s", strerror(-r));
}

static bool look(struct netfilter *netfilter)
{
	struct netfilter_state state;

	look_at_chains(netfilter);
	look_at_policies(netfilter);
	memcpy(&state, &netfilter->chain_state, sizeof(state));
	look_at_tables(&state, AF_INET);
	look_at_tables(&state, AF_INET6);
	state.xfrm = netfilter->policy_state.xfrm;
	memcpy(state.why_xfrm, netfilter->policy_state.why_xfrm, sizeof(state.why_xfrm));
	if (!memcmp(&state, &netfilter->state, sizeof(state)))
		return false;
	memcpy(&netfilter->state, &state, sizeof(state));
	return true;
}

static void look_and_tell(void *arg)
{
	struct netfilter *netfilter = arg;

	if (look(netfilter))
		netfilter->changed(netfilter->arg);
}

/* What they say does not matter, nor what was lost: a look follows. */
static void drain(struct netfilter *netfilter, struct netlink_socket *socket)
{
	int r;

	do {
		r = netlink_socket_receive(socket, netfilter->buffer, sizeof(netfilter->buffer));
	} while (r >= 0 || r == -ENOBUFS || r == -EMSGSIZE);
	loop_timer_set(netfilter->soon, NETFILTER_SOON, 0);
}

static void chains_changed(void *arg, uint32_t events)
{
	struct netfilter *netfilter = arg;

	netfilter->chains_seen = false;
	drain(netfilter, netfilter->chain_events);
}

static void policies_changed(void *arg, uint32_t events)
{
	struct netfilter *netfilter = arg;

	netfilter->policies_seen = false;
	drain(netfilter, netfilter->policy_events);
}

/* A socket for notifications and one for questions; none if the kernel does not know the protocol. */
static int open_pair(struct netfilter *netfilter, int protocol, unsigned group, loop_fd_fn *fn,
		     struct netlink_socket **events, struct netlink_socket **questions)
{
	int r = netlink_socket_new(protocol, events);

	if (r == -EPROTONOSUPPORT)
		return 0;
	if (!r)
		r = netlink_socket_new(protocol, questions);
	if (!r)
		r = netlink_socket_join(*events, group);
	if (!r)
		r = loop_fd_add(netfilter->loop, netlink_socket_fd(*events), EPOLLIN, fn, netfilter);
	return r;
}

static int open_all(struct netfilter *netfilter)
{
	int r;

	r = loop_timer_new(netfilter->loop, look_and_tell, netfilter, &netfilter->poll);
	if (!r)
		r = loop_timer_new(netfilter->loop, look_and_tell, netfilter, &netfilter->soon);
	if (!r)
		r = open_pair(netfilter, NETLINK_NETFILTER, NFNLGRP_NFTABLES, chains_changed,
			      &netfilter->chain_events, &netfilter->chains);
	if (!r)
		r = open_pair(netfilter, NETLINK_XFRM, XFRMNLGRP_POLICY, policies_changed,
			      &netfilter->policy_events, &netfilter->policies);
	return r;
}

int netfilter_new(struct loop *loop, netfilter_changed_fn *changed, void *arg, struct netfilter **ret)
{
	struct netfilter *netfilter = calloc(1, sizeof(*netfilter));
	int r;

	if (!netfilter)
		return -ENOMEM;
	netfilter->loop = loop;
	netfilter->changed = changed;
	netfilter->arg = arg;
	r = open_all(netfilter);
	if (r) {
		netfilter_free(netfilter);
		return r;
	}
	look(netfilter);
	loop_timer_set(netfilter->poll, POLL, POLL);
	*ret = netfilter;
	return 0;
}

static void close_events(struct netfilter *netfilter, struct netlink_socket *socket)
{
	if (!socket)
		return;
	loop_fd_remove(netfilter->loop, netlink_socket_fd(socket));
	netlink_socket_free(socket);
}

void netfilter_free(struct netfilter *netfilter)
{
	if (!netfilter)
		return;
	close_events(netfilter, netfilter->chain_events);
	close_events(netfilter, netfilter->policy_events);
	netlink_socket_free(netfilter->chains);
	netlink_socket_free(netfilter->policies);
	loop_timer_free(netfilter->poll);
	loop_timer_free(netfilter->soon);
	free(netfilter);
}

const struct netfilter_state *netfilter_state(const struct netfilter *netfilter)
{
	return &netfilter->state;
}

bool netfilter_on_device(const struct netfilter_state *state, const char *name)
{
	for (__u32 i = 0; i < state->device_count; i++)
		if (!strcmp(state->device[i], name))
			return true;
	return false;
}
