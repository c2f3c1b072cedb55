// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Interfaces by ifindex: what the kernel says of them, how they stand one above the other (VLAN
 * sub-interfaces on devices), and their slots in image_tables.interface.
 *
 * An interface has a slot if packets can come in by it: it is a port (slot port + 1), or stands at most two
 * VLAN tags above one (a slot behind those of the ports). What is sent out by it leaves by the same port,
 * with the tags on the way down to it.
 *
 * An interface that routes, neighbours or sub-interfaces name before the kernel has announced it, or after it
 * has gone, is kept as a place-holder that is not `known`.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/fib/hash.h"
#include "host/fib/pool.h"
#include "host/fib/port.h"
#include "host/fib/vlan_table.h"
#include "xdp/image.h"

struct adjacency;
struct neighbour;
struct table;

LIST_HEAD(interface_list, interface);
LIST_HEAD(interface_adjacencies, adjacency);
LIST_HEAD(interface_neighbours, neighbour);

struct interface {
	struct hash_node node;
	struct fib_interface is; /* .ifindex is valid even if not known */
	bool known;
	struct pool *starved; /* had no room for what the interface needs: tried again when it has */
	int port;             /* -1: not a port itself */
	__u16 slot;           /* 0: none */
	__u16 vlan[2];        /* table for tags of 802.1Q and 802.1ad; 0: none */
	__u16 tag_table;      /* the VLAN table of the device below, once it leads here; 0: it does not */
	struct table *vrf;    /* NULL: none, while there is no slot or no room */
	struct interface *parent;
	struct interface_list children;
	struct interface_adjacencies adjacencies; /* with this egress and a gateway */
	struct interface_adjacencies on_link;     /* with this egress and none */
	struct interface_neighbours neighbours;
	LIST_ENTRY(interface) sibling;
};

struct interfaces {
	struct hash hash;
	struct pool slots;
	struct ports ports;
	struct vlan_tables vlan_tables;
	struct image_tables *image;
	__u32 known, starved; /* how many are */
	__u64 refused;        /* times that a table had no room */
};

int interfaces_init(struct interfaces *interfaces, struct image_tables *image, const struct grace *grace);
void interfaces_exit(struct interfaces *interfaces);

struct interface *interface_find(const struct interfaces *interfaces, __u32 ifindex);
/* Finds it or makes a place-holder. NULL: no memory. */
struct interface *interface_get(struct interfaces *interfaces, __u32 ifindex);
/* Frees a place-holder that nothing names any more; anything else stays. */
void interface_drop(struct interfaces *interfaces, struct interface *interface);

/* Puts an interface above another one; NULL: above none. */
void interface_stack(struct interface *interface, struct interface *parent);

/* Calls each for the interface and all that stand above it, lower ones first. */
void interface_above(struct interface *interface, void (*each)(void *arg, struct interface *interface),
		     void *arg);

/*
 * Gives the interface the slot it ought to have, after anything changed on the way down to its port. If the
 * slot changes, all above lose theirs: go on with them, lower ones first. No room: slot 0, starved.
 */
void interface_place(struct interfaces *interfaces, struct interface *interface);
/* Whether VLAN sub-interfaces stand on it. */
bool interface_tagged(const struct interface *interface);
/* TAG_HIDDEN: its port may hide tags and has sub-interfaces, so that nobody knows by which of them frames
 * come. */
enum reason interface_tags(const struct interfaces *interfaces, const struct interface *interface);
/* Takes the slots of the interface and all above out of the image. */
void interface_unplace(struct interfaces *interfaces, struct interface *interface);
/*
 * Writes the slot, then leads the interface's tag to it. vrf: index of its VRF in the image. punt: sends what
 * comes in to the kernel, besides what the interface itself asks for.
 */
void interface_publish(struct interfaces *interfaces, struct interface *interface, __u16 vrf,
		       enum reason punt);

/* Notes that the pool had no room for what the interface needs. interface_place() forgets it. */
void interface_starve(struct interfaces *interfaces, struct interface *interface, struct pool *pool);
/* Calls each for the interfaces whose pool has room again. */
void interfaces_starved(struct interfaces *interfaces, void (*each)(void *arg, struct interface *interface),
			void *arg);
/* All interfaces and place-holders in no order. */
void interfaces_each(const struct interfaces *interfaces,
		     void (*each)(void *arg, const struct interface *interface), void *arg);
/* Whether a slot, port or table waits for a grace period. */
bool interfaces_wait(const struct interfaces *interfaces);

/* How frames leave by an interface. */
struct egress {
	enum reason reason; /* FORWARDED: the rest is valid; else why nothing leaves here */
	__u16 port;
	bool frames; /* takes frames of several buffers */
	__u8 tags;
	__be32 tag[2]; /* {tpid, tci} as in the frame, outermost first */
	__u32 room;    /* longest IP packet behind these tags that the port sends */
};
void interface_egress(const struct interfaces *interfaces, const struct interface *interface,
		      struct egress *ret);
