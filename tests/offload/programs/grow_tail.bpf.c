// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") int program(struct xdp_md *context)
{
	return bpf_xdp_adjust_tail(context, 16) ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
