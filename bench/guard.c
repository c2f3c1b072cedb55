// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/guard.h"

#include "bench/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
}

// The pipe ends when the owner closes it or dies.
static void guard_run(const struct guard *guard, int pipe_end)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	int null = open("/dev/null", O_RDWR);
	unsigned int i;
	char byte;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	setsid();
	prctl(PR_SET_NAME, "penstock-guard");
	for (i = 0; i < 3; i++)
		dup2(null, i);
	while (read(pipe_end, &byte, 1) < 0 && errno == EINTR)
		;
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

void guard_end(struct guard *guard)
{
	close(guard->pipe);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	guard_remove(guard); // in case somebody killed it
}
