// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") int program(struct xdp_md *context)
{
	const unsigned char *data = (void *)(long)context->data;
	const unsigned char *end = (void *)(long)context->data_end;

	if (data + 16 > end)
		return XDP_PASS;
	return data[0]; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
