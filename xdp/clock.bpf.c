// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Tells user space the time in the program's unit. Run by BPF_PROG_TEST_RUN, never attached.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 jiffies_now;

SEC("xdp")
int clock(struct xdp_md *context)
{
	jiffies_now = bpf_jiffies64();
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
