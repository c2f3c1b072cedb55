// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Sees to it that urgent news is read though a CPU is not to be had. Most kernels do not preempt themselves:
 * `ip link set down` holds its CPU for half a second where 500,000 routes go with the link. It wakes whoever
 * waits for the news where that one ran last, and that may be the same CPU while the others are not idle;
 * until the scheduler evens things out (measured: 10 to 100 ms on two CPUs) the news is not read.
 *
 * So threads that are bound to one CPU each wait for the news, too: one of them has another CPU than the
 * kernel's. If nobody has read the news after LOOKOUT_PATIENCE and the reader has not run meanwhile, it is
 * bound to this CPU for a moment, which moves it here at once, and let go.
 */
#pragma once

#include <stdint.h>

#define LOOKOUT_PATIENCE 1 /* ms */

struct lookout;

/* Looks after what is read from `fd` by the calling thread, whose CPUs count. With one CPU there is nothing
 * to do: no thread is made. The descriptor is borrowed; it becomes readable, and stays so until it has been
 * read.
 */
int lookout_new(int fd, struct lookout **ret);
/* NULL is fine. */
void lookout_free(struct lookout *lookout);
/* For how many news the reader was moved; more than once if need be. */
uint64_t lookout_moves(const struct lookout *lookout);
