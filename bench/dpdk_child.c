// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk_child.h"

#include "bench/dpdk_version.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DPDK_CHILD_POLL_NS     20000000
#define DPDK_CHILD_START_POLLS 6000 // two minutes: full tables take long on a busy machine
#define DPDK_CHILD_STOP_POLLS  500
#define DPDK_CHILD_LOG         16384

struct dpdk_child {
	const char *name;
	pid_t pid;    // 0: not running
	int log;      // its stdout and stderr, in memory
	int input[2]; // its stdin: testpmd ends when that ends
};

static void dpdk_child_pause(void)
{
	const struct timespec pause = { .tv_nsec = DPDK_CHILD_POLL_NS };

	nanosleep(&pause, NULL);
}

void dpdk_child_add(struct dpdk_words *words, const struct lane *lane, const char *lcores,
		    unsigned int memory)
{
	dpdk_words_add(words, "--lcores=%s", lcores);
	dpdk_words_add(words, "-v"); // tells its version
	dpdk_words_add_memory(words, dpdk_words_free_huge() >= memory, memory);
	dpdk_words_add(words, "--no-telemetry");
	dpdk_words_add(words, "--file-prefix=penstock-bench-%d-c", getpid()); // the guard removes its folder
	dpdk_words_add(words, "--vdev=net_af_xdp0,iface=%s", lane->r0.name);
	dpdk_words_add(words, "--vdev=net_af_xdp1,iface=%s", lane->r1.name);
	dpdk_words_add(words, "--");
}

void dpdk_child_add_gateway(struct dpdk_words *words, const char *option)
{
	__u8 mac[6];

	lane_gateway_mac(0, mac);
	dpdk_words_add(words, "%s=1,%02x:%02x:%02x:%02x:%02x:%02x", option, mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
}

// In the child process.
static void dpdk_child_exec(const struct dpdk_child *child, const struct lane *lane,
			    const struct dpdk_words *words, pid_t parent)
{
	// Else it keeps to itself for long what it prints.
	const char *argv[DPDK_WORDS + 3] = { "stdbuf", "-o0" };
	sigset_t none;

	setpgid(0, 0); // Ctrl-C is for the bench
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(child->input[0], STDIN_FILENO) < 0 || dup2(child->log, STDOUT_FILENO) < 0 ||
	    dup2(child->log, STDERR_FILENO) < 0)
		_exit(126);
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 1); // which not every kernel lets load
	if (setns(lane->r0.netns, CLONE_NEWNET) < 0)
		_exit(126);
	memcpy(argv + 2, words->word, sizeof(words->word));
	execvp(argv[0], (char *const *)argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int dpdk_child_fork(struct dpdk_child *child, const struct lane *lane, const struct dpdk_words *words)
{
	pid_t parent = getpid();

	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (child->pid == 0)
		dpdk_child_exec(child, lane, words, parent);
	return 0;
}

static void dpdk_child_read_log(const struct dpdk_child *child, char text[DPDK_CHILD_LOG])
{
	ssize_t size = pread(child->log, text, DPDK_CHILD_LOG - 1, 0);

	text[size > 0 ? size : 0] = 0;
}

static int dpdk_child_wait(struct dpdk_child *child, const char *ready, const volatile sig_atomic_t *stop)
{
	char text[DPDK_CHILD_LOG];
	int status;

	for (unsigned int polls = 0; polls < DPDK_CHILD_START_POLLS; polls++) {
		if (*stop)
			return -EINTR;
		if (waitpid(child->pid, &status, WNOHANG) == child->pid) {
			child->pid = 0;
			return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -ENOENT : -ECHILD;
		}
		dpdk_child_read_log(child, text);
		if (strstr(text, ready)) {
			dpdk_version_note(child->name, text);
			return 0;
		}
		dpdk_child_pause();
	}
	return -ETIMEDOUT;
}

static void dpdk_child_tell_failure(const struct dpdk_child *child, int err)
{
	char text[DPDK_CHILD_LOG];

	if (err == -ENOENT) {
		warnx("bench: %s is not installed; apt-get install dpdk-dev", child->name);
		return;
	}
	dpdk_child_read_log(child, text);
	warnx("bench: %s does not forward; it says:\n%s", child->name, text);
}

bool dpdk_child_is_installed(const char *program)
{
	const char *path = getenv("PATH");
	char copy[4096], file[4352], *rest = copy, *folder;

	snprintf(copy, sizeof(copy), "%s", path ? path : "");
	while ((folder = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/%s", folder, program);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int dpdk_child_start(const struct lane *lane, const char *name, const struct dpdk_words *words,
		     const char *ready, const volatile sig_atomic_t *stop, struct dpdk_child **ret_child)
{
	struct dpdk_child *child = calloc(1, sizeof(*child));
	int err;

	if (!child)
		return -ENOMEM;
	child->name = name;
	child->input[0] = child->input[1] = -1;
	child->log = memfd_create("dpdk-log", MFD_CLOEXEC);
	err = child->log < 0 || pipe2(child->input, O_CLOEXEC) < 0 ? -errno : 0;
	if (err >= 0)
		err = dpdk_child_fork(child, lane, words);
	if (err >= 0)
		err = dpdk_child_wait(child, ready, stop);
	if (err < 0 && err != -EINTR)
		dpdk_child_tell_failure(child, err);
	if (err < 0) {
		dpdk_child_stop(child);
		return err;
	}
	*ret_child = child;
	return 0;
}

pid_t dpdk_child_pid(const struct dpdk_child *child)
{
	return child->pid;
}

void dpdk_child_stop(struct dpdk_child *child)
{
	if (!child)
		return;
	if (child->pid > 0)
		kill(child->pid, SIGINT);
	for (unsigned int polls = 0; polls < DPDK_CHILD_STOP_POLLS && child->pid > 0; polls++) {
		if (waitpid(child->pid, NULL, WNOHANG) == child->pid)
			child->pid = 0;
		else
			dpdk_child_pause();
	}
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	for (int i = 0; i < 2; i++)
		if (child->input[i] >= 0)
			close(child->input[i]);
	if (child->log >= 0)
		close(child->log);
	free(child);
}
