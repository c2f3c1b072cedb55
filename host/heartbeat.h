// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Keeps the tables trusted: sets image_control.deadline ahead of the kernel's clock every second. When the
 * daemon stops to do so, the program punts everything after `stale_after` seconds.
 */
#pragma once

#include "host/why.h"
#include "xdp/image.h"

struct heartbeat;
struct loop;

/* The first beat is done when this returns. -EPERM: the kernel does not load the clock program. */
int heartbeat_new(struct loop *loop, struct image_control *control, unsigned int stale_after,
		  struct heartbeat **ret, struct why *why);
/* NULL is fine. The deadline stays where it was. */
void heartbeat_free(struct heartbeat *heartbeat);
