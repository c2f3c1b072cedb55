// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program in the kernel, one instance per port: native and generic XDP.
 */
#include "xdp/target_native.h"

/* False: the port is gone. The host makes its next hops punt first, so that hits only who is under way. */
static __always_inline bool redirect_to(__u16 port, int *action)
{
	*action = bpf_redirect_map(&ports, port, XDP_DROP);
	return *action == XDP_REDIRECT;
}

static __always_inline int pass(void)
{
	return XDP_PASS;
}

static __always_inline int drop(void)
{
	return XDP_DROP;
}

/* Counts the frame as it leaves the program. */
static __always_inline void count(struct xdp_md *context, __u32 port, enum reason reason)
{
	__u32 bytes = context->data_end - context->data;
	struct image_counters *port_counters;

	if (bytes >= BUFFER_LEAST)
		bytes = bpf_xdp_get_buff_len(context);
	port_counters = bpf_map_lookup_elem(&counters, &port);
	if (port_counters) {
		struct image_counter *counter = &port_counters->reason[reason & (REASON_MAX - 1)];

		counter->packets++;
		counter->bytes += bytes;
	}
}

#include "xdp/pipeline.h"

/* Goes no further: the action, counted. */
static __always_inline int leave(struct xdp_md *context, const struct target *target, enum reason reason)
{
	count(context, target_port(target), reason);
	return reason == REASON_BLACKHOLE ? drop() : pass();
}

/* What came of the packet: the action, counted. */
static __always_inline int conclude(struct xdp_md *context, const struct target *target,
				    const struct packet *packet, enum reason reason)
{
	int action;

	if (unlikely(reason))
		return leave(context, target, reason);
	if (unlikely(!redirect_to(packet->nexthop->port, &action)))
		reason = REASON_EGRESS_GONE;
	count(context, target_port(target), reason);
	return action;
}

/* Begins anew, so that untagged frames, which are most, get straighter code. */
static __always_inline int penstock_tagged(struct xdp_md *context)
{
	struct target target = { .context = context };
	struct packet packet;
	struct ethertype type;
	enum reason reason;

	packet.data = (void *)(long)context->data;
	packet.end = (void *)(long)context->data_end;
	parse_ethernet(&packet, &type);
	reason = pipeline_tagged(&target, &packet, type);
	return conclude(context, &target, &packet, reason);
}

SEC("xdp.frags")
int penstock(struct xdp_md *context)
{
	struct target target = { .context = context };
	struct packet packet;
	struct ethertype type;
	enum reason reason;

	/* before the packet, since a clock is a call, while there is little to keep across it */
	reason = admit_tables(&target);
	if (unlikely(reason))
		return leave(context, &target, reason);
	packet.data = (void *)(long)context->data;
	packet.end = (void *)(long)context->data_end;
	reason = parse_ethernet(&packet, &type);
	if (unlikely(reason))
		return leave(context, &target, reason);
	if (unlikely(is_tag(type)))
		return penstock_tagged(context);
	reason = pipeline_type(&target, &packet, type);
	return conclude(context, &target, &packet, reason);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
