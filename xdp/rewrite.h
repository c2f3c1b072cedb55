// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Makes the frame that leaves: TTL or hop limit less one, the checksum corrected as Linux does it, link
 * addresses, VLAN tags of the egress interface in place of those of the ingress.
 */
#pragma once

#include "xdp/packet.h"
#include "xdp/parse.h"
#include "xdp/target.h"

/*
 * RFC 1624 with the carry as the kernel's ip_decrease_ttl() has it: the checksum grows by 0x0100 in network
 * order, which is 1 in ours, and by one more where it reaches 0xffff. In the word {ttl, protocol, checksum}
 * that is one addition; what overflows the top falls off.
 */
static __always_inline void rewrite_ttl(struct packet *packet)
{
	if (packet->family == IPV4) {
		__u32 word = packet->ttl_word + 0x10000 - 1;

		if (packet->ttl_word >= 0xfffe0000)
			word += 0x10000;
		store32(packet->ip + 8, word);
	} else {
		*((__u8 *)packet->ip + 7) = packet->ttl_word - 1;
	}
}

/*
 * Tags on one side at least: moves the front of the frame where their number differs, writes the egress
 * interface's tags and the ethertype. packet->ip follows. A failure leaves the frame as it came.
 */
static __always_inline enum reason rewrite_tags(struct target *target, struct packet *packet)
{
	const struct image_nexthop *nexthop = packet->nexthop;
	int grow = (nexthop->tags - packet->tags) * TAG_HEADER;
	void *at;

	if (grow && !target_grow(target, packet, grow))
		return REASON_NO_HEADROOM;
	at = packet->data + ETHER_HEADER - 2;
	/* the front may have moved: the bounds must be shown again, though they hold */
	if (at + 2 * TAG_HEADER > packet->end)
		return REASON_TRUNCATED;
	if (nexthop->tags) {
		store32(at, nexthop->tag[0]);
		at += TAG_HEADER;
	}
	if (nexthop->tags > 1) {
		store32(at, nexthop->tag[1]);
		at += TAG_HEADER;
	}
	if (at + 2 + IPV4_HEADER > packet->end)
		return REASON_TRUNCATED;
	store16(at, packet->family == IPV4 ? swap16(ETH_P_IP) : swap16(ETH_P_IPV6));
	packet->ip = at + 2;
	return REASON_FORWARDED;
}

static __always_inline void rewrite_link(struct packet *packet)
{
	store64(packet->data, packet->nexthop->mac0);
	store32(packet->data + 8, packet->nexthop->mac1);
}

static __always_inline enum reason rewrite(struct target *target, struct packet *packet)
{
	const struct image_nexthop *nexthop = packet->nexthop;

	if (unlikely(nexthop->tags | packet->tags)) {
		enum reason reason = rewrite_tags(target, packet);

		if (reason)
			return reason;
	}
	rewrite_ttl(packet);
	rewrite_link(packet);
	return REASON_FORWARDED;
}
