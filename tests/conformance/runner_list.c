// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/runner.h"

#include <stddef.h>

const struct runner_ops *const runner_list[] = { &runner_user,   &runner_burst, &runner_replay,
						 &runner_native, &runner_steer, NULL };
