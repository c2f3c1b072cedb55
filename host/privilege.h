// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the daemon gives up once it is set up: capabilities beyond those of its engines, for good, and the
 * right to execute anything. Files stay root's. Of seccomp only that is used: with the capabilities gone,
 * other calls that could harm are refused anyway, and lists of allowed calls break with every library.
 */
#pragma once

#include <linux/types.h>

#include "host/why.h"

/* `keep`: a bit for each capability; those that we do not have are not gained. Holds for the calling thread
 * and those that it makes later. */
int privilege_drop(__u64 keep, struct why *why);
