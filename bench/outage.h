// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>

#include "bench/mirror_bed.h"

// What happens when things break while packets flow. The daemon runs; figures are added to the bed's.

// Stops the daemon during a burst of changes, so that the kernel loses notifications, and continues it;
// measures until it is in step again, and counts the packets of unchanged routes that do not arrive. When the
// burst is too small to lose any, it says so and adds no figure.
int outage_resync(struct mirror_bed *bed, size_t count);

// Takes the link behind all routes down at the far end, then at the near end, each time until the last packet
// that the program sends there. Afterwards the kernel has lost all routes that point there.
int outage_link(struct mirror_bed *bed);
