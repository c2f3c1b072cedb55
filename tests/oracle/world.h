// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A world: what one router has been told, as an operator would tell it. Interfaces, their addresses, routes,
 * neighbours. Plain structs, no cleverness. Three things are made from it: the tables of the product (through
 * host/fib), a live kernel's configuration (tests/conformance/twin), and the answers of the naive router.
 *
 * Interface k has the ifindex WORLD_FIRST_IFINDEX + k. Addresses bring the routes that the kernel would add
 * for them: local, broadcast or anycast, and connected.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "xdp/verdict.h"

struct lpm;
struct random;

#define WORLD_FIRST_IFINDEX 100
#define WORLD_INTERFACES    64
#define WORLD_TABLES        16
#define WORLD_PATHS         64
#define WORLD_ADDRESSES     4

struct world_prefix {
	__u8 family; // AF_INET or AF_INET6
	__u8 length;
	__u8 address[16]; // network order, IPv4 in the first four bytes
};

struct world_interface {
	char name[16];
	__u32 ifindex;
	__u32 parent;    // ifindex of the device below, 0 for a port
	__u16 tpid, vid; // of a VLAN sub-interface, host order
	__u8 mac[6];
	__u32 table; // RT_TABLE_MAIN, or its VRF's
	__u32 mtu;
	bool up;
	bool able;  // a port: takes frames from other ports
	bool hides; // a port: tags may be beside the frames it receives, where the product does not see them
	bool foreign; // a port that the product does not serve
	bool forward4, forward6, redirects;
	__u8 rp_filter;
	enum reason punt; // not 0: the daemon leaves everything that comes in here to the kernel
	__u32 address_count;
	struct world_prefix address[WORLD_ADDRESSES]; // with host bits
};

struct world_path {
	__u32 ifindex;
	__u8 family; // of the gateway; 0: on link, the destination is the neighbour
	__u8 gateway[16];
	__u16 weight;
};

struct world_route {
	struct world_prefix prefix;
	__u32 table;
	__u8 type;      // RTN_UNICAST, RTN_BLACKHOLE...
	__u8 automatic; // comes with an address
	__u32 mtu;      // 0: the interface's
	__u32 path_count;
	__u32 first_path; // index into world.path
};

struct world_neighbour {
	__u32 ifindex;
	__u8 family;
	__u8 address[16];
	__u8 mac[6];
	bool resolved;
};

struct world_table {
	__u32 id;
	struct lpm *lpm[2]; // IPv4, IPv6; the value is an index into world.route
};

struct world {
	__u32 interface_count, route_count, route_room, path_count, path_room, neighbour_count,
		neighbour_room;
	__u32 table_count;
	struct world_interface interface[WORLD_INTERFACES];
	struct world_route *route;
	struct world_path *path;
	struct world_neighbour *neighbour;
	struct world_table table[WORLD_TABLES];
	struct lpm *neighbours[WORLD_INTERFACES][2]; // address to index into world.neighbour
	bool vrfs;   // a policy rule for VRFs exists: Linux then looks every IPv4 source up
	bool beside; // hosts have VLAN devices, which hand tags over beside the frame, not in it
	bool odd;    // the live router knows more than the world says: the naive one cannot tell
	bool full;   // the product's tables may be too small for it: any packet may be punted for that
};

// Returns an empty world, or NULL without memory.
struct world *world_new(void);
void world_free(struct world *world);

// Adds an interface; fills in its ifindex and name ("w" and a number) and returns it, to be changed freely
// before addresses are added.
struct world_interface *world_add_interface(struct world *world);

// Gives an interface an address with host bits, and the world the routes that Linux adds for it.
void world_add_address(struct world *world, struct world_interface *interface,
		       const struct world_prefix *address);

// Adds a route or replaces the one for its prefix and table; paths are copied.
void world_add_route(struct world *world, const struct world_route *route, const struct world_path *paths);

// Returns a table's route for exactly this prefix, NULL if there is none.
const struct world_route *world_route(const struct world *world, __u32 table,
				      const struct world_prefix *prefix);

// Takes a route out; what it was stays in world.route, with type RTN_UNSPEC. False: it was not there.
bool world_delete_route(struct world *world, __u32 table, const struct world_prefix *prefix);

// Adds a neighbour or replaces it.
void world_add_neighbour(struct world *world, const struct world_neighbour *neighbour);

// Returns the interface with this ifindex, NULL if there is none.
const struct world_interface *world_interface(const struct world *world, __u32 ifindex);

// Returns the sub-interface for a tag on a device, NULL if there is none.
const struct world_interface *world_sub_interface(const struct world *world, __u32 parent, __u16 tpid,
						  __u16 vid);

// Returns the port at the bottom of an interface.
const struct world_interface *world_port(const struct world *world, const struct world_interface *interface);

// Returns the longest match in one table, NULL if there is none.
const struct world_route *world_lookup(const struct world *world, __u32 table, __u8 family,
				       const __u8 *address);

// Returns the neighbour, NULL if there is none.
const struct world_neighbour *world_neighbour(const struct world *world, __u32 ifindex, __u8 family,
					      const __u8 *address);

// Whether any interface has this address.
bool world_is_own(const struct world *world, __u8 family, const __u8 *address);

// What kind of world to draw.
struct world_options {
	__u32 ports;          // 1..16
	__u32 sub_interfaces; // 802.1Q and QinQ sub-interfaces in all
	__u32 vrfs;           // 0..8
	__u32 routes;         // drawn for each table and family
	bool single;          // no route has several paths
	bool live;            // only what a real kernel of a test can be brought into
};

// Draws a world; the same seed and options give the same one. NULL without memory.
struct world *world_random(__u64 seed, const struct world_options *options);

// What has been changed in a world.
struct world_change {
	enum { WORLD_ROUTE, WORLD_ROUTE_GONE, WORLD_NEIGHBOUR, WORLD_INTERFACE } kind;
	__u32 index; // into world.route, .neighbour or .interface
};

// Changes something: most often a route comes, goes or gets other content, sometimes a neighbour its link
// address, or an interface its switches or MTU.
struct world_change world_change(struct world *world, const struct world_options *options,
				 struct random *random);
