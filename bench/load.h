// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/generate.h"

// What a generator is to send: how much of it, how large, to whom; and the frames themselves, made one by
// one.
//
// A frame carries a number and the time at which it was made. Behind these, its payload is a pattern, and the
// UDP checksum goes over all of it, so that the sink that meters finds what a router broke.

#define LOAD_SIZES   4
#define LOAD_LARGEST 9014 // bytes of a frame, without FCS: an MTU of 9000

// When the packets of a capture are sent; others have no times of their own.
enum load_timing { LOAD_AT_RATE, LOAD_AS_CAPTURED };

// How often destinations come: each in turn; by zipf(1.0); the same, in trains of packets to one of them.
enum load_order { LOAD_UNIFORM, LOAD_ZIPF, LOAD_TRACE };

struct load {
	__u8 family;               // AF_INET, AF_INET6; AF_UNSPEC: both
	unsigned int share6;       // of both: how many in 100 are IPv6
	unsigned int flows;        // how many destinations, each from one port; 0: TRAFFIC_DESTINATIONS
	double rate;               // packets a second; 0: as many as the generator can
	__u64 packets;             // how many; 0: as many as rate and seconds say
	double seconds;            // at most TRAFFIC_SEQUENCES packets in all
	__u16 sizes[LOAD_SIZES];   // bytes of frames without FCS, 0: no more; too small ones are made larger
	__u16 weights[LOAD_SIZES]; // how many of each in turn
	enum load_order order;
	struct lane_vlans vlans; // whose tags frames have, which makes these longer
	unsigned int attack; // of LOAD_PACKETS, how many are an attack, see load_attack(); by generator_afxdp
	enum load_timing timing;
	double late;      // 0: makes up for time that it stood still, at full speed; else for so many seconds
			  // at most, and sleeps while nothing is due; by generator_afxdp
	unsigned int cpu; // where the generator runs
};

#define LOAD_PACKETS 16

// What a packet to a destination is. Attacks come from a random source each; those that expire have a TTL of
// 1, the others should be for where no route leads.
enum load_attack { LOAD_GOOD, LOAD_STRANGE, LOAD_EXPIRED };

static inline enum load_attack load_attack(unsigned int attack, unsigned int destination)
{
	unsigned int turn = destination * 5 % LOAD_PACKETS; // not all in a row

	return turn >= attack ? LOAD_GOOD : turn % 2 ? LOAD_EXPIRED : LOAD_STRANGE;
}

struct load_frames {
	const struct generate *generate; // whose destinations they go to
	struct load load;
	union traffic_frame heads[2];
	__u16 sizes[TRAFFIC_SIZES]; // of frames, in turn
	unsigned int turn;
	__u16 order[TRAFFIC_DESTINATIONS]; // destinations, in turn
	__u8 pattern[LOAD_LARGEST];
	__u32 sums[LOAD_LARGEST / 2 + 1]; // of the pattern from its begin up to each second byte
};

// The bytes of the largest frame, with a tag if some have one.
unsigned int load_largest(const struct load *load);

// How many packets it has; 0: as many as can be sent in its seconds.
static inline __u64 load_packets(const struct load *load)
{
	return load->packets ? load->packets : load->rate * load->seconds;
}

// The VLAN of frame `number`; 0: none.
static inline __u16 load_vlan(const struct load *load, __u64 number)
{
	return load->vlans.count ? load->vlans.in[(number * TRAFFIC_VLAN_SPREAD >> 32) % load->vlans.count]
				 : 0;
}

// Does frame `number` belong to IPv6?
static inline bool load_is_six(const struct load *load, __u64 number)
{
	return load->family == AF_UNSPEC ? number * load->share6 % 100 < load->share6
					 : load->family == AF_INET6;
}

// Prepares the frames of a load from s to r0 of a lane. -EMSGSIZE, -EINVAL: too large or too many.
int load_prepare(struct load_frames *frames, const struct load *load, const struct lane *lane,
		 const struct generate *generate);

// Writes frame `number`, sent now; returns its size.
__u32 load_frame(const struct load_frames *frames, __u64 number, __u64 now_ns, __u8 *bytes);

// The destination of frame `number`.
static inline __u16 load_destination(const struct load_frames *frames, __u64 number)
{
	return frames->order[number % TRAFFIC_DESTINATIONS];
}

// Tells the program that sends live frames what frames there are and when they are due, but for the begin.
void load_pace(const struct load_frames *frames, struct traffic_pace *ret_pace);
