// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The interface by which the kernel sees a device that is not its own: a TAP. It has the device's link
 * address and MTU and shows its link state; the kernel keeps addresses, neighbours and routes on it. What the
 * program hands to the kernel is written to it, what the kernel sends out of it is read from it.
 *
 * It goes with the process that made it, unless it was there before: `ip tuntap add NAME mode tap` makes one
 * that stays.
 */
#pragma once

#include <stdbool.h>
#include <net/if.h>
#include <linux/types.h>

#include "host/why.h"

struct representor {
	char name[IFNAMSIZ];
	int fd;      /* one frame for each read and write; does not block */
	int control; /* socket for ioctls */
	bool carrier;
};

struct representor_settings { /* that an administrator may change */
	__u8 mac[6];
	__u32 mtu;
	bool promiscuous;
};

/* One that is made gets the settings and is up; one that was there stays as it is. Without carrier. */
int representor_open(const char *name, const struct representor_settings *settings, struct representor *ret,
		     struct why *why);
void representor_close(struct representor *representor);
void representor_carrier(struct representor *representor, bool carrier);
int representor_settings(const struct representor *representor, struct representor_settings *ret);
