// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <linux/types.h>

#include "bench/topology.h"
#include "bench/traffic.h"

// The generator on S and the sinks on T, for both lanes of the topology. The generator runs in its own
// thread, bound to one CPU; on veth the router and the sink then run there too, each batch of 64 frames from
// end to end before the next one is made.

struct generate;
struct load_frames;

// One destination: its address (4 or 16 bytes) and the gateway whose MAC its packets must arrive with.
struct generate_destination {
	__u8 address[16];
	__u8 gateway;
};

struct generate_counts {
	__u64 sent;    // frames made
	__u64 arrived; // frames of ours at the sink, right or wrong
	__u64 wrong[TRAFFIC_WRONG_KINDS];
	__u64 foreign; // frames at the sink that are not of ours
};

// Where the two clocks and the counters stood at one moment.
struct generate_sample {
	__u64 wall_ns;
	__u64 cpu_ns; // work of the generator's thread and of its CPU's ksoftirqd
	struct generate_counts counts[TRAFFIC_LANES];
};

// Loads the programs, attaches the sinks. The topology must outlive the generator.
int generate_open(const struct topology *topology, struct generate **ret_generate);

// Detaches and frees; NULL is fine.
void generate_close(struct generate *generate);

// Takes over MACs of the subject's lane that have changed.
void generate_learn(struct generate *generate);

// Sets the destinations of a family: frame i goes to destination i modulo TRAFFIC_DESTINATIONS, count (at
// most TRAFFIC_DESTINATIONS, a power of 2) of them repeat. Nothing may run.
void generate_set_destinations(struct generate *generate, __u8 family,
			       const struct generate_destination *destinations, unsigned int count);

// The address that frames with this index go to.
const __u8 *generate_destination(const struct generate *generate, __u8 family, __u16 index);

// With off, the sink of the subject's lane expects every packet at gateway 0, as that of the reference always
// does, for routers that look nothing up. Nothing may run.
void generate_expect_gateways(struct generate *generate, bool on);

// What TTL or hop limit packets must arrive with; TRAFFIC_TTL - 1 from the begin. Nothing may run.
void generate_expect_ttl(struct generate *generate, __u8 ttl);

// Whether the router of the subject's lane takes one off TTL (IPv4) and hop limit (IPv6), as a router must;
// from the begin it does. Nothing may run.
void generate_expect_aging(struct generate *generate, bool ipv4, bool ipv6);

// Tells the sink how many devices of the kernel's pktgen send, each with so many source ports of its own from
// 0 on, and its own numbers.
void generate_know_devices(struct generate *generate, unsigned int devices, unsigned int ports);

// Tells the sink what time it is, for frames that carry the time of day.
void generate_know_clock(struct generate *generate);

// Starts sending frames of a family on the CPU, through the subject's lane; sets all counters to 0.
int generate_start(struct generate *generate, __u8 family, unsigned int cpu);

// Starts sending the frames of a load (bench/load.h), with stamps, through the subject's lane at their pace;
// the frames must outlive that.
int generate_start_load(struct generate *generate, const struct load_frames *frames);

// How many frames of the load are sent, and in what time.
__u64 generate_load_sent(const struct generate *generate, double *ret_seconds);

// Stops a load. Returns what ended it early.
int generate_stop_load(struct generate *generate);

// One more generator for another CPU, with the same destinations, sinks and counters, to send at the same
// time; start it before anything is read, for that sets counters to 0. Free it by free().
int generate_beside(const struct generate *generate, struct generate **ret_other);

// Sends through the other lane from the next frame on.
void generate_switch(struct generate *generate, enum traffic_lane lane);

// Reads clocks and counters while frames flow.
void generate_read(const struct generate *generate, struct generate_sample *ret_sample);

// Reads the counters of the subject's sink at any time, for frames that somebody else sends.
void generate_tally(const struct generate *generate, struct generate_counts *ret_counts);

// Stops, waits until nothing arrives any more and reads the final counters of each lane. Returns what ended
// the generator early.
int generate_stop(struct generate *generate, struct generate_counts ret_counts[TRAFFIC_LANES]);

// What became of frames with stamps.
struct generate_metered {
	struct generate_counts counts; // sent is not counted
	__u64 duplicate, late, corrupt;
	__u64 latency[HISTOGRAM_BUCKETS];
};

// What the subject's sink does.
enum generate_sink {
	GENERATE_SINK_COUNTS,   // of frames of its own
	GENERATE_SINK_METERS,   // the same, with stamps
	GENERATE_SINK_REPLAYED, // counts whatever the router sends
	GENERATE_SINK_PASSES,   // leaves it to packet sockets
};

// Puts another sink in the place of the subject's. Nothing may run.
int generate_sink(struct generate *generate, enum generate_sink sink);

// Forgets what was metered. What was sent before and arrives late is foreign from now on.
void generate_meter_reset(struct generate *generate);

// Reads what was metered, at any time.
void generate_meter_read(const struct generate *generate, struct generate_metered *ret_metered);

// Returns the name of a kind of wrong.
const char *generate_wrong_name(enum traffic_wrong kind);
