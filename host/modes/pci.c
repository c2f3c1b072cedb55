// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/pci.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS_ETHERNET 0x0200 /* the upper 16 of 24 bits */

static bool is_address(const char *text)
{
	unsigned int domain, bus, slot, function;
	int end = 0;

	return sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) == 4 && !text[end] &&
	       strlen(text) < sizeof(((struct pci_device *)0)->address);
}

/* A file of the device that holds one number. */
static int read_number(const char *directory, const char *file, long *ret)
{
	char path[384], text[32];
	FILE *stream;
	int error = -EIO;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	stream = fopen(path, "re");
	if (!stream)
		return -errno;
	if (fgets(text, sizeof(text), stream)) {
		*ret = strtol(text, NULL, 0);
		error = 0;
	}
	fclose(stream);
	return error;
}

static void read_driver(const char *directory, char *ret, size_t size)
{
	char path[384], target[256];
	ssize_t length;

	ret[0] = 0;
	snprintf(path, sizeof(path), "%s/driver", directory);
	length = readlink(path, target, sizeof(target) - 1);
	if (length <= 0)
		return;
	target[length] = 0;
	snprintf(ret, size, "%.31s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

int pci_read(const char *sysfs, const char *address, struct pci_device *ret)
{
	struct pci_device device = { .numa = -1 };
	char directory[320];
	long class = 0, vendor = 0, number = 0, numa = -1;

	if (!is_address(address))
		return -ENODEV;
	snprintf(directory, sizeof(directory), "%.200s/bus/pci/devices/%.15s", sysfs, address);
	if (read_number(directory, "class", &class) < 0 || class >> 8 != CLASS_ETHERNET)
		return -ENODEV;
	(void)read_number(directory, "vendor", &vendor);
	(void)read_number(directory, "device", &number);
	(void)read_number(directory, "numa_node", &numa);
	snprintf(device.address, sizeof(device.address), "%s", address);
	read_driver(directory, device.driver, sizeof(device.driver));
	device.vendor = (__u32)vendor;
	device.device = (__u32)number;
	device.numa = (int)numa;
	*ret = device;
	return 0;
}

int pci_list(const char *sysfs, struct pci_device *ret, unsigned int limit)
{
	struct dirent **entries;
	unsigned int found = 0;
	char directory[256];
	int count;

	snprintf(directory, sizeof(directory), "%.200s/bus/pci/devices", sysfs);
	count = scandir(directory, &entries, NULL, alphasort);
	if (count < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		struct pci_device device;

		if (pci_read(sysfs, entries[i]->d_name, &device) == 0) {
			if (found < limit)
				ret[found] = device;
			found++;
		}
		free(entries[i]);
	}
	free(entries);
	return (int)found;
}

bool pci_driver_for_users(const char *driver)
{
	static const char *const drivers[] = { "vfio-pci", "uio_pci_generic", "igb_uio" };

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(drivers[i], driver) == 0)
			return true;
	return false;
}
