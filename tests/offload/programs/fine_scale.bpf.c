// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") int program(struct xdp_md *context)
{
	const unsigned char *data = (void *)(long)context->data;
	const unsigned char *end = (void *)(long)context->data_end;

	if (data + 16 > end)
		return XDP_PASS;
	__u32 hash = data[0] * 0x9e3779b1u;
	const __u32 members = data[1];

	return (__u64)hash * members >> 32 == 3 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
