// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/daemon.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>

#define DAEMON_BINARY      "/proc/self/exe"
#define DAEMON_POLL_NS     20000000
#define DAEMON_START_POLLS 3000 // a minute: full tables on a slow machine take seconds
#define DAEMON_STOP_POLLS  500
// What of the log is shown when it fails.
#define DAEMON_LOG_SHOWN   2000

struct daemon {
	const struct lane *lane;
	const char *config; // path
	const char *mode;
	struct daemon_plan plan;
	pid_t pid; // 0: not running
	int log;   // its stdout and stderr, in memory
};

static void daemon_pause(void)
{
	const struct timespec pause = { .tv_nsec = DAEMON_POLL_NS };

	nanosleep(&pause, NULL);
}

// In a child process: becomes a penstock command in the router's namespace.
static void daemon_exec(const struct lane *lane, int out, const char *const argv[])
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setns(lane->r0.netns, CLONE_NEWNET) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	execv(DAEMON_BINARY, (char *const *)argv);
	dprintf(STDERR_FILENO, "cannot start " DAEMON_BINARY ": %s\n", strerror(errno));
	_exit(127);
}

static int daemon_write_config(const struct daemon *daemon)
{
	int fd, err = 0;

	fd = open(daemon->config, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "mode: %s\n%s\n", daemon->plan.asked ? daemon->plan.asked : daemon->mode,
		    daemon->plan.lines ? daemon->plan.lines : "") < 0)
		err = -errno;
	close(fd);
	return err;
}

static int daemon_fork(struct daemon *daemon)
{
	const char *const *ports = daemon->plan.ports;
	const char *const argv[] = { "penstock",
				     "run",
				     "-c",
				     daemon->config,
				     ports[0] ? ports[0] : daemon->lane->r0.name,
				     ports[1]                  ? ports[1]
				     : daemon->lane->vlans.out ? NULL // a VLAN over r0
							       : daemon->lane->r1.name,
				     ports[2],
				     NULL };
	pid_t parent = getpid();

	daemon->pid = fork();
	if (daemon->pid < 0)
		return -errno;
	if (daemon->pid > 0)
		return 0;
	setpgid(0, 0); // Ctrl-C is for the bench, which then stops the daemon
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	dup2(daemon->log, STDERR_FILENO);
	daemon_exec(daemon->lane, daemon->log, argv);
	return 0;
}

// Has the daemon ended by itself?
static bool daemon_is_gone(struct daemon *daemon)
{
	if (daemon->pid && waitpid(daemon->pid, NULL, WNOHANG) == daemon->pid)
		daemon->pid = 0;
	return daemon->pid == 0;
}

// Does the answer of `penstock status -j` say that all ports run in the mode?
static bool daemon_runs_all_ports(const json_t *status, const char *mode)
{
	const json_t *ports = json_object_get(status, "ports"), *port;
	const char *state, *of_port;
	size_t i;

	json_array_foreach(ports, i, port)
	{
		state = json_string_value(json_object_get(port, "state"));
		of_port = json_string_value(json_object_get(port, "mode"));
		if (!state || !of_port || strcmp(state, "running") != 0 || strcmp(of_port, mode) != 0)
			return false;
	}
	return json_array_size(ports) > 0;
}

// Asks as a user would; NULL without an answer. What goes wrong is told to the descriptor `log`.
static json_t *daemon_ask(const struct lane *lane, int log, const char *const argv[])
{
	json_t *answer = NULL;
	int ends[2];
	FILE *out;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		dup2(log, STDERR_FILENO);
		daemon_exec(lane, ends[1], argv);
	}
	close(ends[1]);
	out = fdopen(ends[0], "r");
	if (out) {
		answer = json_loadf(out, 0, NULL);
		fclose(out);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return answer;
}

static json_t *daemon_ask_status(const struct daemon *daemon)
{
	const char *const argv[] = { "penstock", "status", "-j", NULL };

	return daemon_ask(daemon->lane, daemon->log, argv);
}

static bool daemon_is_forwarding(const struct daemon *daemon)
{
	json_t *answer = daemon_ask_status(daemon);
	bool forwarding = daemon_runs_all_ports(answer, daemon->mode);

	json_decref(answer);
	return forwarding;
}

