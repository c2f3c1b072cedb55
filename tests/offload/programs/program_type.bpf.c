// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/offload/program.h"

SEC("socket") int program(struct __sk_buff *context)
{
	return 0; /* HERE */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
