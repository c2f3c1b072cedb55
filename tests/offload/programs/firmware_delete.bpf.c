// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

HASH(table, __u32, __u32, 16);

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = 0;

	bpf_map_delete_elem(&table, &key); /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
