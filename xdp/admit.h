// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Is the packet ours to forward? Interface by (port, tags), the tables' age, link address, forwarding
 * switch, TTL, source address. Destinations that are never forwarded are routes of the image.
 */
#pragma once

#include "xdp/packet.h"
#include "xdp/parse.h"
#include "xdp/route.h"
#include "xdp/target.h"

/* One tag upwards: from a device to its sub-interface; 0 where there is none. */
static __always_inline void admit_tag(struct target *target, struct packet *packet, __u32 tag)
{
	bool service = (tag & 0xffff) == swap16(ETH_P_8021AD);
	__u32 table = packet->in->vlan[service];
	__u32 vid = swap16(tag >> 16) & 0xfff;

	packet->in_index = table ? target_vlan(target, table * 4096 + vid) : 0;
	packet->in = target_interface(target, packet->in_index);
}

/* The interface that the tags lead to, from the port upwards. */
static __always_inline enum reason admit_interface(struct target *target, struct packet *packet)
{
	packet->in_index = target_port(target) + 1;
	packet->in = target_interface(target, packet->in_index);
	if (likely(!packet->tags))
		return REASON_FORWARDED;
	admit_tag(target, packet, packet->outer_tag);
	if (packet->tags > 1)
		admit_tag(target, packet, packet->inner_tag);
	return packet->in_index ? REASON_FORWARDED : REASON_TAG_UNKNOWN;
}

/* Nobody refreshed the tables in time, or they are not complete yet. */
static __always_inline enum reason admit_tables(struct target *target)
{
	const struct image_control *control = target_control(target);

	if (unlikely(control->held))
		return REASON_HELD;
#if TARGET_HAS_CLOCK
	if (unlikely(target_clock(target) > control->deadline))
		return REASON_STALE;
#endif
	return REASON_FORWARDED;
}

/* The destination address of the frame is the interface's own. */
static __always_inline enum reason admit_station(const struct packet *packet)
{
	__u64 front = load64(packet->data);

	if (likely(((front ^ packet->in->mac) << 16) == 0))
		return REASON_FORWARDED;
	return front & 1 ? REASON_LINK_MULTICAST : REASON_NOT_FOR_US;
}

/* Whether rp_filter, strict or loose, lets a source with this next hop come in here. */
static __always_inline bool admit_reverse(const struct packet *packet, const struct image_nexthop *nexthop)
{
	if (!(nexthop->flags & NEXTHOP_UNICAST))
		return false;
	if (!(packet->in->flags & INTERFACE_RPF_STRICT))
		return true;
	if (nexthop->kind != NEXTHOP_GROUP)
		return nexthop->interface == packet->in_index;
	for (int i = 0; i < NEXTHOP_RPF; i++)
		if (nexthop->rpf[i] == packet->in_index)
			return true;
	return false;
}

/* Looks the source up, where its address may be our own or rp_filter is on. */
static __always_inline enum reason admit_source_route(struct target *target, const struct packet *packet)
{
	const struct image_vrf *vrf = target_vrf(target, packet->in->vrf);
	__u32 leaf = route_find(target, vrf->root[IPV4], packet->source, 32);
	const struct image_nexthop *nexthop = target_nexthop(target, leaf ? leaf : vrf->fallback[IPV4]);

	if (nexthop->reason == REASON_LOCAL || nexthop->reason == REASON_BROADCAST)
		return REASON_MARTIAN_SOURCE;
	if (!(packet->in->flags & (INTERFACE_RPF_STRICT | INTERFACE_RPF_LOOSE)))
		return REASON_FORWARDED;
	return admit_reverse(packet, nexthop) ? REASON_FORWARDED : REASON_RPF;
}

static __always_inline enum reason admit_ipv4(struct target *target, const struct packet *packet)
{
	__u32 source = packet->source.high >> 32;
	__u32 bit = own_bit(source);
	__u8 top = source >> 24;

	if (unlikely((packet->ttl_word & 0xff) <= 1))
		return REASON_TTL;
	/* 0/8, 127/8, multicast and above */
	if (unlikely((__u8)(top - 1) >= 223 || top == 127))
		return REASON_MARTIAN_SOURCE;
	if (unlikely(packet->in->flags & (INTERFACE_RPF_STRICT | INTERFACE_RPF_LOOSE) ||
		     target_own(target, bit / 64) >> (bit % 64) & 1))
		return admit_source_route(target, packet);
	return REASON_FORWARDED;
}

static __always_inline enum reason admit_ipv6(const struct packet *packet)
{
	__u64 front = packet->source.high;

	if (unlikely(packet->ttl_word <= 1))
		return REASON_TTL;
	/* unspecified, loopback, v4-mapped and their kin; link-local; multicast */
	if (unlikely(front == 0 || front >> 54 == 0xfe80 >> 6 || front >> 56 == 0xff))
		return REASON_MARTIAN_SOURCE;
	return REASON_FORWARDED;
}

static __always_inline enum reason admit(struct target *target, struct packet *packet)
{
	__u16 forward = packet->family == IPV4 ? INTERFACE_FORWARD4 : INTERFACE_FORWARD6;
	enum reason reason;

	reason = admit_interface(target, packet);
	if (reason)
		return reason;
	reason = admit_tables(target);
	if (reason)
		return reason;
	reason = admit_station(packet);
	if (reason)
		return reason;
	/* the host clears the switch where .punt is set */
	if (unlikely(!(packet->in->flags & forward))) {
		if (!packet->in->ifindex)
			return REASON_INTERFACE_UNKNOWN;
		return packet->in->punt ? packet->in->punt : REASON_FORWARDING_OFF;
	}
	return packet->family == IPV4 ? admit_ipv4(target, packet) : admit_ipv6(packet);
}
