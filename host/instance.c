// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/config.h"

#define PATH_SIZE 108 /* of a socket address */

struct lock {
	char path[PATH_SIZE];
	int fd; /* -1: not held */
};

struct instance {
	char name[32];
	char socket[PATH_SIZE], changes[PATH_SIZE];
	struct lock net, named;
};

static int read_namespace(unsigned long long *ret)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status) < 0)
		return -errno;
	*ret = status.st_ino;
	return 0;
}

/* What a lock file says about its holder. */
static void read_holder(int fd, int *ret_pid, char ret_name[32])
{
	char text[64];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	*ret_pid = 0;
	ret_name[0] = 0;
	if (size <= 0)
		return;
	text[size] = 0;
	if (sscanf(text, "%d %31[A-Za-z0-9_-]", ret_pid, ret_name) < 2)
		ret_name[0] = 0;
}

/* The file that is locked must be the one that the path names: its last holder may just have unlinked it. */
static bool is_current(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

static int refuse_lock(const struct lock *lock, int fd, const char *what, struct why *why)
{
	char name[32];
	int pid;

	read_holder(fd, &pid, name);
	return why_set(why, EBUSY, "a penstock with %s runs already: pid %d, name %s (%s)", what, pid, name,
		       lock->path);
}

static int take_lock(struct lock *lock, const char *what, struct why *why)
{
	for (;;) {
		int fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		int error;

		if (fd < 0)
			return why_set(why, errno, "%s: cannot open: %s", lock->path, strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			error = errno == EWOULDBLOCK ? refuse_lock(lock, fd, what, why)
						     : why_set(why, errno, "%s: cannot lock: %s", lock->path,
							       strerror(errno));
			close(fd);
			return error;
		}
		if (is_current(fd, lock->path)) {
			lock->fd = fd;
			return 0;
		}
		close(fd);
	}
}

static void drop_lock(struct lock *lock)
{
	if (lock->fd < 0)
		return;
	(void)unlink(lock->path);
	close(lock->fd);
	lock->fd = -1;
}

static int write_holder(const struct lock *lock, const char *name, struct why *why)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "%d %s\n", (int)getpid(), name);

	if (lock->fd >= 0 && (ftruncate(lock->fd, 0) < 0 || pwrite(lock->fd, text, (size_t)size, 0) != size))
		return why_set(why, EIO, "%s: cannot write: %s", lock->path, strerror(errno));
	return 0;
}

static int take_locks(struct instance *instance, const char *name, struct why *why)
{
	int error = take_lock(&instance->net, "this network namespace", why);

	if (error == 0 && name)
		error = take_lock(&instance->named, "this name", why);
	if (error == 0)
		error = write_holder(&instance->net, instance->name, why);
	if (error == 0)
		error = write_holder(&instance->named, instance->name, why);
	return error;
}

int instance_claim(const char *name, struct instance **ret, struct why *why)
{
	struct instance *instance;
	unsigned long long inode = 0;
	int error = read_namespace(&inode);

	if (error < 0)
		return why_set(why, -error, "/proc/self/ns/net: cannot read: %s", strerror(-error));
	if (mkdir(INSTANCE_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return why_set(why, errno, "%s: cannot make: %s", INSTANCE_DIRECTORY, strerror(errno));
	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return why_set(why, ENOMEM, "out of memory");
	instance->net.fd = instance->named.fd = -1;
	if (name)
		snprintf(instance->name, sizeof(instance->name), "%s", name);
	else
		snprintf(instance->name, sizeof(instance->name), "%llu", inode);
	snprintf(instance->net.path, PATH_SIZE, "%s/net-%llu.lock", INSTANCE_DIRECTORY, inode);
	snprintf(instance->named.path, PATH_SIZE, "%s/%s.lock", INSTANCE_DIRECTORY, instance->name);
	snprintf(instance->socket, PATH_SIZE, "%s/%s.sock", INSTANCE_DIRECTORY, instance->name);
	snprintf(instance->changes, PATH_SIZE, "%s/%s.changes", INSTANCE_DIRECTORY, instance->name);
	error = take_locks(instance, name, why);
	if (error < 0) {
		instance_release(instance);
		return error;
	}
	*ret = instance;
	return 0;
}

void instance_release(struct instance *instance)
{
	if (!instance)
		return;
	drop_lock(&instance->named);
	drop_lock(&instance->net);
	free(instance);
}

const char *instance_name(const struct instance *instance)
{
	return instance->name;
}

const char *instance_socket(const struct instance *instance)
{
	return instance->socket;
}

const char *instance_changes(const struct instance *instance)
{
	return instance->changes;
}

int instance_find(const char *name, char *ret_path, size_t size, struct why *why)
{
	unsigned long long inode = 0;
	char found[32], path[PATH_SIZE];
	int fd, pid, error;

	if (name) {
		error = config_check_name(name, why);
		if (error < 0)
			return error;
		snprintf(ret_path, size, "%s/%s.sock", INSTANCE_DIRECTORY, name);
		return 0;
	}
	error = read_namespace(&inode);
	if (error < 0)
		return why_set(why, -error, "/proc/self/ns/net: cannot read: %s", strerror(-error));
	snprintf(path, sizeof(path), "%s/net-%llu.lock", INSTANCE_DIRECTORY, inode);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return why_set(
			why, ENOENT,
			"no penstock runs in this network namespace; start one with: penstock run IF...");
	read_holder(fd, &pid, found);
	close(fd);
	if (!found[0])
		return why_set(why, ENOENT, "%s: does not name a daemon", path);
	snprintf(ret_path, size, "%s/%s.sock", INSTANCE_DIRECTORY, found);
	return 0;
}
