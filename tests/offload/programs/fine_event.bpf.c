// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} events SEC(".maps");

SEC("xdp") int program(struct xdp_md *context)
{
	__u64 length = context->data_end - context->data;
	__u32 data = 1;

	bpf_perf_event_output(context, &events, BPF_F_CURRENT_CPU | length << 32, &data, sizeof(data));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
