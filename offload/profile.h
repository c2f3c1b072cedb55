// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The limits of a firmware under a name. Two are known; others come from a file of lines "name value", `#`
 * begins a comment, what is not named is as in the profile "open".
 */
#pragma once

#include "host/why.h"
#include "offload/limits.h"

struct profile {
	char name[64];
#define X(name, open, shipped, text) unsigned int name;
	NFP_LIMITS(X)
#undef X
};

#define PROFILE_COUNT 2
extern const struct profile profiles[PROFILE_COUNT]; /* "open", "shipped" */

/* A known profile, or one from the file of that path. Returns 0 or a negative errno, and why. */
int profile_find(const char *name, struct profile *ret_profile, struct why *why);
