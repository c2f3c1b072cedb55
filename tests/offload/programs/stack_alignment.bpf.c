// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") __attribute__((naked)) int program(struct xdp_md *context)
{
	asm volatile(/* HERE */
		     "r1 = 0\n"
		     "*(u64 *)(r10 - 8) = r1\n"
		     "call 7\n"
		     "r2 = r10\n"
		     "r2 += -8\n"
		     "if r0 == 0 goto +1\n"
		     "r2 += 2\n"
		     "r1 = *(u8 *)(r2 + 0)\n"
		     "r0 = 2\n"
		     "exit\n");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
