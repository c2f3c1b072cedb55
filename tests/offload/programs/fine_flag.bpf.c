// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

/* A zero that is read again from the stack is known. */
SEC("xdp") int program(struct xdp_md *context)
{
	const unsigned char *data = (void *)(long)context->data;
	const unsigned char *end = (void *)(long)context->data_end;
	volatile unsigned char flag = 0;

	data += (__u32)flag << 4;
	if (data + 1 > end)
		return XDP_PASS;
	return *data == 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
