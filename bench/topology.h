// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/guard.h"
#include "bench/lane.h"

// The test bed: traffic goes from namespace S to namespace T, through the router under test in namespace R,
// or through the reference router in namespace Q, so that both can be measured in turns while both are in
// place.

enum topology_namespace {
	TOPOLOGY_SOURCE,    // S
	TOPOLOGY_ROUTER,    // R
	TOPOLOGY_REFERENCE, // Q
	TOPOLOGY_TARGET,    // T
	TOPOLOGY_NAMESPACES,
};

// Ports of this machine in place of those of the test bed; NULL: none.
struct topology_ports {
	const char *tx, *rx; // on a stick, may be the same one
	const char *dut[2];  // none: the router is another machine
	bool stick;          // the router has but one, dut[0]
};

struct topology {
	int netns[TOPOLOGY_NAMESPACES]; // descriptors
	struct lane subject, reference;
	struct guard
		guard; // its names are those under /run/netns; its file is for a configuration of penstock
};

// Makes the test bed. However the caller ends, the namespaces and what is in them go with it. Call it before
// any thread is started.
int topology_open(struct topology *topology);

// The same with ports of this machine, which are moved into it and brought home at the end. `why` names the
// port that cannot be used.
int topology_open_ports(struct topology *topology, const struct topology_ports *ports, struct why *why);

// Is the router under test between ports of this machine that are not of the test bed's making?
bool topology_has_ports(const struct topology *topology);

// Removes the test bed and waits until the names are gone.
void topology_close(struct topology *topology);

// Makes VLANs over the port of the router under test that frames come to, and has the sink see their tags.
// `why` says what does not know VLANs. A router elsewhere has made its own.
int topology_tag(struct topology *topology, const struct lane_vlans *vlans, struct why *why);

// Sets the MTU of all ports.
int topology_mtu(const struct topology *topology, unsigned int mtu);

// One of the two, for a bench by that name ("bench program"): tells on stderr why there is no test bed.
// ports NULL, or without any: the test bed's own.
int topology_open_for(const char *bench, const struct topology_ports *ports, struct topology *topology);
