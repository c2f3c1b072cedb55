// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program on the NIC. It returns XDP_TX for what leaves by its own port, XDP_DROP for blackholes
 * and XDP_PASS for all else, which the tier behind the card then forwards. There is no way to say REDIRECT
 * here: the card would drop it silently.
 *
 * The stages are those of xdp/pipeline.h in the same order; they are put together for a small code store:
 *
 *   - One way for both families, tagged or not.
 *   - The translator makes one or two instructions of an access to the first 64 bytes of a stack frame, seven
 *     of any other, and a function that is called has 28 of these bytes. Hence functions whose few arguments
 *     stay in registers, and words of the packet that are read again after a lookup rather than kept.
 */
#include "offload/target_nfp.h"

enum nfp_action { NFP_DROP = XDP_DROP, NFP_PASS = XDP_PASS, NFP_TX = XDP_TX };

#include "xdp/pipeline.h"

/* flow_fold() of an IPv6 address in the packet. */
static __noinline __u32 nfp_fold(const void *address, const __u32 *key)
{
	return flow_fold(route_key6(load64(address), load64(address + 8)), key);
}

/* flow_hash() of a packet whose IP header is all there. */
static __noinline __u32 nfp_hash(const struct image_control *control, void *ip, void *end, enum family family)
{
	struct packet packet = { .ip = ip, .end = end, .family = family };
	const __u32 *key = control->hash_key;
	__u32 a, b;

	if (family == IPV4) {
		parse_words4(&packet);
		a = packet.source4_be ^ key[0];
		b = packet.destination4_be ^ key[1];
	} else {
		a = nfp_fold(ip + IPV6_SOURCE, key);
		b = nfp_fold(ip + IPV6_DESTINATION, key) ^ key[1];
	}
	return flow_mix(key, flow_of(&packet), a, b);
}

/* route_leaf() */
static __noinline __u32 nfp_leaf(__u32 vrf, enum family family, __u64 high, __u64 low)
{
	__u32 place;
	struct target target = { .place = &place };
	struct route_key key = { .high = high, .low = low };

	return route_leaf(&target, target_vrf(&target, vrf), family, key, 128);
}

static __always_inline enum reason nfp_parse_tags(struct packet *packet, struct ethertype *type)
{
	__u32 tag;

	for (int i = 0; is_tag(*type); i++) {
		if (i == 2)
			return REASON_TAGS_TOO_DEEP;
		if (!parse_tag(packet, type, &tag))
			return REASON_TRUNCATED;
	}
	return REASON_FORWARDED;
}

/* A sound packet in one word, {length:16 | tags:8 | family:1 | 0:7}, or the reason why it is none. */
static __noinline __u32 nfp_parse(struct xdp_md *context)
{
	struct target target = { .context = context };
	struct packet packet;
	struct ethertype type;
	enum reason reason;

	packet.data = (void *)(long)context->data;
	packet.end = (void *)(long)context->data_end;
	reason = parse_ethernet(&packet, &type);
	if (!reason)
		reason = nfp_parse_tags(&packet, &type);
	if (reason)
		return reason;
	if (type.be == swap16(ETH_P_IP))
		reason = parse_header4(&packet);
	else
		reason = type.be == swap16(ETH_P_IPV6) ? parse_header6(&packet) : REASON_NOT_IP;
	if (!reason)
		reason = parse_length(&target, &packet, packet.family == IPV4 ? IPV4_HEADER : IPV6_HEADER);
	return reason ? reason : packet.length << 16 | packet.tags << 8 | packet.family << 7;
}

_Static_assert(REASON_MAX <= 1 << 7, "a reason has seven bits of the word");

/* The interface that the tags lead to, and whether the frame is addressed to it. */
static __always_inline enum reason nfp_admit(struct target *target, struct packet *packet)
{
	packet->in_index = target_port(target) + 1;
	for (int i = 0;; i++) {
		__u64 offset = i * TAG_HEADER;
		__u32 tables;

		packet->in = target_interface(target, packet->in_index);
		if (i == 2 || i == packet->tags)
			break;
		tables = load32(packet->in->vlan);
		asm volatile("%0 &= 4" : "+r"(offset)); /* a bound that everybody sees */
		packet->in_index = admit_sub(target, tables & 0xffff, tables >> 16,
					     load32(packet->data + ETHER_HEADER - 2 + offset));
	}
	return packet->in_index ? admit_station(packet) : REASON_TAG_UNKNOWN;
}

