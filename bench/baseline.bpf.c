// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Comparison routers. All do the least that a router must: read the headers behind a bounds check, look at
// version, header length and TTL, count TTL or hop limit down, mend the IPv4 checksum, write the MACs, send.
// They differ in how they find the next hop. What they cannot forward they pass to the kernel.

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench/baseline_layout.h"

#ifndef AF_INET
#define AF_INET  2
#define AF_INET6 10
#endif

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, BASELINE_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, BASELINE_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct baseline_key4);
	__type(value, __u32);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, BASELINE_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct baseline_key6);
	__type(value, __u32);
} prefixes6 SEC(".maps");

// Set by the owner before loading.
const volatile __u32 out_port;
const volatile union baseline_macs gateway_macs[BASELINE_GATEWAYS];

struct packet {
	struct ethhdr *ethernet;
	struct iphdr *ip4;   // or
	struct ipv6hdr *ip6; // the other one is NULL
};

// Is it a packet that may be forwarded?
static __always_inline bool parse(struct xdp_md *ctx, struct packet *packet)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	packet->ethernet = data;
	packet->ip4 = data + sizeof(struct ethhdr);
	packet->ip6 = data + sizeof(struct ethhdr);
	if ((void *)(packet->ip4 + 1) > end)
		return false;
	if (packet->ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		packet->ip6 = NULL;
		return packet->ip4->version == 4 && packet->ip4->ihl == 5 && packet->ip4->ttl > 1;
	}
	packet->ip4 = NULL;
	return packet->ethernet->h_proto == bpf_htons(ETH_P_IPV6) && (void *)(packet->ip6 + 1) <= end &&
	       packet->ip6->version == 6 && packet->ip6->hop_limit > 1;
}

static __always_inline void age(struct packet *packet)
{
	__u32 check;

	if (!packet->ip4) {
		packet->ip6->hop_limit--;
		return;
	}
	check = packet->ip4->check + bpf_htons(0x0100);
	packet->ip4->check = check + (check >= 0xffff);
	packet->ip4->ttl--;
}

static __always_inline int send(struct packet *packet, __u32 gateway)
{
	const volatile union baseline_macs *macs = &gateway_macs[gateway % BASELINE_GATEWAYS];

	age(packet);
	*(__u64 *)packet->ethernet = macs->words[0];
	*(__u32 *)((void *)packet->ethernet + 8) = *(const volatile __u32 *)&macs->bytes[8];
	return bpf_redirect_map(&ports, out_port, 0);
}

SEC("xdp.frags")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp.frags")
int nolookup(struct xdp_md *ctx)
{
	struct packet packet;

	if (!parse(ctx, &packet))
		return XDP_PASS;
	return send(&packet, 0);
}

SEC("xdp.frags")
int lpmtrie(struct xdp_md *ctx)
{
	struct packet packet;
	__u32 *gateway;

	if (!parse(ctx, &packet))
		return XDP_PASS;
	if (packet.ip4) {
		struct baseline_key4 key = { .length = 32 };

		__builtin_memcpy(key.address, &packet.ip4->daddr, 4);
		gateway = bpf_map_lookup_elem(&prefixes4, &key);
	} else {
		struct baseline_key6 key = { .length = 128 };

		__builtin_memcpy(key.address, &packet.ip6->daddr, 16);
		gateway = bpf_map_lookup_elem(&prefixes6, &key);
	}
	if (!gateway)
		return XDP_PASS;
	return send(&packet, *gateway);
}

// As xdp-forward does it in its full mode: routing rules, table, next hop and neighbour, all from the kernel.
SEC("xdp.frags")
int fiblookup(struct xdp_md *ctx)
{
	struct bpf_fib_lookup fib = { .ifindex = ctx->ingress_ifindex };
	struct packet packet;

	if (!parse(ctx, &packet))
		return XDP_PASS;
	if (packet.ip4) {
		fib.family = AF_INET;
		fib.tos = packet.ip4->tos;
		fib.l4_protocol = packet.ip4->protocol;
		fib.tot_len = bpf_ntohs(packet.ip4->tot_len);
		fib.ipv4_src = packet.ip4->saddr;
		fib.ipv4_dst = packet.ip4->daddr;
	} else {
		fib.family = AF_INET6;
		fib.flowinfo = *(__be32 *)packet.ip6 & bpf_htonl(0x0fffffff);
		fib.l4_protocol = packet.ip6->nexthdr;
		fib.tot_len = bpf_ntohs(packet.ip6->payload_len);
		__builtin_memcpy(fib.ipv6_src, &packet.ip6->saddr, 16);
		__builtin_memcpy(fib.ipv6_dst, &packet.ip6->daddr, 16);
	}
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	age(&packet);
	__builtin_memcpy(packet.ethernet->h_dest, fib.dmac, ETH_ALEN);
	__builtin_memcpy(packet.ethernet->h_source, fib.smac, ETH_ALEN);
	return bpf_redirect_map(&ports, fib.ifindex, 0);
}

char licence[] SEC("license") = "Dual BSD/GPL";
