// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/xfrm.h>
#include <libmnl/libmnl.h>

#include "host/mirror/chain_message.h"
#include "host/mirror/iptables.h"
#include "host/mirror/netfilter.h"
#include "host/mirror/xfrm.h"

/* --- nftables --- */

struct spec {
	__u8 family;
	__u32 hook, rules, policy;
	const char *device[2];
};

static struct nlmsghdr *chain_message(char *buffer, const struct spec *spec)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;
	struct nlattr *nest, *devices;

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = spec->family;
	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, "filter");
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, "FORWARD");
	nest = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(spec->hook));
	if (spec->device[1]) {
		devices = mnl_attr_nest_start(message, NFTA_HOOK_DEVS);
		mnl_attr_put_strz(message, NFTA_DEVICE_NAME, spec->device[0]);
		mnl_attr_put_strz(message, NFTA_DEVICE_NAME, spec->device[1]);
		mnl_attr_nest_end(message, devices);
	} else if (spec->device[0]) {
		mnl_attr_put_strz(message, NFTA_HOOK_DEV, spec->device[0]);
	}
	mnl_attr_nest_end(message, nest);
	mnl_attr_put_u32(message, NFTA_CHAIN_POLICY, htonl(spec->policy));
	mnl_attr_put_u32(message, NFTA_CHAIN_USE, htonl(spec->rules));
	return message;
}

static struct netfilter_state judge(struct spec spec)
{
	struct netfilter_state state = { .rules = false };
	struct chain_message chain;
	char buffer[1024];

	cr_assert_eq(chain_message_decode(chain_message(buffer, &spec), &chain), 0);
	netfilter_judge(&state, &chain);
	return state;
}

Test(netfilter, chains_on_the_way_of_forwarded_packets)
{
	static const __u32 on[] = { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING };
	static const __u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET };

	for (int f = 0; f < 3; f++) {
		for (int h = 0; h < 3; h++)
			cr_expect(judge((struct spec){ families[f], on[h], 1, NF_ACCEPT, { NULL } }).rules);
		cr_expect(!judge((struct spec){ families[f], NF_INET_LOCAL_IN, 1, NF_DROP, { NULL } }).rules);
		cr_expect(
			!judge((struct spec){ families[f], NF_INET_LOCAL_OUT, 1, NF_DROP, { NULL } }).rules);
		cr_expect(
			!judge((struct spec){ families[f], NF_INET_FORWARD, 0, NF_ACCEPT, { NULL } }).rules);
		cr_expect(judge((struct spec){ families[f], NF_INET_FORWARD, 0, NF_DROP, { NULL } }).rules);
	}
	cr_expect(!judge((struct spec){ NFPROTO_BRIDGE, NF_INET_FORWARD, 1, NF_ACCEPT, { NULL } }).rules);
	cr_expect_str_eq(
		judge((struct spec){ NFPROTO_IPV4, NF_INET_FORWARD, 3, NF_DROP, { NULL } }).why_rules,
		"nftables chain 'ip filter FORWARD' has 3 rules and drops by policy");
}

Test(netfilter, rules_of_devices)
{
	struct netfilter_state state =
		judge((struct spec){ NFPROTO_NETDEV, NF_NETDEV_INGRESS, 1, NF_ACCEPT, { "eth0", "eth7" } });

	cr_expect(!state.rules);
	cr_expect(netfilter_on_device(&state, "eth0") && netfilter_on_device(&state, "eth7") &&
		  !netfilter_on_device(&state, "eth1"));
	state = judge((struct spec){ NFPROTO_INET, NF_INET_INGRESS, 1, NF_ACCEPT, { "eth0" } });
	cr_expect(!state.rules && netfilter_on_device(&state, "eth0"));
	/* What leaves there may have come in anywhere. */
	cr_expect(judge((struct spec){ NFPROTO_NETDEV, NF_NETDEV_EGRESS, 1, NF_ACCEPT, { "eth0" } }).rules);
}

/* --- iptables --- */

#define ENTRY (sizeof(struct ipt_entry) + sizeof(struct xt_standard_target))

