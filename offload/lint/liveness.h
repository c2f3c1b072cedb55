// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Which registers are still read before they are written again, so that paths need not be told apart by what
 * nobody will look at.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "offload/lint/object.h"

/* Bits 0 to 10: the registers, bits 16 to 26: their upper halves. One word for each instruction, and one
 * behind the last; to be freed. NULL: no memory. */
uint32_t *liveness_new(const struct object *object);
/* Whether somebody will read the upper half of a register, as it is before an instruction. */
bool liveness_reads_upper(const uint32_t *live, uint32_t at, uint8_t reg);
