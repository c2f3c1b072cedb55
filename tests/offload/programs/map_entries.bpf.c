// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

ARRAY(table, __u32, 1600000);
ARRAY(other, __u32, 1600000);

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&table, &key) && bpf_map_lookup_elem(&other, &key) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
