// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static __s32 read_number(const char *family, const char *name, const char *key)
{
	char path[128], text[16];
	ssize_t n;
	int fd;

	/* Names have no slashes; the kernel sees to it. */
	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	return (__s32)strtol(text, NULL, 10);
}

static void update(const char *family, const char *name, const char *key, __s32 *value)
{
	__s32 now = read_number(family, name, key);

	if (now >= 0)
		*value = now;
}

void sysctl_read_link(const char *name, struct link_sysctls *sysctls)
{
	update("ipv4", name, "send_redirects", &sysctls->send_redirects);
	update("ipv6", name, "mtu", &sysctls->mtu6);
	update("ipv6", name, "disable_ipv6", &sysctls->disable_ipv6);
}

bool sysctl_all_redirects(void)
{
	return read_number("ipv4", "all", "send_redirects") != 0;
}
