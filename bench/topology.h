// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>
#include <net/if.h>
#include <sys/types.h>

// The test bed: three namespaces in a row, S:s0 <-> r0:R:r1 <-> d0:T. Traffic enters the router R by r0 and
// leaves by r1 towards gateways on T's side, which are neighbours only: nobody answers there, the sink on d0
// takes what comes.

#define TOPOLOGY_GATEWAYS  8
#define TOPOLOGY_NAME_SIZE 48

struct topology_port {
	char name[IFNAMSIZ];
	__u8 mac[6];
	int netns;   // descriptor, owned by the topology
	int ifindex; // in that namespace
};

struct topology {
	char source_name[TOPOLOGY_NAME_SIZE]; // names under /run/netns
	char router_name[TOPOLOGY_NAME_SIZE];
	char target_name[TOPOLOGY_NAME_SIZE];
	int source, router, target; // descriptors of the namespaces
	struct topology_port s0, r0, r1, d0;
	pid_t guard;
	int guard_pipe;
};

// Makes the test bed. However the caller ends, killed included, a guard process then removes the names; the
// rest goes with them. Call it before any thread is started.
int topology_open(struct topology *topology);

// Removes the test bed and waits until the names are gone.
void topology_close(struct topology *topology);

// Returns the number of the gateway that stands for a next-hop id of a table.
static inline unsigned int topology_gateway(__u32 nexthop)
{
	return nexthop % TOPOLOGY_GATEWAYS;
}

// Writes the MAC of gateway number index.
void topology_gateway_mac(unsigned int index, __u8 mac[6]);

// Writes the address (4 or 16 bytes) of gateway number index.
void topology_gateway_address(unsigned int index, __u8 family, __u8 *address);

// Writes the address (4 or 16 bytes) that the traffic comes from.
void topology_source_address(__u8 family, __u8 *address);
