// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The socket that a vhost device listens on (net_vhost0,iface=PATH). DPDK's library removes it whatever it is
 * when the device goes, even if it could not be made because somebody else's was there.
 */
#pragma once

#include "host/why.h"

/* Before the device is made. What a daemon that was killed left is removed; -EBUSY: somebody listens there;
 * -EEXIST: it is no socket. 0 for other devices, too. */
int vhost_socket_clear(const char *device, struct why *why);
