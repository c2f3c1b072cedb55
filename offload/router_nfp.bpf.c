// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program on the NIC. It returns XDP_TX for what leaves by its own port, XDP_DROP for blackholes
 * and XDP_PASS for all else, which the tier behind the card then forwards. There is no way to say REDIRECT
 * here: the card would drop it silently.
 *
 * The stages are those of xdp/pipeline.h in the same order; they are put together for a small code store:
 *
 *   - One way for both families, tagged or not; source and destination are looked up at one place.
 *   - All is one function: a call takes twelve instructions and more, and in a function that is called keys
 *     are never where lookups are short.
 *   - What is kept over a lookup stands in struct target, so that the compiler need not put it elsewhere.
 */
#include "offload/target_nfp.h"

enum nfp_action { NFP_DROP = XDP_DROP, NFP_PASS = XDP_PASS, NFP_TX = XDP_TX };

#include "xdp/pipeline.h"
#include "xdp/walk.h"

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

static __always_inline enum reason nfp_parse(struct target *target, struct packet *packet)
{
	struct ethertype type;
	enum reason reason;

	packet->data = nfp_data(target);
	packet->end = nfp_end(target);
	reason = parse_ethernet(packet, &type);
	if (!reason)
		reason = nfp_parse_tags(packet, &type);
	if (reason)
		return reason;
	if (type.be == swap16(ETH_P_IP))
		reason = parse_header4(packet);
	else
		reason = type.be == swap16(ETH_P_IPV6) ? parse_header6(packet) : REASON_NOT_IP;
	if (!reason)
		reason = parse_length(target, packet, packet->family == IPV4 ? IPV4_HEADER : IPV6_HEADER);
	if (reason)
		return reason;
	target->data = packet->data;
	target->ip = packet->ip;
	target->length = packet->length;
	target->tags = packet->tags;
	target->family = packet->family;
	return REASON_FORWARDED;
}

/* The interface that the tags lead to, and whether the frame is addressed to it. */
static __always_inline enum reason nfp_admit(struct target *target, struct packet *packet)
{
	packet->in_index = target_port(target) + 1;
	for (int i = 0;; i++) {
		__u64 offset = i * TAG_HEADER;
		__u32 tables;

		packet->in = target_interface(target, packet->in_index);
		if (i == 2 || i == target->tags)
			break;
		tables = load32(packet->in->vlan);
		asm volatile("%0 &= 4" : "+r"(offset)); /* a bound that everybody sees */
		packet->in_index = admit_sub(target, tables & 0xffff, tables >> 16,
					     load32(target->data + ETHER_HEADER - 2 + offset));
	}
	packet->data = target->data;
	target->in = packet->in;
	target->in_index = packet->in_index;
	return packet->in_index ? admit_station(packet) : REASON_TAG_UNKNOWN;
}

/* What is kept, as the stages want it. */
static __always_inline void nfp_recall(const struct target *target, struct packet *packet)
{
	*packet = (struct packet){ .ip = target->ip,
				   .length = target->length,
				   .tags = target->tags,
				   .family = target->family,
				   .in = target->in,
				   .in_index = target->in_index };
}

static __always_inline enum reason nfp_admit_ip(struct target *target)
{
	struct packet packet;
	enum reason reason;
	bool look = false;

	nfp_recall(target, &packet);
	if (target->family == IPV4) {
		parse_words4(&packet);
		reason = admit_header4(target, &packet, &look);
	} else {
		packet.ttl_word = parse_hop_limit(&packet);
		parse_words6(&packet);
		reason = admit_ipv6(&packet);
	}
	target->stage = look ? NFP_SOURCE : NFP_DESTINATION;
	return reason;
}

/* flow_fold() of an IPv6 address in the packet. */
static __noinline __u32 nfp_fold(const void *address, const __u32 *key)
{
	return flow_fold(route_key6(load64(address), load64(address + 8)), key);
}

static __always_inline __u32 nfp_hash(const struct target *target)
{
	const __u32 *key = target->control->hash_key;
	struct packet packet;
	__u32 a, b;

	nfp_recall(target, &packet);
	if (target->family == IPV4) {
		parse_words4(&packet);
		a = packet.source4_be ^ key[0];
		b = packet.destination4_be ^ key[1];
	} else {
		a = nfp_fold(packet.ip + IPV6_SOURCE, key);
		b = nfp_fold(packet.ip + IPV6_DESTINATION, key) ^ key[1];
	}
	nfp_forget();
	nfp_recall(target, &packet);
	packet.end = nfp_end(target);
	if (packet.family == IPV4)
		parse_words4(&packet);
	a = flow_mix(target->control->hash_key, flow_of(&packet), a, b);
	nfp_forget();
	return a;
}

