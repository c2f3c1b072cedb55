// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Ports: the interfaces where an engine runs the program. The number is the image's: [port + 1] is the slot
 * of the port's own interface.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/pool.h"
#include "xdp/image.h"

struct interface;

struct port {
	struct interface *interface; /* NULL: not in use */
	bool able;                   /* takes frames that other ports received */
	bool frames;                 /* takes frames of several buffers */
	bool hides;                  /* VLAN tags may come in beside the frame, where the program is blind */
};

struct ports {
	struct pool pool;
	struct port port[IMAGE_PORTS];
};

int ports_init(struct ports *ports, const struct grace *grace);
void ports_exit(struct ports *ports);

/* -ENOSPC. */
int port_take(struct ports *ports, struct interface *interface, __u16 *ret_port);
void port_give(struct ports *ports, __u16 port);
