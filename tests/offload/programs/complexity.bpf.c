// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

/* Eight times eight times ... calls. */
#define CALL_8(f) (f(n) + f(n) + f(n) + f(n) + f(n) + f(n) + f(n) + f(n))
#define LEVEL(name, below)                                                                                   \
	static __attribute__((noinline)) int name(int n)                                                     \
	{                                                                                                    \
		asm volatile("" : "+r"(n));                                                                  \
		return CALL_8(below);                                                                        \
	}

static __attribute__((noinline)) int level_0(int n)
{
	asm volatile("" : "+r"(n));
	return n;
}

LEVEL(level_1, level_0)
LEVEL(level_2, level_1)
LEVEL(level_3, level_2)
LEVEL(level_4, level_3)
LEVEL(level_5, level_4)
LEVEL(level_6, level_5)

SEC("xdp") int program(struct xdp_md *context)
{
	return level_6(context->data_end - context->data) ? XDP_PASS : XDP_DROP; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
