// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The slots of image_tables.nexthop: who gets one, and how what stands in one changes under readers.
 *
 * A reader finds a slot's number in an entry or a bucket, looks at .kind and then at the rest, with nothing
 * to stop the slot from changing in between. Three rules make any moment right:
 *
 *   1. What one aligned store can change without the rest is changed in place: the destination MAC (mac0),
 *      the MTU, the header (interface, kind, reason, flags: one u64), each entry of rpf[].
 *   2. Everything else (source MAC, port, tags, which buckets, a slot's change between adjacency and group)
 *      is written only while no reader can be looking at it as something that forwards: first the kind
 *      becomes PUNT, then a grace period passes, then the fields are written, then the kind. Meanwhile the
 *      kernel forwards.
 *   3. A slot given back waits until no entry leads to it and a grace period has passed, before somebody
 *      else gets it.
 *
 * A slot that punts and then forwards again with the same fields (a link flap) needs no waiting.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "xdp/image.h"

struct nexthops;
struct grace;
struct image_update;

/*
 * Writes the leaves of all reasons and makes all slots below `limit` punt. Takes over
 * image_update_on_reuse(). -ENOMEM, -EINVAL (limit out of range).
 */
int nexthops_new(struct image_tables *tables, struct image_update *update, const struct grace *grace,
		 __u32 limit, struct nexthops **ret);
void nexthops_free(struct nexthops *nexthops);

/* A slot that punts NO_ROUTE. -ENOSPC. */
int nexthop_take(struct nexthops *nexthops, __u32 *ret_id);
/* Gives a slot back. No route and no bucket may lead to it any more. */
void nexthop_give(struct nexthops *nexthops, __u32 id);
/* How many nexthop_take() would find. */
__u32 nexthops_room(const struct nexthops *nexthops);
/* What the leaf of a reason says. */
const struct image_nexthop *nexthop_of_reason(const struct nexthops *nexthops, enum reason reason);

/* What the slot shall say, at once or as soon as rule 2 lets it. */
void nexthop_set(struct nexthops *nexthops, __u32 id, const struct image_nexthop *content);

/* Goes on with what waited. True: something still waits for a grace period. */
bool nexthops_settle(struct nexthops *nexthops);

struct nexthops_stats {
	__u32 used; /* reasons and waiting slots too */
	__u32 total;
	__u64 stores; /* slots written since the start */
};
void nexthops_stats(const struct nexthops *nexthops, struct nexthops_stats *ret);
