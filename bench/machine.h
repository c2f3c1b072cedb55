// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <jansson.h>

#include "bench/lane.h"

// What a reader must know of the machine to judge a figure.

struct machine {
	char cpu[96];
	char kernel[160];
	unsigned int cpus; // online
};

// Reads what the kernel tells; what it does not is "unknown".
void machine_read(struct machine *machine);

// Returns the first CPU that this process may run on.
unsigned int machine_first_cpu(void);

// Returns the last CPU that this process may run on: the one to measure on, since interrupts tend to the
// first.
unsigned int machine_last_cpu(void);

// Returns the same as a JSON object, with the mitigations of CPU vulnerabilities, which cost a lot per
// packet, the governor and the limits of the clock, memory and its large pages, the hypervisor's mark, and
// the versions of what penstock is built with, and of DPDK's programs that ran.
json_t *machine_json(const struct machine *machine);

// Returns what is known of a port: driver, its version, firmware, queues, MTU; NULL: nothing.
json_t *machine_port_json(const struct lane_port *port);
