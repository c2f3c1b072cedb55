// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The routing program in user space: the very headers of xdp/, built as C over the image of a store.
 */
#pragma once

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
