// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") __attribute__((naked)) int program(struct xdp_md *context)
{
	asm volatile(/* HERE */
		     "r0 = 2\n"
		     "r0 = le16 r0\n"
		     "r0 = 2\n"
		     "exit\n");
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
