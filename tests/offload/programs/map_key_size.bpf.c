// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

struct key {
	__u32 word[15];
};
HASH(table, struct key, __u32, 16);

SEC("xdp") int program(struct xdp_md *context)
{
	struct key key = { { 0 } };

	return bpf_map_lookup_elem(&table, &key) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
