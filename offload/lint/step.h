// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What one instruction does to what is known.
 */
#pragma once

#include <stdbool.h>

#include "offload/lint/object.h"
#include "offload/lint/state.h"

enum step { STEP_ON, STEP_BRANCH, STEP_END };

/* Executes the instruction at state->at, which then is where it goes on. Of what is not `sound` nothing more
 * is said: its result is "unjudged". STEP_BRANCH: it may go on in two ways, the other is in `other`.
 * STEP_END: it goes on nowhere. */
enum step step(const struct object *object, struct state *state, bool sound, struct state *other);
