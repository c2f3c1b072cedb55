// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Network cards on the PCI bus, whether the kernel drives them or somebody in user space does: a card that is
 * bound to DPDK has no interface, and only sysfs knows of it.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct pci_device {
	char address[16]; /* "0000:01:00.0"; empty: no PCI device */
	char driver[32];  /* empty: none is bound */
	__u32 vendor, device;
	int numa; /* node; -1: the box does not say */
};

/* `sysfs` is "/sys", or what a test puts in its place. -ENODEV: there is no such network card. */
int pci_read(const char *sysfs, const char *address, struct pci_device *ret);
/* Ethernet cards, in the order of their addresses. Returns their number; at most `limit` are filled in. */
int pci_list(const char *sysfs, struct pci_device *ret, unsigned int limit);
/* Whether a driver hands its devices to programs such as DPDK's. */
bool pci_driver_for_users(const char *driver);
