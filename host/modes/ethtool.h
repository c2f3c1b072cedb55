// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a device's driver says about itself, and the few switches that penstock turns: the ethtool ioctl,
 * which every kernel has. A socket of the network namespace concerned is enough; nothing is kept open.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct ethtool_facts {
	char driver[32], firmware[32]; /* empty: the device does not say */
	bool rxvlan;                   /* the device takes VLAN tags off received frames */
	bool txvlan;
	bool lro, gro;
	__u32 queues;     /* that send: combined and transmit-only channels; 0: the device does not say */
	__u32 queues_max; /* what could be set */
};

/* What the device does not answer stays zero. -ENODEV: no such interface. */
int ethtool_read(const char *interface, struct ethtool_facts *ret);
/* -EOPNOTSUPP: the driver cannot, or insists on its value. */
int ethtool_set_rxvlan(const char *interface, bool on);
