// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The packet's way: admit_tables(), then for each packet, with packet->data and ->end set, pipeline(). Each
 * stage answers FORWARDED (0: go on) or the reason why the packet goes no further; a packet that goes no
 * further has not been touched. An engine that works on bursts calls the stages itself, one over the whole
 * burst at a time.
 */
#pragma once

#include "xdp/admit.h"
#include "xdp/nexthop.h"
#include "xdp/packet.h"
#include "xdp/parse.h"
#include "xdp/rewrite.h"
#include "xdp/route.h"
#include "xdp/target.h"

/* Longest prefix match; what matches nothing goes by the VRF's default route. */
static __always_inline enum reason route(struct target *target, struct packet *packet)
{
	const struct image_vrf *vrf = target_vrf(target, packet->in->vrf);
	const int width = packet->family == IPV4 ? 32 : 128;
	struct route_key destination =
		packet->family == IPV4 ? route_key4(packet->destination4_be) : packet->destination6;

	packet->leaf = route_leaf(target, vrf, packet->family, destination, width);
	packet->nexthop = target_nexthop(target, packet->leaf);
	return REASON_FORWARDED;
}

/* From behind the link header to the egress; nothing is changed yet. The family is a constant here, so that
 * each gets straight code. */
static __always_inline enum reason pipeline_egress(struct target *target, struct packet *packet,
						   const enum family family)
{
	enum reason reason;

	reason = family == IPV4 ? parse_ipv4(target, packet) : parse_ipv6(target, packet);
	if (unlikely(reason))
		return reason;
	reason = admit(target, packet);
	if (unlikely(reason))
		return reason;
	reason = route(target, packet);
	if (unlikely(reason))
		return reason;
	return nexthop(target, packet);
}

static __always_inline enum reason pipeline_ip(struct target *target, struct packet *packet,
					       const enum family family)
{
	enum reason reason = pipeline_egress(target, packet, family);

	return unlikely(reason) ? reason : rewrite(target, packet);
}

static __always_inline enum reason pipeline_type(struct target *target, struct packet *packet,
						 struct ethertype type)
{
	if (likely(type.be == swap16(ETH_P_IP)))
		return pipeline_ip(target, packet, IPV4);
	if (likely(type.be == swap16(ETH_P_IPV6)))
		return pipeline_ip(target, packet, IPV6);
	return REASON_NOT_IP;
}

/* A frame whose ethertype is a tag's. */
static __always_inline enum reason pipeline_tagged(struct target *target, struct packet *packet,
						   struct ethertype type)
{
	enum reason reason = parse_tags(packet, &type);

	return reason ? reason : pipeline_type(target, packet, type);
}

/* All of it for one packet. */
static __always_inline enum reason pipeline(struct target *target, struct packet *packet)
{
	struct ethertype type;
	enum reason reason = parse_ethernet(packet, &type);

	if (reason)
		return reason;
	return is_tag(type) ? pipeline_tagged(target, packet, type) : pipeline_type(target, packet, type);
}

/* What the reason means: forward, punt or drop. */
static __always_inline struct verdict verdict(enum reason reason, const struct packet *packet)
{
	struct verdict result = { .action = ACTION_PUNT, .reason = reason };

	if (reason == REASON_FORWARDED) {
		result.action = ACTION_FORWARD;
		result.port = packet->nexthop->port;
	} else if (reason == REASON_BLACKHOLE) {
		result.action = ACTION_DROP;
	}
	return result;
}
