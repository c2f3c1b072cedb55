// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The forwarding tables as the host sees them: interfaces, ports, leaves (what a route leads to), routes and
 * neighbours go in, the image comes out. One writer (the thread of the event loop), any number of readers of
 * the image.
 *
 * Every call leaves an image that is right for the tables either before or after the change, at every moment
 * for every reader. What needs a grace period in between (reuse of memory, a next hop that changes more than
 * its link address) is finished later by fib_settle(); until then the affected packets go to the kernel.
 *
 * Without memory (-ENOMEM from fib_route_set or fib_interface_set) the fib does not know any more what it was
 * told, and so holds itself, for good: all packets go to the kernel until a new fib takes its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "xdp/image.h"

struct fib;
struct grace;
struct image_store;

/* Limits; 0 = the default (four times the largest tables of 2026). */
struct fib_limits {
	__u32 node_chunks; /* 64-byte chunks of node[], a power of two */
	__u32 run_cells;   /* u32 cells of run[], a power of two */
	__u32 nexthops;    /* <= IMAGE_NEXTHOPS */
	__u32 buckets;     /* <= IMAGE_BUCKETS */
};

struct fib_prefix {
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 length;
	__u8 address[16]; /* network order; host bits zero; IPv4 in the first four */
};

/* --- interfaces and ports --- */

struct fib_interface {
	__u32 ifindex;
	__u32 parent;   /* VLAN sub-interface: ifindex of the device below, else 0 */
	__u16 tpid;     /* VLAN: ETH_P_8021Q or ETH_P_8021AD, host order, else 0 */
	__u16 vid;      /* VLAN id */
	__u8 mac[6];    /* of the interface itself */
	bool up;        /* administratively up and has carrier, the devices below too */
	bool ethernet;  /* frames with Ethernet headers; else never an egress */
	bool plain_tag; /* VLAN: the tag it pushes has priority 0 (no egress QoS map) */
	bool forward4, forward6;
	bool redirects;   /* send_redirects */
	__u8 rp_filter;   /* 0, 1, 2: the effective one */
	__u32 table;      /* routing table of its VRF; RT_TABLE_MAIN without one */
	__u32 mtu4, mtu6; /* what the kernel applies to forwarded packets of each family */
	enum reason punt; /* not 0: everything that comes in here goes to the kernel, for this reason */
};

/*
 * Adds or changes. -ENOSPC: a table is full; the interface's packets go to the kernel until there is room.
 * -EINVAL: VLAN id or protocol out of range, or RT_TABLE_LOCAL as the table of a VRF.
 */
int fib_interface_set(struct fib *fib, const struct fib_interface *interface);
/* Forgets it; next hops through it become EGRESS_DOWN until their routes go. Unknown ifindex: no effect. */
void fib_interface_delete(struct fib *fib, __u32 ifindex);

/* Makes an interface a port: an engine runs the program there. -ENOSPC, -EEXIST; -ENOENT: it is unknown. */
int fib_port_add(struct fib *fib, __u32 ifindex, __u16 *ret_port);
/* Whether the port takes frames from other ports, and frames of several buffers. Initially neither. */
void fib_port_egress(struct fib *fib, __u16 port, bool able, bool frames);
/*
 * Whether VLAN tags may come in beside the frame, where the program does not see them: then, while the port
 * has sub-interfaces, nobody knows whose a frame is, and all go to the kernel (TAG_HIDDEN). Initially not.
 */
void fib_port_tags(struct fib *fib, __u16 port, bool hidden);
/* Whether the port has VLAN sub-interfaces. */
bool fib_port_tagged(const struct fib *fib, __u16 port);
void fib_port_delete(struct fib *fib, __u16 port);

/* --- leaves: what a route leads to --- */

struct fib_path {
	__u32 ifindex;
	__u8 family; /* of the gateway; 0 = on link: the destination is the neighbour */
	__u8 gateway[16];
	__u16 weight; /* >= 1 */
};

struct fib_leaf_spec {
	enum reason reason; /* not FORWARDED: all packets punt (or drop) for this reason, no paths */
	__u8 family;        /* of the packets: AF_INET or AF_INET6 */
	__u32 mtu;          /* route MTU, 0 = the egress interface's */
	__u32 path_count;   /* 1..256 */
	const struct fib_path *path;
};

/*
 * A leaf with this content, shared by all who ask for the same (interned). Each get needs a put. *ret_leaf is
 * always usable: if a table is full, it is the leaf TABLE_FULL and -ENOSPC is returned.
 */
int fib_leaf_get(struct fib *fib, const struct fib_leaf_spec *spec, __u32 *ret_leaf);
/*
 * A leaf of its own for a kernel next-hop object: its content can change under all its routes at once, O(1).
 * -ENOSPC from new with *ret_leaf == TABLE_FULL: no leaf at all. From new with another leaf, or from change:
 * the leaf is there and punts TABLE_FULL; it takes the content by itself when room returns. -EINVAL from
 * change: the leaf is not one of fib_leaf_new.
 */
