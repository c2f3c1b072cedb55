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
	struct value *value = bpf_map_lookup_elem(&table, &key);

	if (!value)
		return XDP_PASS;
	return (&value->read)[4] ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
