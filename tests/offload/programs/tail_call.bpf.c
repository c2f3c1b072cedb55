// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

ARRAY(table, __u32, 16);

SEC("xdp") int program(struct xdp_md *context)
{
	bpf_tail_call(context, &table, 0); /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
