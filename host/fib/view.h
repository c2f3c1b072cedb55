// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is really in the image, for `penstock show`, `penstock lookup` and the audit. Nothing here changes
 * anything; what is shown is read from the image's own memory, not from what the host believes it wrote
 * there. Callbacks return false to stop, and must not change the fib.
 */
#pragma once

#include "host/fib/fib.h"

/* --- leaves --- */

struct view_leaf {
	__u32 leaf;
	enum nexthop_kind kind;
	enum reason reason; /* PUNT and DROP: why */
	__u8 flags;         /* enum nexthop_flag */
	bool owned;         /* of a kernel next-hop object (fib_leaf_new) */
	__u32 references;   /* routes, groups and callers that hold it; 0 for the leaves of reasons */
	__u8 family;        /* of the packets; 0 for the leaves of reasons */

	/* one path; all zero for a group */
	__u32 ifindex;       /* egress */
	__u8 gateway_family; /* 0 = on link */
	__u8 gateway[16];
	__u16 interface; /* slot of the egress in the image, 0 = none */
	/* one path that forwards: what the frame will carry */
	__u8 destination_mac[6], source_mac[6];
	__u16 mtu;
	__u16 port;
	__u8 tags;
	__be32 tag[2]; /* {tpid, tci}, outermost first */

	/* a group */
	__u32 members; /* see view_member() */
	__u32 buckets;
};

struct view_member {
	__u32 leaf; /* its adjacency */
	__u32 weight;
	__u32 buckets; /* how many of the group's buckets lead to it now */
};

/* -ENOENT: no such leaf. */
int view_leaf(const struct fib *fib, __u32 leaf, struct view_leaf *ret);
/* Member `index` (0 .. members - 1) of a group. -ENOENT: no such member. */
int view_member(const struct fib *fib, __u32 leaf, __u32 index, struct view_member *ret);
/* All leaves in use, those of reasons not among them. */
void view_leaves(const struct fib *fib, bool (*each)(void *arg, const struct view_leaf *leaf), void *arg);

/* --- routes --- */

enum view_origin {
	VIEW_KERNEL,    /* a route of the table itself */
	VIEW_LOCAL,     /* RT_TABLE_LOCAL */
	VIEW_FIXED,     /* a range that is never forwarded */
	VIEW_NEIGHBOUR, /* host route of a neighbour on link */
};

struct view_route {
	__u32 table;
	struct fib_prefix prefix;
	__u32 leaf; /* the one in force for this prefix */
	enum view_origin origin;
	bool shadow; /* hides all that is more specific */
};

/*
 * The routes of a table, shorter prefixes before those they cover, from the first one after `after` (NULL:
 * all of them). A table without interfaces of ours has none in the image: nothing is shown.
 */
void view_routes(const struct fib *fib, __u32 table, __u8 family, const struct fib_prefix *after,
		 bool (*each)(void *arg, const struct view_route *route), void *arg);

struct view_answer {
	__u32 leaf;              /* as fib_lookup() */
	bool matched;            /* false: no route but the VRF's fallback */
	struct view_route route; /* the route that gives the leaf */
};

/* What would happen to a packet to this address that came in by an interface of this table. */
void view_lookup(const struct fib *fib, __u32 table, __u8 family, const __u8 *address,
		 struct view_answer *ret);

/* --- neighbours, interfaces, VRFs --- */

struct view_neighbour {
	__u32 ifindex;
	__u8 family;
	__u8 address[16];
	bool usable;
	__u8 mac[6];
	__u32 gateway_of; /* leaves that use it as gateway */
	__u32 hosts;      /* host routes that it has in the image, one for each VRF where it is on link */
};

void view_neighbours(const struct fib *fib, bool (*each)(void *arg, const struct view_neighbour *neighbour),
		     void *arg);

struct view_interface {
	__u32 ifindex, parent, table;
	__u16 slot; /* in the image; 0 = packets that come in here are never looked at */
	int port;   /* -1: not a port itself */
	__u16 tpid, vid;
	__u16 flags;        /* enum interface_flag, from the image */
	enum reason punt;   /* everything that comes in goes to the kernel; 0 = no */
	enum reason egress; /* why nothing is sent out here; 0 = it is */
	__u32 leaves;       /* with this egress */
};

void view_interfaces(const struct fib *fib, bool (*each)(void *arg, const struct view_interface *interface),
		     void *arg);

struct view_vrf {
	__u32 table;
	__u16 slot;
	__u64 routes[2];
	__u32 fallback[2]; /* leaves */
	__u32 interfaces;
};

void view_vrfs(const struct fib *fib, bool (*each)(void *arg, const struct view_vrf *vrf), void *arg);
