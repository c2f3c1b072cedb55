// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} events SEC(".maps");

SEC("xdp") __attribute__((naked)) int program(struct xdp_md *context)
{
	asm volatile(/* HERE */
		     "r2 = 0\n"
		     "*(u64 *)(r10 - 8) = r2\n"
		     "r2 = events ll\n"
		     "r3 = 0xffffffff ll\n"
		     "r4 = r10\n"
		     "r4 += -6\n"
		     "r5 = 4\n"
		     "call 25\n"
		     "r0 = 2\n"
		     "exit\n");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
