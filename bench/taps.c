// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/taps.h"

#include "bench/netns.h"
#include "bench/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lane_port taps_port(const struct lane_port *device, unsigned int number)
{
	struct lane_port port = *device;

	snprintf(port.name, sizeof(port.name), "dp%u", number);
	return port;
}

static int taps_make(const struct lane_port *port)
{
	int home, err = netns_enter(port->netns, &home);

	if (err < 0)
		return err;
	err = tap_make(port->name);
	if (err >= 0)
		err = tap_set_mac(port->name, port->mac);
	netns_leave(home);
	return err;
}

static int taps_furnish(struct taps *taps)
{
	struct lane lane = *taps->lane;
	int err;

	lane.r0 = taps->in;
	lane.r1 = taps->out;
	err = lane_furnish(&lane);
	if (err >= 0 && lane.vlans.count)
		err = lane_tag(&lane);
	taps->in = lane.r0;
	taps->out = lane.r1;
	return err;
}

int taps_open(const struct lane *lane, struct taps **ret_taps)
{
	struct taps *taps = calloc(1, sizeof(*taps));
	int err;

	if (!taps)
		return -ENOMEM;
	taps->lane = lane;
	taps->in = taps_port(&lane->r0, 0);
	if (lane->vlans.out)
		taps->out.netns = lane->r0.netns;
	else
		taps->out = taps_port(&lane->r1, 1);
	err = taps_make(&taps->in);
	if (err >= 0 && taps->out.name[0])
		err = taps_make(&taps->out);
	if (err >= 0)
		err = taps_furnish(taps);
	if (err < 0) {
		taps_close(taps);
		return err;
	}
	*ret_taps = taps;
	return 0;
}

void taps_close(struct taps *taps)
{
	struct lane lane;
	int home;

	if (!taps)
		return;
	lane = *taps->lane;
	if (netns_enter(taps->lane->r0.netns, &home) >= 0) {
		tap_remove(taps->in.name);
		if (!taps->lane->vlans.out) // VLANs go with dp0
			tap_remove(taps->out.name);
		netns_leave(home);
	}
	lane_introduce(&lane);
	free(taps);
}

// Gives the VLANs over r0 a MAC: they keep theirs when that of r0 changes, and what is to theirs is taken.
static int taps_set_macs(const struct lane *lane, const __u8 mac[6])
{
	const struct lane_vlans *vlans = &lane->vlans;
	char name[IFNAMSIZ];
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i <= vlans->count; i++) {
		__u16 vlan = i < vlans->count ? vlans->in[i] : vlans->out;

		lane_vlan_name(&lane->r0, vlan, name);
		if (vlan)
			err = tap_set_mac(name, mac);
	}
	return err;
}

int taps_alone(const struct taps *taps, bool on)
{
	const struct lane_port *device = &taps->lane->r0;
	__u8 mac[6];
	int home, err = netns_enter(device->netns, &home);

	if (err < 0)
		return err;
	memcpy(mac, device->mac, sizeof(mac));
	mac[4] ^= on ? 0xff : 0;
	err = tap_set_mac(device->name, mac);
	if (err >= 0)
		err = taps_set_macs(taps->lane, mac);
	netns_leave(home);
	return err;
}
