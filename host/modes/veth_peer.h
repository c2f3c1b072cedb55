// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether a veth takes redirected frames depends on its peer: it must run XDP or GRO. Kernels before 6.3 do
 * not tell, so here the peer itself is looked at, in its own network namespace if that can be found.
 */
#pragma once

#include <stdbool.h>

struct capability;

/* Facts about the other end. -ENOENT: the peer is in a namespace that has no name in /var/run/netns and no
 * process that we may see. */
int veth_peer_read(const struct capability *veth, struct capability *ret_peer);
int veth_peer_takes_frames(const struct capability *veth, bool *ret_takes);
