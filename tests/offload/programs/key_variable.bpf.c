// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

HASH(table, __u32, __u32, 16);

SEC("xdp") __attribute__((naked)) int program(struct xdp_md *context)
{
	asm volatile(/* HERE */
		     "call 7\n"
		     "r0 &= 4\n"
		     "r1 = 0\n"
		     "*(u64 *)(r10 - 8) = r1\n"
		     "r2 = r10\n"
		     "r2 += -8\n"
		     "r2 += r0\n"
		     "r1 = table ll\n"
		     "call 1\n"
		     "r0 = 2\n"
		     "exit\n");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
