// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A machine with a stand-in for a card, in which `penstock offload check --device` runs.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "offload/profile.h"

/* At most, at once. */
#define NFPCHECK_OBJECTS  256
#define NFPCHECK_PROFILES 8

/*
 * What the driver says of these objects, under each profile: the document that the command printed. False:
 * some are missing, and why is on stderr.
 */
bool nfpcheck_ask(const struct profile *list, int profile_count, int count, char **paths, json_t **ret_lists);
