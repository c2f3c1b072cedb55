// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <linux/types.h>

// Time, for measurements that share the CPU with others.

// Returns the CPU time of the calling thread, in nanoseconds. What other threads take meanwhile is not in it.
// Asking takes a few microseconds in a virtual machine.
__u64 stopwatch_cpu(void);

// Returns the time of day, in nanoseconds from some point.
__u64 stopwatch_wall(void);

// Returns a counter that is cheap to read, and goes on while others run.
static inline __u64 stopwatch_ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return stopwatch_wall();
#endif
}

// Returns how many nanoseconds a tick takes; measured at the first call, which takes a few milliseconds.
double stopwatch_tick(void);

// Returns how often the calling thread lost the CPU to others so far.
__u64 stopwatch_interruptions(void);
