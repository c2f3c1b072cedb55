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

/* The first four bytes after the IP header where they are ports, else 0. */
static __always_inline __u32 flow_ports(const struct packet *packet)
{
	const void *ports = packet->ip + (packet->family == IPV4 ? IPV4_HEADER : IPV6_HEADER);

	if (packet->fragment)
		return 0;
	if (packet->protocol.number != IPPROTO_TCP && packet->protocol.number != IPPROTO_UDP)
		return 0;
	return ports + 4 > packet->end ? 0 : load32(ports);
}

static __always_inline __u32 flow_hash(const struct image_control *control, const struct packet *packet)
{
	const __u32 *key = control->hash_key;
	__u32 protocol = packet->fragment ? 0 : packet->protocol.number;
	__u32 a = packet->source.high >> 32 ^ key[0];
	__u32 b = packet->destination.high >> 32 ^ key[1];

	if (packet->family == IPV6) {
		a ^= hash_mix(packet->source.high ^ key[2], packet->source.low >> 32 ^ key[3]);
		a ^= hash_mix(packet->source.low ^ key[1], packet->source.high ^ key[0]);
		b ^= hash_mix(packet->destination.high ^ key[3], packet->destination.low >> 32 ^ key[2]);
		b ^= hash_mix(packet->destination.low ^ key[0], packet->destination.high ^ key[1]);
	}
	a ^= hash_mix(a, b ^ protocol);
	b = flow_ports(packet) ^ key[2];
	a ^= hash_mix(b, a ^ key[3]);
	/* a last round: the low bits pick the bucket */
	return hash_mix(a ^ a >> 15, 0x9e3779b1) ^ b;
}

static __always_inline const struct image_nexthop *nexthop_member(struct target *target,
								  const struct packet *packet)
{
	const struct image_nexthop *group = packet->nexthop;
	__u32 bucket = flow_hash(target_control(target), packet) & group->bucket_mask;

	return target_nexthop(target, target_bucket(target, group->bucket + bucket));
}

static __always_inline enum reason nexthop(struct target *target, struct packet *packet)
{
	const struct image_nexthop *nexthop = packet->nexthop;

	if (unlikely(nexthop->kind == NEXTHOP_GROUP)) {
		nexthop = nexthop_member(target, packet);
		packet->nexthop = nexthop;
	}
	if (unlikely(nexthop->kind != NEXTHOP_FORWARD))
		return nexthop->reason;
	if (unlikely(!target_reaches(target, nexthop->port)))
		return REASON_EGRESS_BEYOND;
	/* Linux answers IPv6 with a redirect whatever the sysctl says */
	if (unlikely(nexthop->interface == packet->in_index) &&
	    (packet->family == IPV6 || packet->in->flags & INTERFACE_REDIRECTS))
		return REASON_SAME_INTERFACE;
	if (unlikely(packet->length > nexthop->mtu))
		return REASON_TOO_BIG;
	if (unlikely(packet->many) && !(nexthop->flags & NEXTHOP_FRAMES))
		return REASON_MULTI_BUFFER;
	return REASON_FORWARDED;
}
