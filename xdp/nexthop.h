// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * From the leaf to the adjacency: the VRF's default, ECMP, and what still keeps the packet from leaving.
 *
 * ECMP. A keyed hash of the flow picks a bucket; the host fills the buckets by weight and, when a member
 * goes, gives only that member's buckets to others, so that no other flow moves. Fragments hash by addresses
 * only, all of a flow's packets alike. The hash multiplies 32-bit words, which every target can do.
 */
#pragma once

#include "xdp/packet.h"
#include "xdp/parse.h"
#include "xdp/target.h"

static __always_inline __u32 hash_mix(__u32 a, __u32 b)
{
	__u64 product = (__u64)a * b;

	return (__u32)product ^ (__u32)(product >> 32);
}

struct flow {
	__u32 protocol; /* 0 for fragments */
	__u32 ports;    /* the first four bytes after the IP header where they are ports, else 0 */
};

static __always_inline struct flow flow_of(const struct packet *packet)
{
	const void *ports = packet->ip + (packet->family == IPV4 ? IPV4_HEADER : IPV6_HEADER);
	struct protocol protocol;
	struct flow flow = { 0 };

	if (packet->family == IPV4) {
		/* an offset, or "more fragments" */
		if (load16(packet->ip + 6) & swap16(0x3fff))
			return flow;
		protocol.number = packet->ttl_word >> 8;
	} else {
		protocol.number = *(const __u8 *)(packet->ip + 6);
		if (protocol.number == IPPROTO_FRAGMENT)
			return flow;
	}
	flow.protocol = protocol.number;
	if ((protocol.number == IPPROTO_TCP || protocol.number == IPPROTO_UDP) && ports + 4 <= packet->end)
		flow.ports = load32(ports);
	return flow;
}

/* An address as one word. */
static __always_inline __u32 flow_fold(struct route_key address, const __u32 *key)
{
	__u32 word = address.high >> 32 ^ key[0];

	word ^= hash_mix(address.high ^ key[2], address.low >> 32 ^ key[3]);
	return word ^ hash_mix(address.low ^ key[1], address.high ^ key[0]);
}

/* a, b: a word each for source and destination. */
static __always_inline __u32 flow_mix(const __u32 *key, struct flow flow, __u32 a, __u32 b)
{
	a ^= hash_mix(a, b ^ flow.protocol);
	b = flow.ports ^ key[2];
	a ^= hash_mix(b, a ^ key[3]);
	/* a last round: the low bits pick the bucket */
	return hash_mix(a ^ a >> 15, 0x9e3779b1) ^ b;
}

static __always_inline __u32 flow_hash(const struct image_control *control, const struct packet *packet)
{
	const __u32 *key = control->hash_key;
	struct flow flow = flow_of(packet);

	if (packet->family == IPV4)
		return flow_mix(key, flow, packet->source4_be ^ key[0], packet->destination4_be ^ key[1]);
	return flow_mix(key, flow, flow_fold(packet->source6, key),
			flow_fold(packet->destination6, key) ^ key[1]);
}

/* The id of the group's member that the flow takes. */
static __always_inline __u32 nexthop_member(struct target *target, const struct packet *packet,
					    const struct image_nexthop *group)
{
	__u32 bucket = flow_hash(target_control(target), packet) & group->bucket_mask;

	return target_bucket(target, group->bucket + bucket);
}

/* Why what is no adjacency does not forward. */
static __always_inline enum reason nexthop_refusal(const struct image_nexthop *nexthop)
{
	return nexthop->reason ? nexthop->reason : REASON_NO_ROUTE;
}

/* Longer than the MTU, or in several buffers. */
static __always_inline enum reason nexthop_size(const struct packet *packet,
						const struct image_nexthop *nexthop)
{
	if (!TARGET_BUFFERS || (packet->length & ~PACKET_MANY) > nexthop->mtu)
		return REASON_TOO_BIG;
	return nexthop->flags & NEXTHOP_FRAMES ? REASON_FORWARDED : REASON_MULTI_BUFFER;
}

/* Whether the packet may leave by this adjacency. */
static __always_inline enum reason nexthop_fits(struct target *target, const struct packet *packet)
{
	const struct image_nexthop *nexthop = packet->nexthop;

	if (unlikely(!target_reaches(target, nexthop->port)))
		return REASON_EGRESS_BEYOND;
	/* Linux answers IPv6 with a redirect whatever the sysctl says */
	if (unlikely(nexthop->interface == packet->in_index) &&
	    (packet->family == IPV6 || packet->in->flags & INTERFACE_REDIRECTS))
		return REASON_SAME_INTERFACE;
	if (unlikely(packet->length > nexthop->mtu))
		return nexthop_size(packet, nexthop);
	return REASON_FORWARDED;
}

static __always_inline enum reason nexthop(struct target *target, struct packet *packet)
{
	if (unlikely(packet->nexthop->kind != NEXTHOP_FORWARD)) {
		if (packet->nexthop->kind != NEXTHOP_GROUP)
			return nexthop_refusal(packet->nexthop);
		packet->nexthop = target_nexthop(target, nexthop_member(target, packet, packet->nexthop));
		if (packet->nexthop->kind != NEXTHOP_FORWARD)
			return nexthop_refusal(packet->nexthop);
	}
	return nexthop_fits(target, packet);
}
