// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * How many instructions of the card's the kernel's nfp driver makes of each instruction of BPF. Follows its
 * translator, but not all that it saves by looking at several at once, so that it errs on the large side.
 */
#pragma once

#include <stdint.h>

#include "offload/lint/judge.h"

#define TRANSLATION_AROUND 23 /* that it puts around every program */

/* Sizes of the instructions for which `reached` has the bit `mask`, by what the judge has seen of them; to be
 * freed. NULL: no memory. */
uint16_t *translation_new(const struct judge *judge, const struct object_function *program,
			  const uint8_t *reached, uint8_t mask);
