// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Stack as the driver counts it: each function's frame is what the program uses of it, and for a function
 * that is called a return address and the registers that have to be kept.
 */
#pragma once

#include <stdint.h>

#include "offload/lint/judge.h"

/* Bytes of one frame, before it is rounded up to where the next may begin. */
uint32_t frames_size(const struct judge *judge, const struct object_function *function, bool called);
/* Bytes of all frames where functions of a program are nested deepest; calls count where `reached` has the
 * bit `mask`. -ENOMEM */
int64_t frames_deepest(const struct judge *judge, const struct object_function *program,
		       const uint8_t *reached, uint8_t mask);
