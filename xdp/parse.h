// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Ethernet, up to two VLAN tags, IPv4 or IPv6. The only bounds checks of the project (rewrite.h repeats one
 * after it moved the front of a frame). Says whether Linux would take the packet for a sound one: what it
 * would refuse or trim is left to it.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>

#include "xdp/packet.h"
#include "xdp/route.h"
#include "xdp/target.h"
#include "xdp/words.h"

#define ETHER_HEADER     14
#define TAG_HEADER       4
#define IPV4_HEADER      20
#define IPV4_SOURCE      12 /* where in the header */
#define IPV4_DESTINATION 16
#define IPV6_HEADER      40
#define IPV6_SOURCE      8
#define IPV6_DESTINATION 24
#define ETHER_SHORTEST   60 /* without FCS; shorter payloads are padded */

static __always_inline bool is_tag(struct ethertype type)
{
	return type.be == swap16(ETH_P_8021Q) || type.be == swap16(ETH_P_8021AD);
}

/* Steps over one tag; *type becomes that of what follows. */
static __always_inline bool parse_tag(struct packet *packet, struct ethertype *type, __u32 *ret_tag)
{
	void *at = packet->ip - 2; /* the TPID */

	if (at + TAG_HEADER + 2 + IPV4_HEADER > packet->end)
		return false;
	*ret_tag = load32(at);
	type->be = load16(at + TAG_HEADER);
	packet->ip += TAG_HEADER;
	packet->tags++;
	return true;
}

static __always_inline enum reason parse_tags(struct packet *packet, struct ethertype *type)
{
	if (!parse_tag(packet, type, &packet->outer_tag))
		return REASON_TRUNCATED;
	if (!is_tag(*type))
		return REASON_FORWARDED;
	if (!parse_tag(packet, type, &packet->inner_tag))
		return REASON_TRUNCATED;
	return is_tag(*type) ? REASON_TAGS_TOO_DEEP : REASON_FORWARDED;
}

/*
 * Compares the IP length with the frame. Linux trims what follows the packet: padding of a shortest frame may
 * stay, a longer trailer is left to the kernel.
 */
static __always_inline enum reason parse_odd_length(struct target *target, struct packet *packet,
						    __u32 header, __u32 room)
{
	__u32 front = (unsigned long)packet->ip - (unsigned long)packet->data;
	__u32 frame = front + room;

	if (packet->length < header)
		return REASON_BAD_LENGTH;
	if (TARGET_BUFFERS && packet->length >= room) {
		frame = target_frame_length(target, packet);
		if (frame < front + packet->length)
			return REASON_BAD_LENGTH;
		if (frame == front + packet->length) {
			if (frame > front + room)
				packet->length |= PACKET_MANY;
			return REASON_FORWARDED;
		}
	}
	return frame > ETHER_SHORTEST ? REASON_TRAILER : REASON_FORWARDED;
}

static __always_inline enum reason parse_length(struct target *target, struct packet *packet, __u32 header)
{
	__u32 room = (unsigned long)packet->end - (unsigned long)packet->ip;

	if (likely(packet->length == room && (!TARGET_BUFFERS || room < BUFFER_LEAST)))
		return REASON_FORWARDED;
	if (!TARGET_BUFFERS && packet->length > room)
		return REASON_BAD_LENGTH;
	return parse_odd_length(target, packet, header, room);
}

/* Five words add up to less than 2^35: two rounds leave 16 bits, 0xffff where the checksum is right. */
static __always_inline __u32 fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* What the later stages want of the header. */
static __always_inline void parse_words4(struct packet *packet)
{
	packet->ttl_word = load32(packet->ip + 8);
	packet->source4_be = load32(packet->ip + 12);
	packet->destination4_be = load32(packet->ip + 16);
}

static __always_inline void parse_words6(struct packet *packet)
{
	const void *source = packet->ip + IPV6_SOURCE, *destination = packet->ip + IPV6_DESTINATION;

	packet->source6 = route_key6(load64(source), load64(source + 8));
	packet->destination6 = route_key6(load64(destination), load64(destination + 8));
}

static __always_inline __u8 parse_hop_limit(const struct packet *packet)
{
	return *((const __u8 *)packet->ip + 7);
}

/* All but the length. The link header's parser has made sure of the bytes. */
static __always_inline enum reason parse_header4(struct packet *packet)
{
	void *ip = packet->ip;
	__u32 first;

	first = load32(ip); /* {version:4 | ihl:4, tos, length_be} */
	if (unlikely((first & 0xff) != 0x45)) {
		if ((first & 0xf0) != 0x40)
			return REASON_BAD_VERSION;
		return (first & 0x0f) < 5 ? REASON_BAD_HEADER_LENGTH : REASON_OPTIONS;
	}
	parse_words4(packet);
	if (unlikely(fold((__u64)first + load32(ip + 4) + packet->ttl_word + packet->source4_be +
			  packet->destination4_be) != 0xffff))
		return REASON_BAD_CHECKSUM;
	packet->length = swap16(first >> 16);
	packet->family = IPV4;
	return REASON_FORWARDED;
}

static __always_inline enum reason parse_ipv4(struct target *target, struct packet *packet)
{
	enum reason reason = parse_header4(packet);

	return reason ? reason : parse_length(target, packet, IPV4_HEADER);
}

static __always_inline enum reason parse_header6(struct packet *packet)
{
	void *ip = packet->ip;
	__u32 second;

	if (ip + IPV6_HEADER > packet->end)
		return REASON_TRUNCATED;
	if (unlikely((*(__u8 *)ip & 0xf0) != 0x60))
		return REASON_BAD_VERSION;
	second = load32(ip + 4); /* {payload length_be, next header, hop limit} */
	if (unlikely((second >> 16 & 0xff) == IPPROTO_HOPOPTS))
		return REASON_OPTIONS;
	packet->ttl_word = second >> 24;
	packet->length = swap16(second) + IPV6_HEADER;
	if (unlikely(packet->length >= PACKET_MANY))
		return REASON_BAD_LENGTH; /* no frame is that long */
	parse_words6(packet);
	packet->family = IPV6;
	return REASON_FORWARDED;
}

static __always_inline enum reason parse_ipv6(struct target *target, struct packet *packet)
{
	enum reason reason = parse_header6(packet);

	return reason ? reason : parse_length(target, packet, IPV6_HEADER);
}

/* Expects packet->data and ->end. */
static __always_inline enum reason parse_ethernet(struct packet *packet, struct ethertype *type)
{
	packet->tags = 0;
	packet->outer_tag = packet->inner_tag = 0;
	/* no IP packet is shorter */
	if (packet->data + ETHER_HEADER + IPV4_HEADER > packet->end)
		return REASON_TRUNCATED;
	type->be = load16(packet->data + ETHER_HEADER - 2);
	packet->ip = packet->data + ETHER_HEADER;
	return REASON_FORWARDED;
}

/* For who has kept only the IP header of a packet: packet->data and ->end are there again. */
static __always_inline bool parse_again(const struct packet *packet)
{
	return packet->data + ETHER_HEADER <= packet->end;
}
