// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

struct value {
	__u32 read, counted;
	__u64 wide;
};
ARRAY(table, struct value, 16);

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = 0;
	struct value value = { 0 };

	bpf_map_update_elem(&table, &key, &value, BPF_ANY); /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
