// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The settings of interfaces as sysctl(8) prints them: "net.ipv4.conf.eth0.rp_filter = 1". Those that forward
 * packets count, others are passed over. Without any, everything forwards, rp_filter is off, and redirects
 * are sent, as on a router that was just switched on.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/link_message.h"

struct site;

struct sysctl_of {
	char name[NETLINK_NAME];
	struct link_sysctls value; /* -1: not given */
};

struct sysctl_text {
	struct link_sysctls all;
	struct sysctl_of *of;
	__u32 count, room;
};

void sysctl_text_init(struct sysctl_text *sysctls);
void sysctl_text_free(struct sysctl_text *sysctls);
/* The words of a line: NAME = NUMBER, with blanks or without. -EINVAL: it is none, or there are too many. */
int sysctl_text_read(struct sysctl_text *sysctls, char *const *word, unsigned int count);
/* Those of an interface. */
struct link_sysctls sysctl_text_of(const struct sysctl_text *sysctls, const char *name, __u32 mtu);
/* Tells the site those that are for all. */
void sysctl_text_all(const struct sysctl_text *sysctls, struct site *site);
