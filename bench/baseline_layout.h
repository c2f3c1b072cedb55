// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

// What the comparison routers (bench/baseline.bpf.c) share with bench/baseline.c.

#define BASELINE_GATEWAYS 64
// Ports are found by ifindex, as xdp-forward does; the test bed's namespaces have few.
#define BASELINE_PORTS    64
#define BASELINE_PREFIXES (4u << 20)

// The first 12 bytes of a frame to a gateway: its MAC, then the router's.
union baseline_macs {
	__u8 bytes[16];
	__u64 words[2];
};

struct baseline_key4 {
	__u32 length;
	__u8 address[4];
};

struct baseline_key6 {
	__u32 length;
	__u8 address[16];
};
