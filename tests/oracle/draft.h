// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A packet as its parts, before it is written down. Lengths and checksums are right unless a part says
 * otherwise, so that a spoiled packet is spoiled in one place and sound everywhere else.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#define DRAFT_FRAME   9216 // longest frame
#define DRAFT_TAGS    4
#define DRAFT_OPTIONS 40
#define DRAFT_CHAIN   512

struct draft_tag {
	__u16 tpid, tci;
};

struct draft {
	__u8 destination_mac[6], source_mac[6];
	__u32 tag_count;
	struct draft_tag tag[DRAFT_TAGS]; // outermost first
	__u16 ethertype;

	__u8 family; // AF_INET or AF_INET6: how the header is laid out
	__u8 version;
	__u8 tos, ttl;
	__u8 protocol;  // IPv6: of the payload; next headers of the chain come before it
	__u16 id;       // IPv4
	__u16 fragment; // IPv4: flags and offset
	__u32 label;    // IPv6 flow label
	__u8 source[16], destination[16];
	__u32 option_count;
	__u8 option[DRAFT_OPTIONS]; // IPv4, padded with zeroes to a word
	int header_words;           // IPv4: IHL as written; -1: the right one
	__u8 chain_first;           // IPv6: next header field of the fixed header, where there is a chain
	__u32 chain_count;
	__u8 chain[DRAFT_CHAIN]; // IPv6 extension headers, complete

	__u32 payload; // bytes behind the IP headers
	__u16 source_port, destination_port;
	__u64 mark; // written into the payload, where it has room

	int length_error;    // added to the IP length field
	__s32 checksum;      // IPv4: as written; -1: the right one
	__s32 checksum_edge; // IPv4: choose the id so that this is the right one; -1: leave the id
	__u32 trailer;       // bytes behind the packet
	__u8 trailer_byte;
	__u32 cut; // not 0: cut the frame to so many bytes
};

// Sets a draft to a sound packet of a family without addresses.
void draft_start(struct draft *draft, __u8 family);

// Length of the IP packet, header included, as it should be.
__u32 draft_ip_length(const struct draft *draft);

// Sets the payload so that the IP packet gets this length, if that is possible.
void draft_set_ip_length(struct draft *draft, __u32 length);

// Writes the frame; returns its length.
__u32 draft_write(const struct draft *draft, __u8 ret_frame[DRAFT_FRAME]);
