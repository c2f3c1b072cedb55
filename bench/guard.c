// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/guard.h"

#include "bench/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int guard_remove_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	return remove(path);
}

static void guard_remove(const struct guard *guard)
{
	unsigned int i;

	for (i = 0; i < GUARD_PORTS; i++)
		if (guard->ports[i].name[0])
			port_return(&guard->ports[i], guard->names[guard->port_names[i]], guard->home);
	for (i = 0; i < GUARD_NAMES; i++)
		if (guard->names[i][0])
			netns_remove(guard->names[i]);
	if (guard->file[0])
		unlink(guard->file);
	if (guard->directory[0])
		(void)nftw(guard->directory, guard_remove_file, 16, FTW_DEPTH | FTW_PHYS);
}

// The pipe ends when the owner closes it or dies; before that, it may tell of a directory.
static void guard_listen(struct guard *guard, int pipe_end)
{
	ssize_t size;

	do
		size = read(pipe_end, guard->directory, sizeof(guard->directory));
	while (size > 0 || (size < 0 && errno == EINTR));
}

static void guard_run(struct guard *guard, int pipe_end)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	int null = open("/dev/null", O_RDWR);
	unsigned int i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	setsid();
	prctl(PR_SET_NAME, "penstock-guard");
	for (i = 0; i < 3; i++)
		dup2(null, i);
	guard_listen(guard, pipe_end);
	guard_remove(guard);
	_exit(0);
}

int guard_start(struct guard *guard)
{
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	guard->pid = fork();
	if (guard->pid < 0) {
		err = -errno;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (guard->pid == 0) {
		close(ends[1]);
		guard_run(guard, ends[0]);
	}
	close(ends[0]);
	guard->pipe = ends[1];
	return 0;
}

int guard_directory(struct guard *guard)
{
	char path[GUARD_NAME_SIZE] = "/tmp/penstock-bench-XXXXXX";

	if (guard->directory[0])
		return 0;
	if (!mkdtemp(path))
		return -errno;
	memcpy(guard->directory, path, sizeof(path));
	return write(guard->pipe, path, sizeof(path)) == sizeof(path) ? 0
								      : -EPIPE; // at once: less than PIPE_BUF
}

void guard_end(struct guard *guard)
{
	close(guard->pipe);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	guard_remove(guard); // in case somebody killed it
}
