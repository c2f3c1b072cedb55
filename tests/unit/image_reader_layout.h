// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

#include "xdp/image.h"

/* What one run of the reader in the kernel (image_reader.bpf.c) looks up, and finds. */
#define READER_BATCH 512

struct reader_batch {
	__u32 vrf;
	__u32 family; /* 0 IPv4, 1 IPv6 */
	struct route_key key[READER_BATCH];
	__u32 leaf[READER_BATCH];
};
