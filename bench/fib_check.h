// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/fib_family.h"

// Compares the answers of all subjects on FIB_STREAM_SIZE addresses in prefixes of the table, at their edges,
// and anywhere. -EBADMSG, and on stderr the first addresses with different answers.
int fib_check(struct fib_family *family);
