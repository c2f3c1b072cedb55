// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the workers count, in a pinned map that they write to as memory: so the next daemon goes on from
 * there, as it does with the counters of the program in the kernel.
 */
#pragma once

#include <stdbool.h>

#include "host/why.h"
#include "xdp/image.h"

struct afxdp_counters;
struct pins;

/* Pinned in place of a predecessor's; adopt: goes on with what that one counted, by any number of workers. */
int afxdp_counters_new(struct pins *pins, unsigned int workers, bool adopt, struct afxdp_counters **ret,
		       struct why *why);
/* NULL is fine. */
void afxdp_counters_free(struct afxdp_counters *counters);
/* Of one worker: IMAGE_PORTS of them. */
struct image_counters *afxdp_counters_of(const struct afxdp_counters *counters, unsigned int worker);
/* Adds the sum over all workers. */
void afxdp_counters_add(const struct afxdp_counters *counters, __u16 port, struct image_counters *sum);
