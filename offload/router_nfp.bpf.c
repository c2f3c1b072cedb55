// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program on the NIC. It returns XDP_TX for what leaves by its own port, XDP_DROP for blackholes
 * and XDP_PASS for all else, which the tier behind the card then forwards. There is no way to say REDIRECT
 * here: the card would drop it silently.
 */
#include "offload/target_nfp.h"

enum nfp_action { NFP_DROP = XDP_DROP, NFP_PASS = XDP_PASS, NFP_TX = XDP_TX };

static __always_inline void target_open(struct target *target, struct xdp_md *context)
{
	target->context = context;
	target->port = *(const __u32 *)nfp_element(&port, 0);
}

static __always_inline void count(enum reason reason, __u32 bytes)
{
	struct image_counter *counter = (void *)nfp_element(&counters, reason & (REASON_MAX - 1));

	__sync_fetch_and_add(&counter->packets, 1);
	__sync_fetch_and_add(&counter->bytes, bytes);
}

#include "xdp/pipeline.h"

SEC("xdp")
int penstock_nfp(struct xdp_md *context)
{
	struct target target;
	struct packet packet;
	enum reason reason;

	target_open(&target, context);
	reason = admit_tables(&target);
	if (!reason) {
		packet.data = (void *)(long)context->data;
		packet.end = (void *)(long)context->data_end;
		reason = pipeline(&target, &packet);
	}
	count(reason, context->data_end - context->data);
	if (reason == REASON_FORWARDED)
		return NFP_TX;
	return reason == REASON_BLACKHOLE ? NFP_DROP : NFP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
