// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define NETNS_MAX 8

static char made[NETNS_MAX][32];
static int made_count;
static char files[NETNS_MAX][NETNS_PATH];
static int file_count;
static pid_t maker;
static int home = -1;

static void on_signal(int number)
{
	netns_remove_all();
	_exit(128 + number);
}

static void remove_at_exit(void)
{
	if (getpid() == maker)
		netns_remove_all();
}

static void prepare_once(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	if (maker)
		return;
	maker = getpid();
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	atexit(remove_at_exit);
	for (int i = 0; i < 3; i++)
		signal(signals[i], on_signal);
}

static int run(int in, const char *log, const char *const argv[])
{
	int out = log ? open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (in >= 0)
		dup2(in, 0);
	if (out >= 0) {
		dup2(out, 1);
		dup2(out, 2);
	}
	execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	return 127;
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t spawn(const struct netns *netns, int in, const char *log, const char *const argv[])
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child == 0) {
		if (netns && setns(netns->fd, CLONE_NEWNET) < 0)
			_exit(126);
		_exit(run(in, log, argv));
	}
	return child;
}

int netns_new(const char *suffix, struct netns *ret_netns)
{
	char path[64];
	struct netns new;
	int code;

	prepare_once();
	if (made_count == NETNS_MAX)
		return -ENOSPC;
	snprintf(new.name, sizeof(new.name), "ps-twin-%d-%.8s", getpid(), suffix);
	code = netns_run(NULL, NULL, (const char *[]){ "ip", "netns", "add", new.name, NULL });
	if (code)
		return code < 0 ? code : -EPERM;
	strcpy(made[made_count++], new.name);
	snprintf(path, sizeof(path), "/var/run/netns/%s", new.name);
	new.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (new.fd < 0)
		return -errno;
	*ret_netns = new;
	return 0;
}

void netns_file(const struct netns *netns, const char *suffix, char ret_path[NETNS_PATH])
{
	snprintf(ret_path, NETNS_PATH, "/tmp/%s.%s", netns->name, suffix);
	for (int i = 0; i < file_count; i++)
		if (strcmp(files[i], ret_path) == 0)
			return;
	if (file_count < NETNS_MAX)
		strcpy(files[file_count++], ret_path);
}

void netns_remove_all(void)
{
	while (file_count > 0)
		(void)unlink(files[--file_count]); // it may never have been made
	while (made_count > 0) {
		made_count--;
		netns_run(NULL, NULL, (const char *[]){ "ip", "netns", "delete", made[made_count], NULL });
	}
}

void netns_enter(const struct netns *netns)
{
	if (setns(netns->fd, CLONE_NEWNET) < 0) {
		fprintf(stderr, "cannot enter namespace %s: %s\n", netns->name, strerror(errno));
		exit(1);
	}
}

void netns_leave(void)
{
	if (setns(home, CLONE_NEWNET) < 0) {
		fprintf(stderr, "cannot return to the first namespace: %s\n", strerror(errno));
		exit(1);
	}
}

int netns_run(const struct netns *netns, const char *input, const char *const argv[])
{
	int in = -1, code;

	if (input) {
		in = memfd_create("input", MFD_CLOEXEC);
		if (in < 0)
			return -errno;
		if (write(in, input, strlen(input)) != (ssize_t)strlen(input) || lseek(in, 0, SEEK_SET) < 0) {
			close(in);
			return -EIO;
		}
	}
	code = spawn(netns, in, NULL, argv);
	if (in >= 0)
		close(in);
	return code < 0 ? code : wait_for(code);
}

pid_t netns_start(const struct netns *netns, const char *log, const char *const argv[])
{
	return spawn(netns, -1, log, argv);
}

int netns_sysctl(const struct netns *netns, const char *path, const char *value)
{
	char file[256];
	int fd, error = 0;

	snprintf(file, sizeof(file), "/proc/sys/%s", path);
	netns_enter(netns);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		error = -errno;
	if (fd >= 0)
		close(fd);
	netns_leave();
	return error;
}
