// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

extern void bpf_rcu_read_lock(void) __ksym;

SEC("xdp") int program(struct xdp_md *context)
{
	bpf_rcu_read_lock(); /* HERE */
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