/* The leaf for the source, or else for the destination. */
static __always_inline __u32 nfp_leaf(struct target *target)
{
	const struct nfp_space *space = nfp_space(target, target->in->vrf, target->family);
	const void *at = target->ip + (target->family == IPV4 ? IPV4_DESTINATION : IPV6_DESTINATION);
	__u32 leaf;

	if (target->stage == NFP_SOURCE)
		at = target->ip + IPV4_SOURCE;
	target->space = space;
	target->fallback = space->fallback;
	leaf = walk_find(target, space->root, at);
	if (leaf)
		return leaf;
	leaf = *(const volatile __u32 *)&target->space->fallback;
	return leaf == target->fallback ? leaf : REASON_NO_ROUTE; /* see route_leaf() */
}

/* What the engine behind the card forwards, if it is as it looks from here. */
static __always_inline bool nfp_is_for_engine(enum reason reason)
{
	return reason == REASON_EGRESS_BEYOND || reason == REASON_TABLE_FULL;
}

/* No reason, but that a member of a group is to be chosen; no byte of a table can say it. */
#define NFP_GROUP 0x100

/* Whether the packet may leave by target->nexthop. */
static __always_inline enum reason nfp_leave(struct target *target, struct packet *packet)
{
	if (target->nexthop->kind == NEXTHOP_FORWARD) {
		packet->nexthop = target->nexthop;
		return nexthop_fits(target, packet);
	}
	if (target->nexthop->kind == NEXTHOP_GROUP && target->stage != NFP_MEMBER)
		return NFP_GROUP;
	return nexthop_refusal(target->nexthop);
}

/* By bits of the hash that no bucket is chosen by. */
static __always_inline void nfp_choose_queue(const struct target *target, __u32 hash)
{
	__u32 queues = nfp_queues();

	if (queues)
		target->context->rx_queue_index = (hash >> 16) * queues >> 16;
}

/* Finds target->nexthop, by which the packet may leave. It is NULL while a queue is chosen. */
static __always_inline enum reason nfp_route(struct target *target)
{
	__u32 leaf = 0;

	for (;;) {
		struct packet packet;
		enum reason reason;

		if (target->stage != NFP_MEMBER)
			leaf = nfp_leaf(target);
		target->nexthop = target_nexthop(target, leaf);
		nfp_recall(target, &packet);
		if (target->stage == NFP_SOURCE) {
			reason = admit_source(&packet, target->nexthop);
			if (!reason) {
				target->stage = NFP_DESTINATION;
				continue;
			}
		} else {
			reason = nfp_leave(target, &packet);
		}
		if (reason != NFP_GROUP) {
			if (!nfp_is_for_engine(reason) || !nfp_queues())
				return reason;
			target->place = reason;
			target->nexthop = NULL;
		}
		leaf = nfp_hash(target);
		if (!target->nexthop) {
			nfp_choose_queue(target, leaf);
			return target->place;
		}
		leaf &= target->nexthop->bucket_mask;
		leaf = target_bucket(target, target->nexthop->bucket + leaf);
		target->stage = NFP_MEMBER;
	}
}

static __always_inline enum reason nfp_rewrite(struct target *target)
{
	struct packet packet;

	nfp_recall(target, &packet);
	packet.nexthop = target->nexthop;
	if (packet.family == IPV4)
		parse_words4(&packet);
	else
		packet.ttl_word = parse_hop_limit(&packet);
	packet.data = nfp_data(target);
	packet.end = nfp_end(target);
	if (!parse_again(&packet))
		return REASON_TRUNCATED;
	return rewrite(target, &packet);
}

static __always_inline enum reason nfp_pipeline(struct target *target)
{
	struct packet packet;
	enum reason reason;

	target->control = target_control(target);
	if (target->control->held)
		return REASON_HELD;
	reason = nfp_parse(target, &packet);
	if (reason)
		return reason;
	reason = nfp_admit(target, &packet);
	if (reason)
		return reason;
	reason = nfp_admit_ip(target);
	if (reason)
		return reason;
	reason = nfp_route(target);
	if (reason)
		return reason;
	return nfp_rewrite(target);
}

SEC("xdp")
int penstock_nfp(struct xdp_md *context)
{
	struct target target;
	struct image_counter *counter;
	enum reason reason;
	int none;

	target.context = context;
	reason = nfp_pipeline(&target);
	counter = (struct image_counter *)nfp_element(&target, &counters, reason & (REASON_MAX - 1));
	__sync_fetch_and_add(&counter->packets, 1);
	/* a frame's length has 14 bits; short addends take fewer instructions */
	__sync_fetch_and_add(&counter->bytes, (target.context->data_end - target.context->data) & 0xffff);
	if (reason == REASON_FORWARDED)
		return NFP_TX;
	if (reason == REASON_BLACKHOLE)
		return NFP_DROP;
	asm volatile(".Lnfp_none: %0 = %1" : "=w"(none) : "i"(NFP_PASS));
	return none;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
