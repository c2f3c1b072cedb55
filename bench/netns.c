// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/netns.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_DIRECTORY "/run/netns"

static void netns_path(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, NETNS_DIRECTORY "/%s", name);
}

// The directory must be a shared mount, so that a name removed in one mount namespace goes from all of them.
static int netns_share_directory(void)
{
	if (mkdir(NETNS_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL) // EINVAL: it is not a mount point yet
		return -errno;
	if (mount(NETNS_DIRECTORY, NETNS_DIRECTORY, "none", MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL) < 0 ? -errno : 0;
}

// Gives the calling thread's namespace the name in path.
static int netns_name(const char *path, int *ret_netns)
{
	int fd, err;

	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	close(fd);
	if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) < 0) {
		err = -errno;
		goto remove_file;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		goto remove_mount;
	}
	*ret_netns = fd;
	return 0;

remove_mount:
	umount2(path, MNT_DETACH);
remove_file:
	unlink(path);
	return err;
}

int netns_create(const char *name, int *ret_netns)
{
	char path[PATH_MAX];
	int home, err;

	err = netns_share_directory();
	if (err < 0)
		return err;
	netns_path(name, path);
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	if (unshare(CLONE_NEWNET) < 0) {
		err = -errno;
		close(home);
		return err;
	}
	err = netns_name(path, ret_netns);
	netns_leave(home);
	return err;
}

int netns_open(const char *name)
{
	char path[PATH_MAX];
	int fd;

	netns_path(name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int netns_remove(const char *name)
{
	char path[PATH_MAX];

	netns_path(name, path);
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		return -errno;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int netns_enter(int netns, int *ret_home)
{
	int home, err;

	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	if (setns(netns, CLONE_NEWNET) < 0) {
		err = -errno;
		close(home);
		return err;
	}
	*ret_home = home;
	return 0;
}

void netns_leave(int home)
{
	int err = setns(home, CLONE_NEWNET);

	assert(err == 0);
	(void)err;
	close(home);
}
