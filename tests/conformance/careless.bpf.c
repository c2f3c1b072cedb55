// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A router as it is often written: bpf_fib_lookup and off it goes, without a look at the source, the
 * checksum, the lengths, the station the frame is for. The twin test must find it out.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET  2
#define AF_INET6 10

static __always_inline int send_on(struct xdp_md *context, struct ethhdr *ethernet,
				   struct bpf_fib_lookup *lookup)
{
	__builtin_memcpy(ethernet->h_dest, lookup->dmac, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, lookup->smac, ETH_ALEN);
	return bpf_redirect(lookup->ifindex, 0);
}

static __always_inline int forward4(struct xdp_md *context, struct ethhdr *ethernet, void *end)
{
	struct bpf_fib_lookup lookup = { .family = AF_INET, .ifindex = context->ingress_ifindex };
	struct iphdr *ip = (void *)(ethernet + 1);
	__u32 sum;

	if ((void *)(ip + 1) > end || ip->ttl <= 1)
		return XDP_PASS;
	lookup.ipv4_src = ip->saddr;
	lookup.ipv4_dst = ip->daddr;
	if (bpf_fib_lookup(context, &lookup, sizeof(lookup), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	sum = ip->check + bpf_htons(0x0100);
	ip->check = sum + (sum >= 0xffff);
	ip->ttl--;
	return send_on(context, ethernet, &lookup);
}

static __always_inline int forward6(struct xdp_md *context, struct ethhdr *ethernet, void *end)
{
	struct bpf_fib_lookup lookup = { .family = AF_INET6, .ifindex = context->ingress_ifindex };
	struct ipv6hdr *ip = (void *)(ethernet + 1);

	if ((void *)(ip + 1) > end || ip->hop_limit <= 1)
		return XDP_PASS;
	__builtin_memcpy(lookup.ipv6_src, &ip->saddr, 16);
	__builtin_memcpy(lookup.ipv6_dst, &ip->daddr, 16);
	if (bpf_fib_lookup(context, &lookup, sizeof(lookup), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	ip->hop_limit--;
	return send_on(context, ethernet, &lookup);
}

SEC("xdp")
int careless(struct xdp_md *context)
{
	void *end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = (void *)(long)context->data;

	if ((void *)(ethernet + 1) > end)
		return XDP_PASS;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return forward4(context, ethernet, end);
	if (ethernet->h_proto == bpf_htons(ETH_P_IPV6))
		return forward6(context, ethernet, end);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
