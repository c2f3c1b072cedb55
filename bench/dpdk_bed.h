// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>

#include "bench/guard.h"
#include "bench/workload/table.h"

// Where the DPDK engine and l3fwd are compared: a namespace with TAPs that outlive the daemon and routes
// behind one of them, the same routes as rules of l3fwd, and captures to send.

#define DPDK_BED_PATH 96

enum dpdk_bed_traffic { DPDK_BED_UNIFORM, DPDK_BED_FEW, DPDK_BED_TRAFFICS };

struct dpdk_bed {
	struct guard guard; // its names[0] is the namespace
	int netns;
	char directory[DPDK_BED_PATH]; // of its own, for files
	__u8 family;
	struct table *routes; // of the family
	int ingress, egress;  // ifindex of dp0 and dp1
};

// Makes it, with generated routes of a family. Before any thread is started. Tells errors on stderr.
int dpdk_bed_open(struct dpdk_bed *bed, __u8 family, size_t routes);

// Writes captures of packets frames to directory/uniform.pcap (a destination each, drawn over the prefixes)
// and directory/few.pcap (so many destinations in turn), directory/rules4 and directory/rules6.
int dpdk_bed_files(const struct dpdk_bed *bed, unsigned int packets, unsigned int few);

// Removes all.
void dpdk_bed_close(struct dpdk_bed *bed);

const char *dpdk_bed_traffic_name(enum dpdk_bed_traffic traffic);
