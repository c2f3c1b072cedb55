// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/generator.h"

// DPDK as a generator, in the build that is linked with it: a packet socket of DPDK's on s. generator_add()
// makes it known.
extern const struct generator_way generator_dpdk;
