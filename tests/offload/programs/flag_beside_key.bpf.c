// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

ARRAY(table, __u32, 16);

/* So it is not, beside a key: for all that the kernel knows, the lookup may have written there. */
SEC("xdp") int program(struct xdp_md *context)
{
	struct {
		__u32 key;
		volatile unsigned char flag;
	} __attribute__((aligned(8))) both = { .flag = 0 };
	const unsigned char *data = (void *)(long)context->data;
	const unsigned char *end = (void *)(long)context->data_end;

	both.key = (end - data) & 15;
	if (!bpf_map_lookup_elem(&table, &both.key))
		return XDP_PASS;
	data += (__u32)both.flag << 4;
	if (data + 1 > end)
		return XDP_PASS;
	return *data == 1 ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
