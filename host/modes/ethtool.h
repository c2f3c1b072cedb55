// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a device's driver says about itself, and the few switches that penstock turns: the ethtool ioctl,
 * which every kernel has. A socket of the network namespace concerned is enough; nothing is kept open.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct ethtool_facts {
	char driver[32], firmware[32], bus[32]; /* empty: the device does not say */
	char app[16];      /* Netronome: what the firmware is for, "ebpf", "nic", "flower" ... */
	bool rxvlan;       /* the device takes VLAN tags off received frames */
	bool rxvlan_fixed; /* and insists on it, or on not doing it */
	bool txvlan;
	bool lro, gro;          /* received frames are merged: by the device, by the stack */
	bool gro_hw;            /* by the device, as GRO would */
	bool gro_hw_fixed;      /* and it cannot be turned off */
	bool tx_checksum;       /* senders leave checksums to the device */
	__u32 queues;           /* that send: combined and transmit-only channels; 0: does not say */
	__u32 queues_max;       /* what could be set */
	__u32 rx_queues;        /* that receive */
	__u32 combined;         /* channels that do both */
	__u32 rx_ring, tx_ring; /* descriptors; 0: does not say */
	__u32 rx_ring_max, tx_ring_max;
};

/* What the device does not answer stays zero. -ENODEV: no such interface. */
int ethtool_read(const char *interface, struct ethtool_facts *ret);
/* What `ethtool -L` is told to get so many channels: "combined 4", or "rx 4 tx 4". */
#define ETHTOOL_CHANNELS 40
void ethtool_channels(const struct ethtool_facts *facts, __u32 count, char *ret);
/* -EOPNOTSUPP: the driver cannot, or insists on its value. */
int ethtool_set_rxvlan(const char *interface, bool on);
