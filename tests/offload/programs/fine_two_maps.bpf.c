// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

HASH(first, __u32, __u64, 1000);
HASH(second, __u32, __u64, 1000);

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = context->data_end - context->data, other = key + 1;

	if (bpf_map_lookup_elem(&first, &key))
		key = 1;
	if (bpf_map_lookup_elem(&second, &other))
		key = 2;
	return key & 3;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
