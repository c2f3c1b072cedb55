// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What else the kernel does to forwarded packets: nftables chains at the hooks that they pass, legacy
 * iptables tables, IPsec policies. Notifications of the first and last lead to a look within NETFILTER_SOON
 * ms; the legacy tables are looked at every second.
 */
#pragma once

#include <stdbool.h>

#include "host/mirror/netlink_attribute.h"

struct loop;
struct netfilter;

#define NETFILTER_SOON    10
#define NETFILTER_DEVICES 64
#define NETFILTER_WHY     192

struct netfilter_state {
	bool rules; /* netfilter rules concern all forwarded packets */
	bool xfrm;  /* IPsec policies do */
	char why_rules[NETFILTER_WHY], why_xfrm[NETFILTER_WHY];
	__u32 device_count; /* devices with ingress rules of their own */
	char device[NETFILTER_DEVICES][NETLINK_NAME];
};

/* Told when the state is another one. */
typedef void netfilter_changed_fn(void *arg);

/* Looks at once; the state is known when this returns. What cannot be looked at for want of a privilege
 * counts as rules. */
int netfilter_new(struct loop *loop, netfilter_changed_fn *changed, void *arg, struct netfilter **ret);
/* NULL is fine. */
void netfilter_free(struct netfilter *netfilter);
const struct netfilter_state *netfilter_state(const struct netfilter *netfilter);
bool netfilter_on_device(const struct netfilter_state *state, const char *name);

/* The pure part: adds what a chain means to a state. */
struct chain_message;
void netfilter_judge(struct netfilter_state *state, const struct chain_message *chain);
