// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Makes a part of the image equal to the prefixes, in place, while readers run. By kind of node:
 *
 * - direct: each slot is a cell; store what differs.
 * - bitmap: group by group. Same runs: nothing. Same bitmap: store the cells that differ. Else a new array of
 *   runs is written aside, and one store of the descriptor publishes it.
 *
 * Nodes that appear are complete before the entry that leads to them is stored; nodes and runs that went wait
 * in limbo. A node that no longer suits what is below it is built anew and replaced as a whole. So each store
 * changes some addresses from their old answer to their new one, and none to anything else.
 *
 * Memory is taken before anything that depends on it is published. What finds none: a group or a window
 * then becomes the leaf TABLE_FULL as a whole, which needs no memory.
 */
#pragma once

#include <linux/types.h>

#include "host/fib/image_build.h"

/* The space's part key/length; cover is the part's. The caller publishes space->entry, which may have
 * changed.
 */
void image_refresh(struct image_build *build, struct image_space *space, const struct prefix_key *key,
		   unsigned length, const struct prefix_cover *cover);
/* Starts loading what a change of this prefix will look at first, while the caller does something else. */
void image_refresh_prefetch(const struct image_build *build, const struct image_space *space,
			    const struct prefix_key *key);
/* Counts a prefix that came (1) or went (-1) in the nodes above it; before the refresh. */
void image_refresh_weigh(struct image_build *build, struct image_space *space, const struct prefix_key *key,
			 unsigned length, int change);
