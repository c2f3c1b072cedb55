// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * One dump of rtnetlink, asked for and read at once. Not for the mirror, which reads dumps beside events.
 */
#pragma once

#include <stddef.h>

#include <libmnl/libmnl.h>
#include <linux/types.h>

/* Asks for all of a kind (RTM_GETLINK ...), whose messages begin with a header of this size, all zero in the
 * request. A negative errno; -EAGAIN: no answer within 2 s. */
int dump_read(__u16 type, size_t header_size, mnl_cb_t each, void *arg);
