// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

static __attribute__((noinline)) int again(int number)
{
	asm volatile("" : "+r"(number));
	if (number > 1)
		number += again(number - 1); /* HERE */
	asm volatile("" : "+r"(number));
	return number;
}

SEC("xdp") int program(struct xdp_md *context)
{
	return again(context->data_end - context->data) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
