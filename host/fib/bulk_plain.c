// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/bulk_search.h"

const struct bulk_search bulk_plain = { .lookup4 = lookup4, .lookup6 = lookup6 };
