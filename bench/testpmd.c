// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/testpmd.h"

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

#define TESTPMD_BINARY      "dpdk-testpmd"
#define TESTPMD_READY       "Press enter to exit"
#define TESTPMD_POLL_NS     20000000
#define TESTPMD_START_POLLS 1500
#define TESTPMD_STOP_POLLS  500
#define TESTPMD_LOG         16384
#define TESTPMD_HUGEPAGES   256 // MB

struct testpmd {
	const struct lane *lane;
	unsigned int cpu;
	pid_t pid;    // 0: not running
	int log;      // its stdout and stderr, in memory
	int input[2]; // its stdin: it ends when that ends
};

static void testpmd_pause(void)
{
	const struct timespec pause = { .tv_nsec = TESTPMD_POLL_NS };

	nanosleep(&pause, NULL);
}

// Whether enough of them are free; without, memory of ordinary pages has to do.
static bool testpmd_has_hugepages(void)
{
	unsigned long long free_pages = 0, kilobytes = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "HugePages_Free: %llu", &free_pages);
		sscanf(line, "Hugepagesize: %llu", &kilobytes);
	}
	if (file)
		fclose(file);
	return free_pages * kilobytes / 1024 >= TESTPMD_HUGEPAGES;
}

// In the child process.
static void testpmd_exec(const struct testpmd *testpmd)
{
	char lcores[32], device0[64], device1[64], peer[64];
	const char *const argv[] = { "stdbuf", // else it keeps to itself that it is ready
				     "-o0",
				     TESTPMD_BINARY,
				     lcores,
				     "--no-pci",
				     "--no-telemetry",
				     "--no-shconf",
				     "-m",
				     "256",
				     device0,
				     device1,
				     testpmd_has_hugepages() ? "--in-memory" : "--no-huge",
				     "--",
				     "--no-mlockall",
				     "--disable-link-check",
				     "--total-num-mbufs=32768",
				     "--forward-mode=mac",
				     peer,
				     NULL };
	__u8 mac[6];

	lane_gateway_mac(0, mac);
	snprintf(lcores, sizeof(lcores), "--lcores=0@%u,1@%u", testpmd->cpu, testpmd->cpu);
	snprintf(device0, sizeof(device0), "--vdev=net_af_xdp0,iface=%s", testpmd->lane->r0.name);
	snprintf(device1, sizeof(device1), "--vdev=net_af_xdp1,iface=%s", testpmd->lane->r1.name);
	snprintf(peer, sizeof(peer), "--eth-peer=1,%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 1); // which not every kernel lets load
	if (setns(testpmd->lane->r0.netns, CLONE_NEWNET) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int testpmd_fork(struct testpmd *testpmd)
{
	pid_t parent = getpid();
	sigset_t none;

	testpmd->pid = fork();
	if (testpmd->pid < 0)
		return -errno;
	if (testpmd->pid > 0)
		return 0;
	setpgid(0, 0); // Ctrl-C is for the bench
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(testpmd->input[0], STDIN_FILENO) < 0 || dup2(testpmd->log, STDOUT_FILENO) < 0 ||
	    dup2(testpmd->log, STDERR_FILENO) < 0)
		_exit(126);
	testpmd_exec(testpmd);
	return 0;
}

static void testpmd_read_log(const struct testpmd *testpmd, char text[TESTPMD_LOG])
{
	ssize_t size = pread(testpmd->log, text, TESTPMD_LOG - 1, 0);

	text[size > 0 ? size : 0] = 0;
}

static int testpmd_wait(struct testpmd *testpmd, const volatile sig_atomic_t *stop)
{
	char text[TESTPMD_LOG];
	int status;

	for (unsigned int polls = 0; polls < TESTPMD_START_POLLS; polls++) {
		if (*stop)
			return -EINTR;
		if (waitpid(testpmd->pid, &status, WNOHANG) == testpmd->pid) {
			testpmd->pid = 0;
			return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -ENOENT : -ECHILD;
		}
		testpmd_read_log(testpmd, text);
		if (strstr(text, TESTPMD_READY))
			return 0;
		testpmd_pause();
	}
	return -ETIMEDOUT;
}

static void testpmd_tell_failure(const struct testpmd *testpmd, int err)
{
	char text[TESTPMD_LOG];

	if (err == -ENOENT) {
		warnx("bench: " TESTPMD_BINARY " is not installed; apt-get install dpdk-dev");
		return;
	}
	testpmd_read_log(testpmd, text);
	warnx("bench: testpmd does not forward; it says:\n%s", text);
}

bool testpmd_is_installed(void)
{
	const char *path = getenv("PATH");
	char copy[4096], file[4352], *rest = copy, *folder;

	snprintf(copy, sizeof(copy), "%s", path ? path : "");
	while ((folder = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/" TESTPMD_BINARY, folder);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int testpmd_start(const struct lane *lane, unsigned int cpu, const volatile sig_atomic_t *stop,
		  struct testpmd **ret_testpmd)
{
	struct testpmd *testpmd = calloc(1, sizeof(*testpmd));
	int err;

	if (!testpmd)
		return -ENOMEM;
	testpmd->lane = lane;
	testpmd->cpu = cpu;
	testpmd->input[0] = testpmd->input[1] = -1;
	testpmd->log = memfd_create("testpmd-log", MFD_CLOEXEC);
	err = testpmd->log < 0 || pipe2(testpmd->input, O_CLOEXEC) < 0 ? -errno : 0;
	if (err >= 0)
		err = testpmd_fork(testpmd);
	if (err >= 0)
		err = testpmd_wait(testpmd, stop);
	if (err < 0 && err != -EINTR)
		testpmd_tell_failure(testpmd, err);
	if (err < 0) {
		testpmd_stop(testpmd);
		return err;
	}
	*ret_testpmd = testpmd;
	return 0;
}

pid_t testpmd_pid(const struct testpmd *testpmd)
{
	return testpmd->pid;
}

void testpmd_stop(struct testpmd *testpmd)
{
	if (!testpmd)
		return;
	if (testpmd->pid > 0)
		kill(testpmd->pid, SIGINT);
	for (unsigned int polls = 0; polls < TESTPMD_STOP_POLLS && testpmd->pid > 0; polls++) {
		if (waitpid(testpmd->pid, NULL, WNOHANG) == testpmd->pid)
			testpmd->pid = 0;
		else
			testpmd_pause();
	}
	if (testpmd->pid > 0) {
		kill(testpmd->pid, SIGKILL);
		waitpid(testpmd->pid, NULL, 0);
	}
	for (int i = 0; i < 2; i++)
		if (testpmd->input[i] >= 0)
			close(testpmd->input[i]);
	if (testpmd->log >= 0)
		close(testpmd->log);
	free(testpmd);
}
