// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

struct pair {
	__u32 first, second;
};

static __attribute__((noinline)) __u32 join(const struct pair *pair)
{
	volatile char room[32];

	room[0] = pair->first;
	return room[0] ^ pair->second;
}

SEC("xdp") int program(struct xdp_md *context)
{
	struct pair pair = { context->data_end - context->data, 7 };

	asm volatile("" ::: "memory");
	return join(&pair) & 1 ? XDP_TX : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
