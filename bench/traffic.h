// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

#include "bench/histogram.h"

// What the generator and the sink in the kernel (bench/traffic.bpf.c) share with their owner
// (bench/generate.c).
//
// Frames are UDP: 60 bytes for IPv4, 78 for IPv6. The UDP source port is the index of the destination, so
// that the sink can tell for each frame where it was to go.

#define TRAFFIC_DESTINATIONS 65536 // as many as there are source ports
#define TRAFFIC_GATEWAYS     64
#define TRAFFIC_CPUS         256
#define TRAFFIC_TTL          64
#define TRAFFIC_PORT         9 // discard
#define TRAFFIC_FRAME4       60
#define TRAFFIC_FRAME6       78

struct traffic_destination4 {
	__u8 address[4];
	__u8 check[2]; // IPv4 header checksum at TRAFFIC_TTL, as it stands in the packet
	__u8 gateway;
	__u8 reserved;
};

struct traffic_destination6 {
	__u8 address[16];
	__u8 check[2]; // UDP checksum
	__u8 gateway;
	__u8 reserved;
};

// The first 64 bytes of a frame. As words, because copying bytes of unknown alignment is slow in eBPF.
union traffic_frame {
	__u8 bytes[64];
	__u64 words[8];
};

// The ways that a frame can take, each with its own devices and counters.
enum traffic_lane {
	TRAFFIC_SUBJECT,
	TRAFFIC_REFERENCE,
	TRAFFIC_LANES,
};

// One per CPU, on its own cache line.
struct traffic_sent {
	__u64 packets[TRAFFIC_LANES]; // also the index of the lane's next destination
} __attribute__((aligned(64)));

// Each kind of wrong counts on its own; a packet may be wrong in several ways.
enum traffic_wrong {
	TRAFFIC_WRONG_GATEWAY, // destination MAC is not the expected gateway's
	TRAFFIC_WRONG_SOURCE,  // source MAC is not the router's
	TRAFFIC_WRONG_TTL,     // TTL or hop limit is not one less
	TRAFFIC_WRONG_CHECKSUM,
	TRAFFIC_WRONG_DESTINATION,
	TRAFFIC_WRONG_LENGTH,
	TRAFFIC_WRONG_TAG, // another one than expected, or one where none is, or none; only where stamps are
			   // read
	TRAFFIC_WRONG_KINDS,
};

#define TRAFFIC_STAMP4  42
#define TRAFFIC_STAMP6  62
#define TRAFFIC_BEHIND4 (TRAFFIC_STAMP4 + 16)

// What the sink that meters wants in the payload, at TRAFFIC_STAMP4 or TRAFFIC_STAMP6.
struct traffic_stamp {
	__u64 sent_ns;  // CLOCK_MONOTONIC
	__u64 sequence; // below TRAFFIC_SEQUENCES
};

// What differs between the sizes of a load's frames.
struct traffic_size {
	__u16 size;                  // of the frame
	__u16 ip_length, udp_length; // big endian
	__u16 reserved;
	__u32 ip_sum; // of the IPv4 header, but for the destination, in memory's byte order
	__u32 sum;    // of what the UDP checksum goes over, but for destination, its index and stamp
};

#define TRAFFIC_SIZES 256
#define TRAFFIC_VLANS 8

// Which VLAN of a mix a frame has: number * this >> 32, modulo their count. No pattern that sizes, families
// or destinations have, too.
#define TRAFFIC_VLAN_SPREAD 0x9e3779b97f4a7c15ull

// How frames with stamps are sent. Set by the owner while nothing runs.
struct traffic_pace {
	__u64 begin_ns, per_ns; // frames in 2^-32 a ns; 0: no pace
	__u64 total;
	__u32 share6;                                  // of 100 frames, how many are IPv6
	__u32 turn;                                    // of sizes
	__u16 vlans[TRAFFIC_VLANS];                    // 0: no tag
	__u32 vlan_count;                              // of these; 0: none has a tag
	__u8 behind4[TRAFFIC_STAMP6 - TRAFFIC_STAMP4]; // of the pattern
	struct traffic_size sizes[TRAFFIC_SIZES][2];
};

#define TRAFFIC_PART  512 // bytes that are summed up at once
#define TRAFFIC_PARTS 18  // of a frame of 9014 bytes

// A frame's tag, as the sink expects it: this and the 16 bits behind the Ethertype; 0: none.
#define TRAFFIC_TAGGED 0x10000
#define TRAFFIC_TAG    4 // bytes

// What the kernel's pktgen begins its stamp with.
#define TRAFFIC_PKTGEN    0xbe9be955
#define TRAFFIC_SEQUENCES (1u << 26) // packets of one trial, at most

// One per CPU.
struct traffic_meter {
	__u64 duplicate; // arrived before
	__u64 late;      // behind one with a higher number
	__u64 corrupt;   // no sequence number of ours
	__u64 latency[HISTOGRAM_BUCKETS];
} __attribute__((aligned(64)));

struct traffic_arrived {
	__u64 packets; // of ours, right or wrong
	__u64 foreign; // not of ours: another protocol or port, or sent before
	__u64 wrong[TRAFFIC_WRONG_KINDS];
} __attribute__((aligned(64)));
