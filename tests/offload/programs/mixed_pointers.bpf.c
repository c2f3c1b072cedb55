// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") __attribute__((naked)) int program(struct xdp_md *context)
{
	asm volatile(/* HERE */
		     "r6 = *(u32 *)(r1 + 0)\n"
		     "r7 = *(u32 *)(r1 + 4)\n"
		     "r1 = 0\n"
		     "*(u64 *)(r10 - 8) = r1\n"
		     "r1 = r6\n"
		     "r1 += 1\n"
		     "if r1 > r7 goto +1\n"
		     "goto +2\n"
		     "r6 = r10\n"
		     "r6 += -8\n"
		     "r1 = *(u8 *)(r6 + 0)\n"
		     "r0 = 2\n"
		     "exit\n");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
