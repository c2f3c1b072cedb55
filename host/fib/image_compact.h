// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Moves nodes and runs out of pages that are to be emptied (see image_memory.h), without changing any answer:
 * a copy is made and published by one store, what it was copied from goes to limbo.
 */
#pragma once

#include <linux/types.h>

#include "host/fib/image_build.h"

/* In the space's part key/length; returns how much was moved. The caller publishes space->entry, which may
 * have changed. */
__u32 image_compact(struct image_build *build, struct image_space *space, const struct prefix_key *key,
		    unsigned length);
