// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>

static int tap_persist(const char *name, bool on)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, on) < 0)
		err = -errno;
	close(fd);
	return err;
}

int tap_make(const char *name)
{
	return tap_persist(name, true);
}

void tap_remove(const char *name)
{
	tap_persist(name, false);
}

int tap_set_mac(const char *name, const __u8 mac[6])
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
