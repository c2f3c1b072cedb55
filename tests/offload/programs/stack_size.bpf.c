// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

/* 264 and 160 bytes: the kernel rounds frames up to 32, the driver to 64 with what it keeps there. */
static __attribute__((noinline)) int inner(int number)
{
	asm volatile("r6 = 0; *(u64 *)(r10 - 160) = r6" ::: "r6", "memory");
	return number;
}

SEC("xdp") int program(struct xdp_md *context)
{
	asm volatile("r2 = 0; *(u64 *)(r10 - 264) = r2" ::: "r2", "memory");
	return inner(context->data_end - context->data) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
