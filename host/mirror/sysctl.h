// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Settings that change without a word on netlink. They are read from /proc/sys, of this process' namespace: a
 * dump of links would tell them too, but it waits for the kernel's big lock, and so would everything else
 * meanwhile.
 */
#pragma once

#include "host/mirror/link_message.h"

/* Brings send_redirects, mtu6 and disable_ipv6 of a device up to date. What cannot be read stays: the device
 * may have another name since, and what is gone is told by netlink. */
void sysctl_read_link(const char *name, struct link_sysctls *sysctls);
/* net.ipv4.conf.all.send_redirects; on if it cannot be read: that punts more. */
bool sysctl_all_redirects(void);
