// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/user_program.h"

#include <string.h>

#include "host/engine/target_user.h"
#include "xdp/pipeline.h"

static enum reason run(const struct image_store *store, __u16 port, const struct user_frame *frame,
		       struct target *target, struct packet *packet)
{
	enum reason reason;

	*packet = (struct packet){ .data = frame->data, .end = frame->data + frame->length };
	target_init(target, store);
	target->port = port;
	target->headroom = frame->headroom;
	reason = admit_tables(target);
	return reason ? reason : pipeline(target, packet);
}

static struct verdict finish(struct user_frame *frame, const struct packet *packet, enum reason reason)
{
	if (!reason) {
		frame->headroom += (__u8 *)packet->data - frame->data;
		frame->data = packet->data;
		frame->length = (__u8 *)packet->end - frame->data;
	}
	return verdict(reason, packet);
}

struct verdict user_program_run(const struct image_store *store, __u16 port, struct user_frame *frame)
{
	struct packet packet;
	struct target target;
	enum reason reason = run(store, port, frame, &target, &packet);

	return finish(frame, &packet, reason);
}

static void trace_flow(const struct packet *packet, struct user_trace *ret)
{
	struct flow flow = flow_of(packet);

	ret->protocol = packet->family == IPV4 ? packet->ttl_word >> 8 : ((__u8 *)packet->ip)[6];
	ret->ports = flow.protocol == IPPROTO_TCP || flow.protocol == IPPROTO_UDP;
	ret->source_port = swap16(flow.ports);
	ret->destination_port = swap16(flow.ports >> 16);
}

static void trace_addresses(const struct packet *packet, struct user_trace *ret)
{
	__u64 source[2] = { __builtin_bswap64(packet->source6.high), __builtin_bswap64(packet->source6.low) };
	__u64 destination[2] = { __builtin_bswap64(packet->destination6.high),
				 __builtin_bswap64(packet->destination6.low) };

	ret->ipv6 = packet->family == IPV6;
	if (ret->ipv6) {
		memcpy(ret->source, source, 16);
		memcpy(ret->destination, destination, 16);
	} else {
		memcpy(ret->source, &packet->source4_be, 4);
		memcpy(ret->destination, &packet->destination4_be, 4);
	}
}

struct verdict user_program_trace(const struct image_store *store, __u16 port, struct user_frame *frame,
				  struct user_trace *ret)
{
	struct packet packet;
	struct target target;
	enum reason reason = run(store, port, frame, &target, &packet);

	memset(ret, 0, sizeof(*ret));
	ret->tags = packet.tags;
	ret->tag[0] = packet.outer_tag;
	ret->tag[1] = packet.inner_tag;
	ret->parsed = packet.length != 0; /* read behind the addresses */
	ret->admitted = packet.in != NULL;
	ret->routed = packet.nexthop != NULL;
	ret->interface = packet.in_index;
	ret->leaf = packet.leaf;
	if (ret->routed)
		ret->nexthop = packet.nexthop - store->tables->nexthop;
	if (ret->parsed) {
		ret->length = packet.length & ~PACKET_MANY;
		ret->ttl = packet.ttl_word;
		trace_addresses(&packet, ret);
		trace_flow(&packet, ret);
	}
	return finish(frame, &packet, reason);
}
