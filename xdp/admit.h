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

/* The sub-interface that the tag leads to in the device's VLAN tables; 0 where there is none. */
static __always_inline __u32 admit_sub(struct target *target, __u32 customer, __u32 service, __u32 tag)
{
	__u32 table = (tag & 0xffff) == swap16(ETH_P_8021AD) ? service : customer;
	__u32 vid = swap16(tag >> 16) & 0xfff;

	return table ? target_vlan(target, table * 4096 + vid) : 0;
}

/* One tag upwards. */
static __always_inline void admit_tag(struct target *target, struct packet *packet, __u32 tag)
{
	packet->in_index = admit_sub(target, packet->in->vlan[0], packet->in->vlan[1], tag);
	packet->in = target_interface(target, packet->in_index);
}

/* The interface that the tags lead to, from the port upwards. */
static __always_inline enum reason admit_interface(struct target *target, struct packet *packet)
{
	packet->in_index = target_port(target) + 1;
	packet->in = target_ingress(target);
	if (likely(!packet->tags))
		return REASON_FORWARDED;
	admit_tag(target, packet, packet->outer_tag);
	if (packet->tags > 1)
		admit_tag(target, packet, packet->inner_tag);
	return packet->in_index ? REASON_FORWARDED : REASON_TAG_UNKNOWN;
}

/* Whether anything may be forwarded at all: the tables are complete, and somebody keeps them fresh. */
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

/* Forwarding is off; the host also clears the switch where the interface is held in the kernel. */
static __always_inline enum reason admit_closed(const struct image_interface *in)
{
	if (!in->ifindex)
		return REASON_INTERFACE_UNKNOWN;
	return in->punt ? in->punt : REASON_FORWARDING_OFF;
}

/* What the next hop of the route to the source says about it. */
static __always_inline enum reason admit_source(const struct packet *packet,
						const struct image_nexthop *nexthop)
{
	if (nexthop->reason == REASON_LOCAL || nexthop->reason == REASON_BROADCAST)
		return REASON_MARTIAN_SOURCE;
	/* It may be an address of ours that found no room. */
	if (nexthop->reason == REASON_TABLE_FULL)
		return REASON_TABLE_FULL;
	if (!(packet->in->flags & (INTERFACE_RPF_STRICT | INTERFACE_RPF_LOOSE)))
		return REASON_FORWARDED;
	return admit_reverse(packet, nexthop) ? REASON_FORWARDED : REASON_RPF;
}

/* Looks the source up, where its address may be our own or rp_filter is on. */
static __always_inline enum reason admit_source_route(struct target *target, const struct packet *packet)
{
	const struct image_vrf *vrf = target_vrf(target, packet->in->vrf);
	__u32 leaf = route_leaf(target, vrf, IPV4, route_key4(packet->source4_be), 32);

	return admit_source(packet, target_nexthop(target, leaf));
}

/* *ret_look: the source must be looked up, too. */
static __always_inline enum reason admit_header4(struct target *target, const struct packet *packet,
						 bool *ret_look)
{
	__u16 switches = INTERFACE_FORWARD4 | INTERFACE_RPF_STRICT | INTERFACE_RPF_LOOSE;
	__u8 top = packet->source4_be;

	*ret_look = false;
	if (unlikely((packet->ttl_word & 0xff) <= 1))
		return REASON_TTL;
	/* 0/8, 127/8, multicast and above */
	if (unlikely((__u8)(top - 1) >= 223 || top == 127))
		return REASON_MARTIAN_SOURCE;
	if (likely((packet->in->flags & switches) == INTERFACE_FORWARD4 &&
		   !target_own(target, own_slot(packet->source4_be))))
		return REASON_FORWARDED;
	if (!(packet->in->flags & INTERFACE_FORWARD4))
		return admit_closed(packet->in);
	*ret_look = true;
	return REASON_FORWARDED;
}

static __always_inline enum reason admit_ipv4(struct target *target, const struct packet *packet)
{
	bool look;
	enum reason reason = admit_header4(target, packet, &look);

	return look ? admit_source_route(target, packet) : reason;
}

static __always_inline enum reason admit_ipv6(const struct packet *packet)
{
	__u64 front = packet->source6.high;
	__u32 top = front >> 32;

	if (unlikely(!(packet->in->flags & INTERFACE_FORWARD6)))
		return admit_closed(packet->in);
	if (unlikely(packet->ttl_word <= 1))
		return REASON_TTL;
	/* unspecified, loopback, v4-mapped and their kin; link-local; multicast */
	if (unlikely(front == 0 || top >= 0xff000000 || top >> 22 == 0xfe80 >> 6))
		return REASON_MARTIAN_SOURCE;
	return REASON_FORWARDED;
}

static __always_inline enum reason admit(struct target *target, struct packet *packet)
{
	enum reason reason;

	reason = admit_interface(target, packet);
	if (unlikely(reason))
		return reason;
	reason = admit_station(packet);
	if (unlikely(reason))
		return reason;
	return packet->family == IPV4 ? admit_ipv4(target, packet) : admit_ipv6(packet);
}
