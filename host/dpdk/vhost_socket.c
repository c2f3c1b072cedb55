// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/vhost_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEVICE "net_vhost"
#define PATH   ",iface="
#define CLIENT ",client=1" /* it connects and does not listen */

/* False: the device has none, or DPDK will complain of it. */
static bool path_of(const char *device, struct sockaddr_un *ret)
{
	const char *path = strstr(device, PATH);
	size_t length;

	if (strncmp(device, DEVICE, strlen(DEVICE)) != 0 || strstr(device, CLIENT) || !path)
		return false;
	path += strlen(PATH);
	length = strcspn(path, ",");
	if (!length || length >= sizeof(ret->sun_path))
		return false;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, length);
	return true;
}

static bool is_listened_on(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		     errno != ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return alive;
}

int vhost_socket_clear(const char *device, struct why *why)
{
	struct sockaddr_un address;
	struct stat status;

	if (!path_of(device, &address) || lstat(address.sun_path, &status) < 0)
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return why_set(why, EEXIST, "dpdk:%.*s: %.108s is there and no socket; give another path",
			       (int)strcspn(device, ","), device, address.sun_path);
	if (is_listened_on(&address))
		return why_set(why, EBUSY, "dpdk:%.*s: somebody listens on %.108s; give another path",
			       (int)strcspn(device, ","), device, address.sun_path);
	(void)unlink(address.sun_path);
	return 0;
}