static int daemon_wait(struct daemon *daemon, const volatile sig_atomic_t *stop)
{
	unsigned int polls;

	for (polls = 0; polls < DAEMON_START_POLLS; polls++) {
		if (*stop)
			return -EINTR;
		if (daemon_is_gone(daemon))
			return -ECHILD;
		if (daemon_is_forwarding(daemon))
			return 0;
		daemon_pause();
	}
	return -ETIMEDOUT;
}

static void daemon_show_log(const struct daemon *daemon)
{
	char text[DAEMON_LOG_SHOWN + 1];
	off_t size = lseek(daemon->log, 0, SEEK_END);
	ssize_t count;

	count = pread(daemon->log, text, DAEMON_LOG_SHOWN,
		      size > DAEMON_LOG_SHOWN ? size - DAEMON_LOG_SHOWN : 0);
	fprintf(stderr, "%.*s", count > 0 ? (int)count : 0, text);
}

static void daemon_tell_failure(const struct daemon *daemon, int err)
{
	warnx("bench: penstock %s; it says:",
	      err == -ECHILD ? "ended at once" : "does not run all ports in the mode asked for");
	daemon_show_log(daemon);
}

int daemon_start_with(const struct lane *lane, const char *config, const struct daemon_plan *plan,
		      const volatile sig_atomic_t *stop, struct daemon **ret_daemon)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int err;

	if (!daemon)
		return -ENOMEM;
	daemon->lane = lane;
	daemon->config = config;
	daemon->mode = plan->mode;
	daemon->plan = *plan;
	daemon->log = memfd_create("penstock-log", MFD_CLOEXEC);
	err = daemon->log < 0 ? -errno : daemon_write_config(daemon);
	if (err >= 0)
		err = daemon_fork(daemon);
	if (err >= 0)
		err = daemon_wait(daemon, stop);
	if (err == -ECHILD || err == -ETIMEDOUT)
		daemon_tell_failure(daemon, err);
	if (err < 0) {
		daemon_stop(daemon);
		return err;
	}
	*ret_daemon = daemon;
	return 0;
}

int daemon_start(const struct lane *lane, const char *config, const char *mode,
		 const volatile sig_atomic_t *stop, struct daemon **ret_daemon)
{
	return daemon_start_with(lane, config, &(struct daemon_plan){ .mode = mode }, stop, ret_daemon);
}

int daemon_ask_plan(const struct lane *lane, json_t **ret_plan)
{
	const char *const argv[] = {
		"penstock", "plan", "-j", lane->r0.name, lane->vlans.out ? NULL : lane->r1.name, NULL
	};
	json_t *plan = daemon_ask(lane, STDERR_FILENO, argv);

	if (!plan)
		return -EIO;
	*ret_plan = plan;
	return 0;
}

pid_t daemon_pid(const struct daemon *daemon)
{
	return daemon->pid;
}

int daemon_status(const struct daemon *daemon, json_t **ret_status)
{
	json_t *status = daemon_ask_status(daemon);

	if (!status)
		return -EIO;
	*ret_status = status;
	return 0;
}

// Runs a penstock command in the router's namespace; returns whether it did what it should.
static bool daemon_tell(const struct daemon *daemon, const char *const argv[])
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(daemon->log, STDERR_FILENO);
		daemon_exec(daemon->lane, daemon->log, argv);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

int daemon_mode(struct daemon *daemon, const char *mode)
{
	const char *const ports[] = { daemon->lane->r0.name, daemon->lane->r1.name };

	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		const char *const argv[] = { "penstock", "mode", ports[i], mode, NULL };

		if (!daemon_tell(daemon, argv)) {
			warnx("bench: penstock does not take %s to mode %s; it says:", ports[i], mode);
			daemon_show_log(daemon);
			return -EIO;
		}
	}
	daemon->mode = mode;
	return 0;
}

void daemon_stop(struct daemon *daemon)
{
	unsigned int polls;

	if (!daemon)
		return;
	if (daemon->pid > 0)
		kill(daemon->pid, SIGTERM);
	for (polls = 0; polls < DAEMON_STOP_POLLS && !daemon_is_gone(daemon); polls++)
		daemon_pause();
	if (!daemon_is_gone(daemon)) {
		warnx("bench: penstock did not end on SIGTERM; killing it");
		kill(daemon->pid, SIGKILL);
		waitpid(daemon->pid, NULL, 0);
	}
	if (daemon->log >= 0)
		close(daemon->log);
	free(daemon);
}
