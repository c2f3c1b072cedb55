// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

#include "bench/lane.h"

// The router of a lane once more, as DPDK has it: two TAPs with the addresses, MACs, neighbours and VLANs of
// r0 and r1, which stand for the devices that DPDK's packet sockets make of r0 and r1. On a stick it is one.

struct taps {
	const struct lane *lane;
	struct lane_port in, out; // dp0 and dp1, or the VLAN over dp0
};

// Makes them, in the router's namespace. -ENOENT: this kernel has no TAPs.
int taps_open(const struct lane *lane, struct taps **ret_taps);

// Removes them, with the routes that lead there, and gives r0 and r1 their neighbours back; NULL is fine.
void taps_close(struct taps *taps);

// With on, the kernel itself takes no frames from r0 and its VLANs any more, which the packet socket sees
// nevertheless: they are to another MAC. Only while DPDK has the device, which otherwise gets the TAP's MAC.
int taps_alone(const struct taps *taps, bool on);
