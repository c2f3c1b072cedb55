// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/guard.h"

#include "bench/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/magic.h>

#define GUARD_POLL_NS 50000000
#define GUARD_POLLS   600 // half a minute for the owner's children
#define GUARD_QUIET   10  // polls without anything new
#define GUARD_DEPTH   16  // descriptors
#define GUARD_PINS    "/sys/fs/bpf/penstock"

static int guard_unlink(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	return remove(path);
}

// Returns whether there was anything.
static bool guard_sweep_pattern(const char *pattern)
{
	glob_t paths;

	if (glob(pattern, 0, NULL, &paths) != 0)
		return false;
	for (size_t i = 0; i < paths.gl_pathc; i++)
		(void)nftw(paths.gl_pathv[i], guard_unlink, GUARD_DEPTH, FTW_DEPTH | FTW_PHYS);
	globfree(&paths);
	return true;
}

// The folders around the pins of daemons, if nobody else's are in there.
static void guard_sweep_folders(void)
{
	glob_t paths;

	if (glob(GUARD_PINS "/v*", 0, NULL, &paths) == 0) {
		for (size_t i = 0; i < paths.gl_pathc; i++)
			(void)rmdir(paths.gl_pathv[i]);
		globfree(&paths);
	}
	(void)rmdir(GUARD_PINS);
}

// What a daemon of penstock that was killed leaves of its namespace.
static bool guard_sweep_daemon(unsigned long long inode)
{
	static const char *const around[][2] = {
		{ GUARD_PINS "/*/", "" },
		{ "/run/penstock/", ".*" },
		{ "/run/penstock/net-", ".lock" },
	};
	char pattern[GUARD_PATH_SIZE];
	bool found = false;

	for (unsigned int i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		snprintf(pattern, sizeof(pattern), "%s%llu%s", around[i][0], inode, around[i][1]);
		found |= guard_sweep_pattern(pattern);
	}
	return found;
}

static bool guard_sweep(const struct guard *guard, const ino_t inodes[GUARD_NAMES])
{
	bool found = guard->file[0] && unlink(guard->file) == 0;
	unsigned int i;

	if (guard->directory[0])
		found |= guard_sweep_pattern(guard->directory);

	for (i = 0; i < GUARD_LEAVINGS; i++)
		if (guard->leavings[i][0])
			found |= guard_sweep_pattern(guard->leavings[i]);
	for (i = 0; i < GUARD_NAMES; i++)
		if (inodes[i])
			found |= guard_sweep_daemon(inodes[i]);
	guard_sweep_folders();
	return found;
}

static void guard_sweep_patiently(const struct guard *guard, const ino_t inodes[GUARD_NAMES])
{
	const struct timespec pause = { .tv_nsec = GUARD_POLL_NS };

	for (unsigned int polls = 0, quiet = 0; polls < GUARD_POLLS && quiet < GUARD_QUIET; polls++) {
		quiet = guard_sweep(guard, inodes) ? 0 : quiet + 1;
		nanosleep(&pause, NULL);
	}
}

static void guard_remove_names(const struct guard *guard)
{
	unsigned int i;

	for (i = 0; i < GUARD_PORTS; i++)
		if (guard->ports[i].name[0])
			port_return(&guard->ports[i], guard->names[guard->port_names[i]], guard->home);
	for (i = 0; i < GUARD_NAMES; i++)
		if (guard->names[i][0])
			netns_remove(guard->names[i]);
}

// Holds the namespaces until the end: while they are there, no other one gets their numbers.
static void guard_remove(const struct guard *guard, bool patiently)
{
	ino_t inodes[GUARD_NAMES] = { 0 };
	int held[GUARD_NAMES];
	struct statfs system;
	struct stat status;
	unsigned int i;

	for (i = 0; i < GUARD_NAMES; i++) {
		held[i] = guard->names[i][0] ? netns_open(guard->names[i]) : -1;
		if (held[i] >= 0 && fstatfs(held[i], &system) == 0 && system.f_type == NSFS_MAGIC &&
		    fstat(held[i], &status) == 0) // not the file of a name that was not yet one
			inodes[i] = status.st_ino;
	}
	guard_remove_names(guard);
	guard_sweep(guard, inodes);
	if (patiently)
		guard_sweep_patiently(guard, inodes);
	for (i = 0; i < GUARD_NAMES; i++)
		if (held[i] >= 0)
			close(held[i]);
}

// The socket ends when the owner dies. Before that, it may tell of a directory that it is about to make; a
// byte says that it ends by itself, which is returned.
static bool guard_listen(struct guard *guard, int end)
{
	char path[GUARD_NAME_SIZE];
	ssize_t size;

	while ((size = recv(end, path, sizeof(path), 0)) == sizeof(path))
		memcpy(guard->directory, path, sizeof(path));
	return size > 0;
}

// All signals are blocked.
static void guard_run(struct guard *guard, int end)
{
	int null = open("/dev/null", O_RDWR), i;
	char byte = 0;

	setsid(); // from now on, nothing that ends the owner's process group ends the guard
	prctl(PR_SET_NAME, "penstock-guard");
	for (i = 0; i < 3; i++)
		if (i != end)
			dup2(null, i);
	if (send(end, &byte, 1, MSG_NOSIGNAL) < 0)
		_exit(1);
	guard_remove(guard, !guard_listen(guard, end));
	_exit(0);
}

static int guard_wait_until_ready(const struct guard *guard)
{
	ssize_t got;
	char byte;

	do
		got = recv(guard->socket, &byte, 1, 0);
	while (got < 0 && errno == EINTR);
	return got == 1 ? 0 : -ECHILD;
}

int guard_start(struct guard *guard)
{
	sigset_t all, before;
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	guard->pid = fork();
	err = -errno;
	if (guard->pid == 0) {
		close(ends[1]);
		guard_run(guard, ends[0]);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[0]);
	if (guard->pid < 0) {
		close(ends[1]);
		guard->pid = 0;
		return err;
	}
	guard->socket = ends[1];
	err = guard_wait_until_ready(guard);
	if (err < 0)
		guard_end(guard);
	return err;
}

int guard_directory(struct guard *guard)
{
	char path[GUARD_NAME_SIZE] = "";
	unsigned long long number;

	if (guard->directory[0])
		return 0;
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(path, sizeof(path), "/tmp/penstock-bench-%d-%016llx", getpid(), number);
	if (send(guard->socket, path, sizeof(path), MSG_NOSIGNAL) < 0 || mkdir(path, 0700) < 0)
		return -errno;
	memcpy(guard->directory, path, sizeof(path));
	return 0;
}

void guard_end(struct guard *guard)
{
	const char byte = 0;

	if (!guard->pid)
		return;
	(void)send(guard->socket, &byte, 1, MSG_NOSIGNAL); // it may have been killed
	close(guard->socket);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	guard->pid = 0;
	guard_remove(guard, false); // in case somebody killed it
}
