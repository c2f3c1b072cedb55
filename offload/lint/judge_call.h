// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The judge's part about calls.
 */
#pragma once

#include "offload/lint/judge.h"

bool judge_call(struct judge *judge, const struct state *state);
