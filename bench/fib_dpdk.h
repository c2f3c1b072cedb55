// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>

#include "bench/workload/table.h"

// DPDK's environment, as far as its tables need it: no hugepages, no devices, no files.

// Starts it on the CPU, where the calling thread then stays. megabytes is what tables may take; memory that
// is not touched costs nothing. Tells errors on stderr. Once in a process.
int fib_dpdk_start(unsigned int cpu, unsigned int megabytes);

// Ends it; fine when it was not started.
void fib_dpdk_stop(void);

// Returns how many groups of 256 entries a table needs behind a first step of 24 bits and steps of 8.
size_t fib_dpdk_groups(const struct table *table);

// Returns how many groups rte_fib6 wants to be allowed for the table: it counts for each route those between
// it and the route around it, though most share them.
size_t fib_dpdk_wanted_groups(const struct table *table);

// Room for groups beyond those that a table needs, for updates.
#define FIB_DPDK_SPARE_GROUPS(needed) ((needed) / 4 + 4096)
#define FIB_DPDK_GROUP_BYTES          (4u << 8)
#define FIB_DPDK_FIRST_BYTES          (4u << 24)

// Returns how many bytes are allocated from DPDK's heap.
size_t fib_dpdk_allocated(void);
