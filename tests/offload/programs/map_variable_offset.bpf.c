// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

struct list {
	__u32 item[8];
};
ARRAY(table, struct list, 16);

SEC("xdp") int program(struct xdp_md *context)
{
	__u32 key = 0, which = (context->data_end - context->data) & 7;
	struct list *list = bpf_map_lookup_elem(&table, &key);

	return list && list->item[which] ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
