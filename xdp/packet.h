// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A packet on its way through the program. The stages fill it from top to bottom; each reads only what the
 * stages before it wrote. All fields are host order unless their name ends in _be; the word-wide loads are
 * little-endian, as every machine is that runs this.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "xdp/image.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "frames are read and written in little-endian words");

enum family { IPV4, IPV6 };

/* Never one integer for two kinds of protocol number. */
struct ethertype {
	__be16 be;
};
struct protocol {
	__u8 number;
};

/* Added to the length where the frame has several buffers: longer than any MTU, looked at when it is too
 * long. */
#define PACKET_MANY 0x10000u

/* No driver splits a frame before this many bytes. */
#define BUFFER_LEAST 1536

struct packet {
	/* parse */
	void *data, *end; /* the first buffer of the frame */
	void *ip;         /* the IP header: data + 14 + 4 * tags */
	__u32 length;     /* bytes of the IP packet, header included; PACKET_MANY added: see there */
	__u8 tags;        /* VLAN tags of the frame, 0..2 */
	enum family family;
	__u32 outer_tag; /* {tpid_be, tci_be} */
	__u32 inner_tag;
	__u32 ttl_word; /* IPv4: the header's third word {ttl, protocol, checksum_be}; IPv6: the hop limit */
	__be32 source4_be, destination4_be;
	struct route_key source6, destination6;

	/* admit */
	const struct image_interface *in;
	__u32 in_index;

	/* route, nexthop */
	__u32 leaf;
	const struct image_nexthop *nexthop;
};
