// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A program on a device's XDP hook: a bpf_link that is pinned, so that it outlives the daemon and the next
 * one swings it to its own program without a gap.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/why.h"

struct engine_port;
struct pins;

/* flags: XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE. Takes over the link of a dead daemon, or makes one.
 * Returns its fd. -EBUSY: a foreign program is there; `why` names it. */
int xdp_link_attach(struct pins *pins, const struct engine_port *port, __u32 flags, int program_fd,
		    struct why *why);
/* Detaches at once, unpins and closes. */
void xdp_link_detach(struct pins *pins, const struct engine_port *port, int fd);
/* Whether the link still holds the interface. Waits for the kernel's lock: not for the loop. */
bool xdp_link_serves(int fd, __u32 ifindex);
/* The id by which a look at the interface shows a program; 0: the kernel does not say. */
__u32 xdp_link_program(int program_fd);
