// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

const volatile int dropped = 2;

SEC("xdp") int program(struct xdp_md *context)
{
	return dropped == 3 ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
