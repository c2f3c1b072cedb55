// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program in the kernel, one instance per port: penstock forwards (native and generic XDP),
 * penstock_steer feeds the sockets of the AF_XDP engine.
 */
#include "xdp/steering.h"
#include "xdp/target_native.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, IMAGE_PORTS *STEERING_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct steering);
} steering SEC(".maps");

/* False: the port is gone. The host makes its next hops punt first, so that hits only who is under way. */
static __always_inline bool redirect_to(__u16 port, int *action)
{
	*action = bpf_redirect_map(&ports, port, XDP_DROP);
	return *action == XDP_REDIRECT;
}

/* What the program returns, while that has names: xdp/target.h takes them away. */
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

/* Somebody has looked at the queue's socket lately. */
static __always_inline bool is_alive(__u32 queue)
{
	__u32 zero = 0;
	const struct steering *beats = bpf_map_lookup_elem(&steering, &zero);

	return beats && (__s64)(bpf_ktime_get_coarse_ns() - beats->beat[queue & (STEERING_QUEUES - 1)]) <=
				(__s64)STEERING_PATIENCE;
}

/* To the socket of the queue it came in by, untouched; that side counts it. False: there is none. */
static __always_inline bool take_to_socket(struct xdp_md *context, __u32 port, int *action)
{
	__u32 queue = context->rx_queue_index;

	if (queue >= STEERING_QUEUES || !is_alive(queue))
		return false;
	*action = bpf_redirect_map(&sockets, steering_slot(port, queue), XDP_PASS);
	return *action == XDP_REDIRECT;
}

/* The AF_XDP engine sends out of this port, and frames of this length fit its buffers. */
static __always_inline bool is_for_socket(const struct xdp_md *context, __u16 port)
{
	__u32 slot = steering_slot(port, 0);

	return context->data_end - context->data < BUFFER_LEAST && bpf_map_lookup_elem(&sockets, &slot);
}

static __always_inline bool is_redirectable(__u16 port)
{
	__u32 key = port;

	return bpf_map_lookup_elem(&ports, &key);
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
	(void)parse_ethernet(&packet, &type); /* as a moment ago */
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

/* The egress is known: by the engine in user space, or like penstock() where that does not serve the egress
 * or the frame is too long for it. */
static __always_inline int steer(struct xdp_md *context, struct target *target, struct packet *packet)
{
	__u16 port = packet->nexthop->port;
	int action;

	if (likely(is_for_socket(context, port))) {
		if (likely(take_to_socket(context, target_port(target), &action)))
			return action;
		return leave(context, target, REASON_NO_WORKER);
	}
	if (!is_redirectable(port))
		return leave(context, target, REASON_EGRESS_BEYOND);
	return conclude(context, target, packet, rewrite(target, packet));
}

static __always_inline int steer_type(struct xdp_md *context, struct target *target, struct packet *packet,
				      struct ethertype type)
{
	enum reason reason = REASON_NOT_IP;

	if (likely(type.be == swap16(ETH_P_IP)))
		reason = pipeline_egress(target, packet, IPV4);
	else if (likely(type.be == swap16(ETH_P_IPV6)))
		reason = pipeline_egress(target, packet, IPV6);
	return unlikely(reason) ? leave(context, target, reason) : steer(context, target, packet);
}

/* Loaded for ports of the AF_XDP engine only. What stays in the kernel goes as in penstock(). */
SEC("?xdp.frags")
int penstock_steer(struct xdp_md *context)
{
	struct target target = { .context = context };
	struct packet packet;
	struct ethertype type;
	enum reason reason;

	reason = admit_tables(&target);
	if (unlikely(reason))
		return leave(context, &target, reason);
	packet.data = (void *)(long)context->data;
	packet.end = (void *)(long)context->data_end;
	reason = parse_ethernet(&packet, &type);
	if (likely(!reason) && unlikely(is_tag(type)))
		reason = parse_tags(&packet, &type);
	if (unlikely(reason))
		return leave(context, &target, reason);
	return steer_type(context, &target, &packet, type);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
