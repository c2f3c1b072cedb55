// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Drops every packet: where it is attached, a ping that worked stops.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop(struct xdp_md *context)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
