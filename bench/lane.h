// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <linux/types.h>
#include <net/if.h>

// One way through the test bed: S:s <-> r0:R:r1 <-> d:T. Frames enter the router namespace R by r0 and leave
// by r1 towards gateways on T's side, which are neighbours only: nobody answers there, the sink on d takes
// what comes. Lanes side by side use the same addresses and MACs, so that a frame can take either.
//
// With tags, frames enter by VLANs over r0. On a stick, they also leave by one over r0: r1 is that VLAN, d is
// s, or whatever port a switch between them leads that VLAN to.

#define LANE_GATEWAYS 8
#define LANE_VLANS    8

struct lane_port {
	char name[IFNAMSIZ];
	__u8 mac[6];
	int netns;   // descriptor, not owned
	int ifindex; // in that namespace
};

struct lane_vlans {
	__u16 in[LANE_VLANS]; // that frames enter by, in a mix; 0: no tag
	unsigned int count;   // of these; 0: none has a tag
	__u16 out;            // that they leave by, on a stick; 0: by r1, without a tag
};

struct lane {
	struct lane_port s, r0, r1, d;
	struct lane_vlans vlans;
};

// Makes lane number `number` through three namespaces: links up, addresses, permanent neighbours, sysctls.
int lane_open(struct lane *lane, unsigned int number, int source, int router, int target);

// Sets up a lane of ports that are there, with or without the router's: links up, all else as lane_open(). A
// router on a stick has no r1 yet, name "".
int lane_adopt(struct lane *lane, bool router);

// Sets up the ports of the router in their namespace: links up, addresses, neighbours, and their ifindex.
int lane_furnish(struct lane *lane);

// Makes the lane's VLANs over r0, and all of it a stick where they say so: r1, if there is one, goes.
// -EOPNOTSUPP: this kernel has none.
int lane_tag(struct lane *lane);

// Writes what the VLAN over a router's port is called, however long that one's name is.
void lane_vlan_name(const struct lane_port *port, __u16 vlan, char name[IFNAMSIZ]);

// Makes s and d take frames of every VLAN, and d leave the tags in them. -EOPNOTSUPP: it cannot.
int lane_see_tags(const struct lane *lane);

// Is it one end of a veth pair, which hands tags over as it has them?
bool lane_is_veth(const struct lane_port *port);

// Sets the MTU of all its ports.
int lane_mtu(const struct lane *lane, __u32 mtu);

// Adds the router's neighbours again, which go with a change of a port's MAC.
int lane_introduce(struct lane *lane);

// Gives every port so many queues, one for each CPU that sends.
int lane_queues(const struct lane *lane, unsigned int count);

// Sets one port down.
int lane_port_down(const struct lane_port *port);

// Sets s or d up.
int lane_end_up(struct lane_port *port);

// Sets r1 up again after lane_port_down(), with the addresses and neighbours that it lost.
int lane_revive(struct lane *lane);

// Returns the number of the gateway that stands for a next-hop id of a table.
static inline unsigned int lane_gateway(__u32 nexthop)
{
	return nexthop % LANE_GATEWAYS;
}

// Writes the MAC of gateway number index.
void lane_gateway_mac(unsigned int index, __u8 mac[6]);

// Writes the address (4 or 16 bytes) of gateway number index.
void lane_gateway_address(unsigned int index, __u8 family, __u8 *address);

// Writes the address (4 or 16 bytes) of the router's port 0 or 1.
void lane_router_address(unsigned int port, __u8 family, __u8 *address);

// Writes the address (4 or 16 bytes) that the traffic comes from.
void lane_source_address(__u8 family, __u8 *address);
