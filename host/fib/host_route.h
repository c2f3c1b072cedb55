// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Host routes of neighbours on link. A route without gateway says no more than the interface; the packets
 * that the kernel would forward by it go to the neighbour that has the destination's address. Such a
 * neighbour, if it is usable, gets a route of full length to an adjacency of its own, in each VRF where the
 * best route to its address (leaving host routes out) is on link by the neighbour's interface.
 *
 * Whatever may change that answer asks for it again: the neighbour itself, routes that cover it, a leaf's
 * content. What concerns many neighbours is done in steps, by host_routes_settle(); until its turn comes, an
 * address keeps the answer from before.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <linux/types.h>

struct image_prefix;
struct interface;
struct leaf;
struct leaves;
struct neighbour;
struct neighbours;
struct table;
struct tables;

struct host_route {
	struct neighbour *neighbour;
	struct table *table;
	__u32 leaf;
	LIST_ENTRY(host_route) neighbour_link, table_link;
};

struct host_routes {
	struct leaves *leaves;
	struct neighbours *neighbours;
	struct tables *tables;
	__u32 count;
	__u32 wanted; /* tables and families with a review that is not finished */
	bool starved; /* some neighbour found no room: all are asked again when there is some */
};

/* About a neighbour in all tables that have a route on link by its interface. */
void host_routes_review_neighbour(struct host_routes *hosts, struct neighbour *neighbour);
/* About all neighbours under a prefix whose route has changed; table NULL: in all open tables. */
void host_routes_review_prefix(struct host_routes *hosts, const struct image_prefix *prefix,
			       struct table *table);
/* About all neighbours of an interface, in the tables that have had routes to a leaf. */
void host_routes_review_leaf(struct host_routes *hosts, const struct leaf *leaf, struct interface *interface);
/* About all neighbours, in a table that has been opened. */
void host_routes_review_table(struct host_routes *hosts, struct table *table);
/* Removes those of a table that will be closed. */
void host_routes_leave_table(struct host_routes *hosts, struct table *table);
/* Goes on with reviews, for at most a millisecond. True: there is more to do. */
bool host_routes_settle(struct host_routes *hosts);
/* Tries again where there was no room. */
void host_routes_heal(struct host_routes *hosts);
/* Frees them; the image stays as it is. */
void host_routes_exit(struct host_routes *hosts);
