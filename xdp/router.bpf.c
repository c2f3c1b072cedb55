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

static __always_inline bool target_open(struct target *target, struct xdp_md *context)
{
	__u32 zero = 0;

	target->context = context;
	target->tables = bpf_map_lookup_elem(&tables, &zero);
	target->node = bpf_map_lookup_elem(&node, &zero);
	target->run = bpf_map_lookup_elem(&run, &zero);
	return target->tables && target->node && target->run;
}

static __always_inline void count(__u16 port, enum reason reason, __u32 bytes)
{
	__u32 key = port;
	struct image_counters *port_counters = bpf_map_lookup_elem(&counters, &key);

	if (port_counters) {
		struct image_counter *counter = &port_counters->reason[reason & (REASON_MAX - 1)];

		counter->packets++;
		counter->bytes += bytes;
	}
}

#include "xdp/pipeline.h"

SEC("xdp.frags")
int penstock(struct xdp_md *context)
{
	struct target target;
	struct packet packet;
	enum reason reason;
	int action;

	packet.data = (void *)(long)context->data;
	packet.end = (void *)(long)context->data_end;
	if (!target_open(&target, context))
		return pass();
	reason = pipeline(&target, &packet);
	if (likely(reason == REASON_FORWARDED)) {
		if (unlikely(!redirect_to(packet.nexthop->port, &action)))
			reason = REASON_EGRESS_GONE;
	} else {
		action = reason == REASON_BLACKHOLE ? drop() : pass();
	}
	count(port_id, reason, packet.frame);
	return action;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
