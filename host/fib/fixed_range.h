// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Ranges that no router forwards to, or that Linux decides about by more than the address. Every VRF has them
 * as shadows, whatever its routes say.
 */
#pragma once

#include <stdbool.h>

#include "host/fib/image_update.h"

/* Whether the prefix is one of the ranges. */
bool fixed_range_is(const struct image_prefix *prefix);
/* Calls each with the prefix (of VRF 0) and the leaf of every range. */
void fixed_ranges_each(void (*each)(void *arg, const struct image_prefix *prefix, __u16 leaf), void *arg);
