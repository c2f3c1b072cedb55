// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>
#include <net/if.h>

// Changes to links, addresses and neighbours of the namespace in which the socket was opened, one at a time,
// each acknowledged. Routes by the million go through bench/inject.h.

struct rtnetlink;

// One end of a veth pair to make: its name, its MAC and the namespace (a descriptor) it shall live in.
struct rtnetlink_end {
	char name[IFNAMSIZ];
	__u8 mac[6];
	int netns;
};

// Opens a socket in the calling thread's namespace.
int rtnetlink_open(struct rtnetlink **ret_rtnetlink);

// Opens one in another namespace, to which it belongs from then on.
int rtnetlink_open_in(int netns, struct rtnetlink **ret_rtnetlink);

// Closes the socket; NULL is fine.
void rtnetlink_close(struct rtnetlink *rtnetlink);

// Makes a veth pair, each end in its namespace.
int rtnetlink_veth(struct rtnetlink *rtnetlink, const struct rtnetlink_end *end,
		   const struct rtnetlink_end *peer);

// Makes the VLAN vid (802.1Q) over a link. -EOPNOTSUPP: this kernel has none.
int rtnetlink_vlan(struct rtnetlink *rtnetlink, int below, const char *name, __u16 vid);

// Removes all VLANs over a link.
int rtnetlink_remove_vlans(struct rtnetlink *rtnetlink, int below);

// Removes the link; of a veth pair, both ends.
int rtnetlink_remove(struct rtnetlink *rtnetlink, int ifindex);

// Sets the link up.
int rtnetlink_up(struct rtnetlink *rtnetlink, int ifindex);

// Sets the link down.
int rtnetlink_down(struct rtnetlink *rtnetlink, int ifindex);

// Moves the link into another namespace.
int rtnetlink_move(struct rtnetlink *rtnetlink, int ifindex, int netns);

// Whoever uses a link: sets ret_use to what it "has" or "is", NULL: nobody.
int rtnetlink_use(struct rtnetlink *rtnetlink, int ifindex, const char **ret_use);

// Makes the link take frames for any address.
int rtnetlink_promiscuous(struct rtnetlink *rtnetlink, int ifindex);

// Sets the MTU of the link.
int rtnetlink_mtu(struct rtnetlink *rtnetlink, int ifindex, __u32 mtu);

// Adds an address with its connected prefix, without duplicate address detection.
int rtnetlink_address(struct rtnetlink *rtnetlink, int ifindex, __u8 family, const void *address,
		      __u8 length);

// Adds a permanent neighbour or gives it another MAC.
int rtnetlink_neighbour(struct rtnetlink *rtnetlink, int ifindex, __u8 family, const void *address,
			const __u8 mac[6]);

// Makes next-hop object id the group of the objects first, first + 1, ..., all with the same weight.
int rtnetlink_group(struct rtnetlink *rtnetlink, __u32 id, __u32 first, unsigned int count);
