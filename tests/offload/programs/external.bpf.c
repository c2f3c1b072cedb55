// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

extern int CONFIG_HZ __kconfig;

SEC("xdp") int program(struct xdp_md *context)
{
	return CONFIG_HZ == 250 ? XDP_DROP : XDP_PASS; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