static __always_inline __u32 nfp_leaf4(const struct packet *packet, __be32 address)
{
	return nfp_leaf(packet->in->vrf, IPV4, route_key4(address).high, 0);
}

static __always_inline enum reason nfp_route4(struct target *target, struct packet *packet)
{
	enum reason reason;
	bool look;

	parse_words4(packet);
	reason = admit_header4(target, packet, &look);
	if (look) {
		parse_words4(packet);
		packet->nexthop = target_nexthop(target, nfp_leaf4(packet, packet->source4_be));
		reason = admit_source(packet, packet->nexthop);
	}
	if (reason)
		return reason;
	parse_words4(packet);
	packet->leaf = nfp_leaf4(packet, packet->destination4_be);
	return REASON_FORWARDED;
}

static __always_inline enum reason nfp_route6(struct packet *packet)
{
	enum reason reason;

	parse_words6(packet);
	packet->ttl_word = parse_hop_limit(packet);
	reason = admit_ipv6(packet);
	if (reason)
		return reason;
	packet->leaf = nfp_leaf(packet->in->vrf, IPV6, packet->destination6.high, packet->destination6.low);
	return REASON_FORWARDED;
}

/* A leaf, or a group and its member. */
static __always_inline enum reason nfp_nexthop(struct target *target, struct packet *packet)
{
	for (int i = 0; i < 2; i++) {
		const struct image_nexthop *group = target_nexthop(target, packet->leaf);
		__u32 hash;

		packet->nexthop = group;
		if (group->kind == NEXTHOP_FORWARD)
			return nexthop_fits(target, packet);
		if (group->kind != NEXTHOP_GROUP)
			break;
		hash = nfp_hash(target_control(target), packet->ip, (void *)(long)target->context->data_end,
				packet->family);
		packet->leaf = target_bucket(target, group->bucket + (hash & group->bucket_mask));
	}
	return nexthop_refusal(packet->nexthop);
}

/* Behind nfp_parse(), whose word this is. */
static __always_inline enum reason nfp_forward(struct target *target, __u32 word)
{
	struct packet packet;
	enum reason reason;

	packet.data = (void *)(long)target->context->data;
	packet.end = (void *)(long)target->context->data_end;
	packet.family = word >> 7 & 1;
	packet.tags = word >> 8 & 3;
	packet.length = word >> 16;
	if (!parse_again(&packet))
		return REASON_TRUNCATED;
	reason = nfp_admit(target, &packet);
	if (reason)
		return reason;
	reason = packet.family == IPV4 ? nfp_route4(target, &packet) : nfp_route6(&packet);
	if (reason)
		return reason;
	reason = nfp_nexthop(target, &packet);
	if (reason)
		return reason;
	if (packet.family == IPV4)
		parse_words4(&packet);
	else
		packet.ttl_word = parse_hop_limit(&packet);
	packet.end = (void *)(long)target->context->data_end;
	return rewrite(target, &packet);
}

static __always_inline enum reason nfp_pipeline(struct target *target)
{
	enum reason reason = admit_tables(target);
	__u32 word;

	if (reason)
		return reason;
	word = nfp_parse(target->context);
	reason = word & 0x7f;
	return reason ? reason : nfp_forward(target, word);
}

SEC("xdp")
int penstock_nfp(struct xdp_md *context)
{
	__u32 place;
	struct target target = { .context = context, .place = &place };
	struct image_counter *counter;
	enum reason reason;

	reason = nfp_pipeline(&target);
	counter = nfp_counter(&target, reason & (REASON_MAX - 1));
	if (counter) {
		__sync_fetch_and_add(&counter->packets, 1);
		/* a frame's length has 14 bits; short addends take fewer instructions */
		__sync_fetch_and_add(&counter->bytes, (context->data_end - context->data) & 0xffff);
	}
	if (reason == REASON_FORWARDED)
		return NFP_TX;
	return reason == REASON_BLACKHOLE ? NFP_DROP : NFP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
