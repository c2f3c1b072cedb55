// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/taps.h"

#include "bench/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>

static int taps_set_mac(const char *name, const __u8 mac[6])
{
	struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	memcpy(request.ifr_hwaddr.sa_data, mac, 6);
	if (fd < 0 || ioctl(fd, SIOCSIFHWADDR, &request) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

// One that stays when nobody has it open, so that its addresses and routes do; or an end of that.
static int taps_persist(const struct lane_port *port, bool on)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", port->name);
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, on) < 0)
		err = -errno;
	close(fd);
	return err;
}

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
	err = taps_persist(port, true);
	if (err >= 0)
		err = taps_set_mac(port->name, port->mac);
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
	taps->out = taps_port(&lane->r1, 1);
	err = taps_make(&taps->in);
	if (err >= 0)
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
		taps_persist(&taps->in, false);
		taps_persist(&taps->out, false);
		netns_leave(home);
	}
	lane_introduce(&lane);
	free(taps);
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
	err = taps_set_mac(device->name, mac);
	netns_leave(home);
	return err;
}
