// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/fib_family.h"

// Measures lookups in interleaved rounds: for each stream of addresses, all subjects take turns, in an order
// that rotates from round to round, and each does the same again and again for a while that is not timed
// before it is. Times are CPU times of this thread. Fills family->times and tells progress on stderr. -EINTR.
int fib_rounds(struct fib_family *family);