static void put_entry(char *entries, unsigned index, int verdict)
{
	struct ipt_entry entry = { .target_offset = sizeof(struct ipt_entry), .next_offset = ENTRY };
	struct xt_standard_target target = { .verdict = verdict };

	memcpy(entries + index * ENTRY, &entry, sizeof(entry));
	memcpy(entries + index * ENTRY + sizeof(entry), &target, sizeof(target));
}

Test(netfilter, legacy_tables)
{
	/* The filter table: INPUT, FORWARD with `rules` before its policy, OUTPUT. */
	struct ipt_getinfo info = { .valid_hooks = 1 << NF_INET_LOCAL_IN | 1 << NF_INET_FORWARD |
						   1 << NF_INET_LOCAL_OUT,
				    .size = 4 * ENTRY };
	char entries[4 * ENTRY];
	unsigned hook;

	for (unsigned i = 0; i < 4; i++)
		put_entry(entries, i, -NF_ACCEPT - 1);
	info.hook_entry[NF_INET_FORWARD] = info.underflow[NF_INET_FORWARD] = ENTRY;
	info.hook_entry[NF_INET_LOCAL_OUT] = 2 * ENTRY;
	info.underflow[NF_INET_LOCAL_OUT] = 3 * ENTRY;
	cr_expect_eq(iptables_judge(AF_INET, &info, entries, &hook), 0);
	put_entry(entries, 1, -NF_DROP - 1);
	cr_expect_eq(iptables_judge(AF_INET, &info, entries, &hook), 1);
	cr_expect_eq(hook, NF_INET_FORWARD);
	info.underflow[NF_INET_FORWARD] = 2 * ENTRY;
	cr_expect_eq(iptables_judge(AF_INET, &info, NULL, &hook), 1);
	/* Offsets that lead out of the table. */
	info.hook_entry[NF_INET_FORWARD] = info.underflow[NF_INET_FORWARD] = 4 * ENTRY;
	cr_expect_eq(iptables_judge(AF_INET, &info, entries, &hook), -EBADMSG);
	info.hook_entry[NF_INET_FORWARD] = info.underflow[NF_INET_FORWARD] = 4 * ENTRY - 8;
	cr_expect_eq(iptables_judge(AF_INET, &info, entries, &hook), -EBADMSG);
	put_entry(entries, 1, 0);
	((struct ipt_entry *)(entries + ENTRY))->target_offset = 60000;
	info.hook_entry[NF_INET_FORWARD] = info.underflow[NF_INET_FORWARD] = ENTRY;
	cr_expect_eq(iptables_judge(AF_INET, &info, entries, &hook), -EBADMSG);
}

/* --- IPsec --- */

Test(netfilter, ipsec_policies)
{
	struct xfrmu_spdinfo counts = { .incnt = 5 };
	struct xfrm_userpolicy_default *policy;
	struct nlmsghdr *message;
	char buffer[256], why[NETFILTER_WHY];

	for (__u32 forward = 0; forward < 2; forward++) {
		counts.fwdcnt = forward;
		message = mnl_nlmsg_put_header(buffer);
		message->nlmsg_type = XFRM_MSG_NEWSPDINFO;
		mnl_nlmsg_put_extra_header(message, sizeof(__u32));
		mnl_attr_put(message, XFRMA_SPD_INFO, sizeof(counts), &counts);
		cr_expect_eq(xfrm_judge(message, why, sizeof(why)), (int)forward);
	}
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = XFRM_MSG_GETDEFAULT;
	policy = mnl_nlmsg_put_extra_header(message, sizeof(*policy));
	policy->fwd = XFRM_USERPOLICY_ACCEPT;
	cr_expect_eq(xfrm_judge(message, why, sizeof(why)), 0);
	policy->fwd = XFRM_USERPOLICY_BLOCK;
	cr_expect_eq(xfrm_judge(message, why, sizeof(why)), 1);
	message->nlmsg_len = NLMSG_HDRLEN;
	cr_expect_eq(xfrm_judge(message, why, sizeof(why)), -EBADMSG);
}
