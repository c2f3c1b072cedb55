// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") int program(struct xdp_md *context)
{
	context->rx_queue_index = 3;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
