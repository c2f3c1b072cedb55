// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Which registers are still read before they are written again, so that paths need not be told apart by what
 * nobody will look at.
 */
#pragma once

#include <stdint.h>

#include "offload/lint/object.h"

/* A bit for each register, for each instruction; to be freed. NULL: no memory. */
uint16_t *liveness_new(const struct object *object);
