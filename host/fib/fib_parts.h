// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a fib is made of, for fib.c and view.c only. Each part knows those below it:
 *
 *	host routes      neighbours on link -> routes of full length
 *	tables           prefixes -> leaves
 *	leaves           what routes lead to
 *	groups, adjacencies
 *	neighbours, interfaces, nexthops, buckets
 *	image_update, grace, image_store
 */
#pragma once

#include "host/fib/adjacency.h"
#include "host/fib/fib.h"
#include "host/fib/host_route.h"
#include "host/fib/interface.h"
#include "host/fib/leaf.h"
#include "host/fib/neighbour.h"
#include "host/fib/table.h"

struct fib {
	struct image_store *store;
	struct grace *grace;
	struct image_update *update;
	struct nexthops *nexthops;
	struct buckets *buckets;
	struct interfaces interfaces;
	struct neighbours neighbours;
	struct adjacencies adjacencies;
	struct leaves leaves;
	struct tables tables;
	struct host_routes hosts;
	bool releasing; /* no longer held, but the image is not complete yet */
	bool lost;      /* something was not stored for want of memory: held for good */
	__u64 changes;
};
