// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stddef.h>

// DPDK's example router, built from its sources.

#define L3FWD_SOURCES "/usr/share/dpdk/examples/l3fwd" // of Debian's dpdk-doc
#define L3FWD_ROUTES  65536u                           // that it holds as shipped

// Builds it from the sources into directory/l3fwd, with room for full tables of both families where large
// says so. What is changed beside that: it does not ask for checksums verified by the device, which virtual
// devices do not have. Tells errors on stderr; -ENOENT without sources, compiler or DPDK.
int l3fwd_build(const char *sources, const char *directory, bool large);
