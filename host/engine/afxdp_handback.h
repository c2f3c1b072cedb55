// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Gives a frame that user space took to the kernel after all, as if it had just come in by its port: the
 * image has changed since the program in the kernel let it go. A test run with live frames does that (Linux
 * 5.18), some 20 us a frame; few ever come this way.
 */
#pragma once

#include <linux/types.h>

#include "host/why.h"

struct afxdp_handback;

int afxdp_handback_new(struct afxdp_handback **ret, struct why *why);
/* NULL is fine. */
void afxdp_handback_free(struct afxdp_handback *handback);
/* Copies the frame. May be called by several threads. */
int afxdp_handback_give(const struct afxdp_handback *handback, __u32 ifindex, __u32 queue, const __u8 *frame,
			__u32 length);
