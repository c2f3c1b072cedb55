// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("xdp") int program(struct xdp_md *context)
{
	return bpf_ktime_get_ns() & 1 ? XDP_PASS : XDP_DROP; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
