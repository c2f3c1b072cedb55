// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

static __attribute__((noinline, used)) int called(int index, void *what)
{
	return index;
}

SEC("xdp") int program(struct xdp_md *context)
{
	asm volatile("r1 = %[called] ll" ::[called] "i"(called) : "r1"); /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
