// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program in user space: the very headers of xdp/, built as C over the image of a store.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "xdp/verdict.h"

struct image_store;

struct user_frame {
	__u8 *data; /* of at least 14 bytes, in one buffer */
	__u32 length;
	__u32 headroom; /* bytes in front of data that VLAN tags may take */
};

/*
 * Runs the program on a frame that came in by a port. FORWARD: the frame is as it leaves by verdict.port,
 * data and length may have moved; otherwise it is untouched.
 */
struct verdict user_program_run(const struct image_store *store, __u16 port, struct user_frame *frame);

/* What the program saw on the way, as far as it came. */
struct user_trace {
	bool parsed;   /* family to tag: the IP header was sound */
	bool admitted; /* interface */
	bool routed;   /* leaf, nexthop */
	bool ipv6;
	__u8 source[16], destination[16];
	__u8 ttl, protocol; /* protocol: of the first header behind IP */
	__u8 tags;
	__u32 length; /* of the IP packet */
	__be32 tag[2];
	bool ports; /* TCP or UDP, not a fragment */
	__u16 source_port, destination_port;
	__u32 interface; /* slot in the image that the port and the tags lead to; 0: none */
	__u32 leaf;      /* of the route */
	__u32 nexthop;   /* the leaf, or the member of its group that the flow takes */
};
struct verdict user_program_trace(const struct image_store *store, __u16 port, struct user_frame *frame,
				  struct user_trace *ret);
