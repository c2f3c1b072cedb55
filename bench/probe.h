// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/generate.h"

// Single frames through the router, to see what the data plane does at this moment. A frame goes from s into
// r0, through the router's program and into the sink within the call that sends it, unless the CPU is taken
// away in between; so the answer is as fresh as the call is short, some ten microseconds.

struct probe;

enum probe_fate {
	PROBE_RIGHT,   // arrived with the MAC of the gateway that the generator's destinations tell
	PROBE_WRONG,   // arrived with another one
	PROBE_MISSING, // did not arrive within PROBE_PATIENCE_NS
};

#define PROBE_PATIENCE_NS 1000000

// Opens the socket on s; the topology and the generator, which must not run meanwhile, outlive the probe.
int probe_open(const struct topology *topology, const struct generate *generate, struct probe **ret_probe);

// Ends a stream and closes; NULL is fine.
void probe_close(struct probe *probe);

// Sends a frame to a destination, which is number index of the generator's.
int probe_send(struct probe *probe, __u8 family, const __u8 *address, __u16 index);

// Sends a frame and waits for it at the sink.
int probe_ask(struct probe *probe, __u8 family, const __u8 *address, __u16 index, enum probe_fate *ret_fate);

// Sends frames to all destinations of both families in turn, one each PROBE_PAUSE_NS, until
// probe_stream_stop(), which returns how many went out.
int probe_stream_start(struct probe *probe, const struct generate_destination *const destinations[2],
		       unsigned int count);
__u64 probe_stream_stop(struct probe *probe);

#define PROBE_PAUSE_NS 200000
