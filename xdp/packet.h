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

struct packet {
	/* parse */
	void *data, *end; /* the first buffer of the frame */
	void *ip;         /* the IP header: data + 14 + 4 * tags */
	__u32 frame;      /* bytes of the whole frame, all buffers, without FCS */
	__u16 length;     /* bytes of the IP packet, header included */
	__u8 tags;        /* VLAN tags of the frame, 0..2 */
	bool many;        /* the frame has several buffers */
	bool fragment;    /* the packet is a fragment, or unfit for ports: hash addresses only */
	enum family family;
	struct protocol protocol; /* IPv4 protocol or IPv6 first next header */
	__u32 outer_tag;          /* {tpid_be, tci_be} */
	__u32 inner_tag;
	struct route_key source, destination;
	__u32 ttl_word; /* IPv4: the header's third word {ttl, protocol, checksum_be} */

	/* admit */
	const struct image_interface *in;
	__u16 in_index;

	/* route, nexthop */
	__u32 leaf;
	const struct image_nexthop *nexthop;
};