int fib_leaf_new(struct fib *fib, const struct fib_leaf_spec *spec, __u32 *ret_leaf);
int fib_leaf_change(struct fib *fib, __u32 leaf, const struct fib_leaf_spec *spec);
void fib_leaf_put(struct fib *fib, __u32 leaf);

/* --- routes --- */

/*
 * Adds or replaces the route for a prefix in a table (the RIB hands over the best one only). The fib takes
 * its own reference on the leaf. `shadow`: no more specific prefix may show through (local table, policy
 * rules, martian ranges): destinations below go to the leaf too. RT_TABLE_LOCAL is looked at first for every
 * VRF, as the kernel does. -ENOSPC: the prefix punts (TABLE_FULL), is counted in fib_stats.punted_routes and
 * heals by itself when room returns.
 */
int fib_route_set(struct fib *fib, __u32 table, const struct fib_prefix *prefix, __u32 leaf, bool shadow);
/* Unknown prefix: no effect. */
void fib_route_delete(struct fib *fib, __u32 table, const struct fib_prefix *prefix);

/* --- neighbours --- */

/* The link address of a neighbour; mac NULL: not usable (failed, incomplete, deleted). */
int fib_neighbour_set(struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address, const __u8 *mac);
/*
 * Calls back for each (ifindex, address) that routes use as gateway: the mirror keeps these alive. Neighbours
 * on link that have host routes are in view_neighbours(); their entries age as the kernel wishes, packets to
 * one that is gone reach the kernel, which resolves it.
 */
void fib_gateways(const struct fib *fib,
		  void (*each)(void *arg, __u32 ifindex, __u8 family, const __u8 *address), void *arg);

/* --- the whole --- */

/* limits NULL: the defaults. The store is borrowed and must outlive the fib. -ENOMEM, -EINVAL, -ENOSPC. */
int fib_new(const struct fib_limits *limits, struct image_store *store, struct fib **ret);
/* The image stays as it is. NULL is fine. */
void fib_free(struct fib *fib);

/* Grace periods of this image: whoever reads it takes part (host/fib/grace.h). */
struct grace *fib_grace(struct fib *fib);

/*
 * While held, all packets punt (HELD), and loading many routes is cheap. A new fib is held; release it when
 * the tables are complete. fib_settle() builds what is missing in the image, then packets flow.
 */
void fib_hold(struct fib *fib, bool held);
/* Whether packets still punt for that reason. */
bool fib_held(const struct fib *fib);

/* Whether memory ran out, so that it is held for good. */
bool fib_lost(const struct fib *fib);

/* Finishes what waited for a grace period, recycles memory, compacts. Call when the loop is idle and at least
 * every 20 ms while it returns true (there is more to do). Never blocks for longer than about a millisecond.
 */
bool fib_settle(struct fib *fib);
/* A large change is not finished: fib_settle() goes on with it whenever it is called. */
bool fib_busy(const struct fib *fib);

/*
 * True once after leaves were refused (-ENOSPC) and there is room again: hand all routes in again, those that
 * lead to the leaf TABLE_FULL get a real one. Everything else that found a table full heals by itself.
 */
bool fib_room(struct fib *fib);

/*
 * The leaf of a packet to this address that came in by an interface of this table, after the VRF's default:
 * the image's answer. INTERFACE_UNKNOWN: no interface of ours uses the table. More in host/fib/view.h.
 */
__u32 fib_lookup(const struct fib *fib, __u32 table, __u8 family, const __u8 *address);

struct fib_stats {
	__u64 routes[2];      /* [0] IPv4, [1] IPv6 */
	__u64 punted_routes;  /* not in the image for want of room */
	__u64 changes;        /* calls that changed something */
	__u64 leaves_refused; /* times that a leaf, host route, interface or VRF found its table full */
	bool lost;            /* memory ran out: held for good */
	__u64 nexthop_stores; /* next-hop slots written: what changes of links and neighbours cost */
	__u32 leaves, groups, neighbours, host_routes, interfaces;
	__u32 port_used, interface_used, vlan_table_used, vrfs; /* slots, of IMAGE_PORTS and so on */
	__u32 node_used, node_limbo, node_total;                /* chunks */
	__u32 run_used, run_limbo, run_free, run_total;         /* cells */
	__u32 bucket_used, bucket_total; /* used: those waiting for a grace period too */
	__u32 nexthop_used, nexthop_total;
};
void fib_stats(const struct fib *fib, struct fib_stats *ret);

/* What the image can be full of. */
#define FIB_PARTS 6
struct fib_part {
	const char *name;
	__u32 used, total;
};
void fib_parts(const struct fib_stats *stats, struct fib_part ret[FIB_PARTS]);
