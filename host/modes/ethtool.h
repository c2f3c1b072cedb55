// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a device's driver says about itself, and the few switches that penstock turns: the ethtool ioctl,
 * which every kernel has. A socket of the network namespace concerned is enough; nothing is kept open.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

/* Of VLAN tags: on, they are beside the frame, not in it. */
enum ethtool_offload {
	ETHTOOL_RXVLAN,
	ETHTOOL_RXVLAN_SERVICE,
	ETHTOOL_TXVLAN,
	ETHTOOL_TXVLAN_SERVICE,
	ETHTOOL_OFFLOADS,
};

/* How to turn them off by ethtool -K. */
#define ETHTOOL_RX_OFF "rxvlan off rx-vlan-stag-hw-parse off"
#define ETHTOOL_TX_OFF "txvlan off tx-vlan-stag-hw-insert off"

struct ethtool_facts {
	char driver[32], firmware[32], bus[32]; /* empty: the device does not say */
	char app[16];      /* Netronome: what the firmware is for, "ebpf", "nic", "flower" ... */
	bool rxvlan;       /* the device takes VLAN tags off received frames */
	bool rxvlan_fixed; /* and insists on it, or on not doing it */
	bool txvlan;       /* senders hand them over beside the frame */
	bool rxvlan_service, txvlan_service; /* the same for tags of 802.1ad */
	bool lro, gro;                       /* received frames are merged: by the device, by the stack */
	bool gro_hw;                         /* by the device, as GRO would */
	bool gro_hw_fixed;                   /* and it cannot be turned off */
	bool tx_checksum;                    /* senders leave checksums to the device */
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
bool ethtool_is_on(const struct ethtool_facts *facts, enum ethtool_offload offload);
/* Whether received frames, or those to be sent, may have a tag beside them. */
bool ethtool_hides_received(const struct ethtool_facts *facts);
bool ethtool_hides_sent(const struct ethtool_facts *facts);
/* -EOPNOTSUPP: the driver cannot, or insists on its value. */
int ethtool_set_offload(const char *interface, enum ethtool_offload offload, bool on);
