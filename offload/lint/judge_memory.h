// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The judge's part about memory.
 */
#pragma once

#include "offload/lint/judge.h"

enum judge_access { JUDGE_LOAD, JUDGE_STORE, JUDGE_ATOMIC };

bool judge_access(struct judge *judge, const struct state *state, enum judge_access access);
bool judge_atomic(struct judge *judge, const struct state *state);
/* Remembers that `size` bytes of stack at an offset are used. */
void judge_use_stack(struct judge *judge, const struct state *state, const struct value *pointer,
		     int32_t offset);
