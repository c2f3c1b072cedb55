// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk_router.h"

#include "bench/dpdk_version.h"
#include "bench/dpdk_words.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DPDK_ROUTER_ANSWER  65536
#define DPDK_ROUTER_POLL    0.05
#define DPDK_ROUTER_POLLS   6000 // five minutes: l3fwd takes long with full tables, and on a busy machine
#define DPDK_ROUTER_WARM    0.05
// Of what is received must be sent.
#define DPDK_ROUTER_ALL     0.99
#define DPDK_ROUTER_TRIES   50
#define DPDK_ROUTER_BLUR_NS 1000000
#define DPDK_ROUTER_LOG     1500
#define DPDK_ROUTER_FIRST   16384 // with what a sink says before

#define DPDK_ROUTER_TESTPMD_BINARY "dpdk-testpmd"
#define DPDK_ROUTER_SINK_MEMORY    128 // MiB
#define DPDK_ROUTER_SINK_POLLS     400

struct dpdk_reading {
	__u64 received_before, sent, received_behind;
	__u64 nanoseconds;
};

static const char *const dpdk_router_names[DPDK_ROUTERS] = { "penstock", "l3fwd", "testpmd" };
static const char *const dpdk_router_egress_names[DPDK_ROUTER_EGRESSES] = { "null", "memif" };

const char *dpdk_router_name(enum dpdk_router_kind kind)
{
	return dpdk_router_names[kind];
}

const char *dpdk_router_egress_name(enum dpdk_router_egress egress)
{
	return dpdk_router_egress_names[egress];
}

static void dpdk_router_pause(double seconds)
{
	struct timespec pause = { .tv_sec = (time_t)seconds };

	pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
	nanosleep(&pause, NULL);
}

// --- asking ---

// DPDK's telemetry: a banner first, then an answer to each question.
static json_t *dpdk_router_ask(const struct dpdk_router *router, const char *question)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 2 };
	char *answer = malloc(DPDK_ROUTER_ANSWER);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	json_t *document = NULL;
	ssize_t size = -1;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", router->telemetry);
	if (fd >= 0 && answer && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    recv(fd, answer, DPDK_ROUTER_ANSWER, 0) > 0 &&
	    send(fd, question, strlen(question), MSG_NOSIGNAL) > 0)
		size = recv(fd, answer, DPDK_ROUTER_ANSWER, 0);
	if (size > 0)
		document = json_loadb(answer, (size_t)size, 0, NULL);
	if (fd >= 0)
		close(fd);
	free(answer);
	return document;
}

static int dpdk_router_counter(const struct dpdk_router *router, unsigned int device, const char *name,
			       __u64 *ret)
{
	char question[64];
	json_t *answer, *value;

	snprintf(question, sizeof(question), "/ethdev/stats,%u", device);
	answer = dpdk_router_ask(router, question);
	value = json_object_get(json_object_get(answer, "/ethdev/stats"), name);
	if (value)
		*ret = (__u64)json_integer_value(value);
	json_decref(answer);
	return value ? 0 : -EIO;
}

static int dpdk_router_cpu(const struct dpdk_router *router, __u64 *ret)
{
	FILE *file = fopen(router->schedstat, "re");
	unsigned long long value;
	int err = file && fscanf(file, "%llu", &value) == 1 ? 0 : -ESRCH;

	if (file)
		fclose(file);
	if (err == 0)
		*ret = value;
	return err;
}

// What it has sent, and the CPU time that it took for that: the two cannot be read in one moment, so they are
// read again until there is hardly any CPU time between a look before and one behind.
static int dpdk_router_sample(const struct dpdk_router *router, struct dpdk_reading *ret)
{
	__u64 before = 0, behind = 0;
	int err = dpdk_router_counter(router, 0, "ipackets", &ret->received_before);

	for (unsigned int i = 0; err >= 0 && i < DPDK_ROUTER_TRIES; i++) {
		err = dpdk_router_cpu(router, &before);
		if (err >= 0)
			err = dpdk_router_counter(router, 1, "opackets", &ret->sent);
		if (err >= 0)
			err = dpdk_router_cpu(router, &behind);
		if (behind - before < DPDK_ROUTER_BLUR_NS)
			break;
	}
	ret->nanoseconds = before + (behind - before) / 2;
	return err < 0 ? err : dpdk_router_counter(router, 0, "ipackets", &ret->received_behind);
}

// The worker of penstock has a thread of its own; l3fwd's is its first one.
static void dpdk_router_find_thread(struct dpdk_router *router)
{
	char path[300], name[32];
	struct dirent *entry;
	DIR *threads;

	snprintf(router->schedstat, sizeof(router->schedstat), "/proc/%d/schedstat", router->pid);
	snprintf(path, sizeof(path), "/proc/%d/task", router->pid);
	threads = opendir(path);
	while (threads && (entry = readdir(threads))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", router->pid, entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) &&
		    (strncmp(name, "rte-worker", 10) == 0 || strncmp(name, "lcore-worker", 12) == 0))
			snprintf(router->schedstat, sizeof(router->schedstat),
				 "/proc/%d/task/%.20s/schedstat", router->pid, entry->d_name);
		fclose(file);
	}
	if (threads)
		closedir(threads);
}

// --- starting ---

static void dpdk_router_memif_path(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				   char path[2 * DPDK_BED_PATH])
{
	snprintf(path, 2 * DPDK_BED_PATH, "%s/%s-%s.sock", bed->directory, dpdk_router_name(plan->kind),
		 dpdk_bed_traffic_name(plan->traffic));
}

// As DPDK wants the second device; the prefix is what an option or penstock puts in front of it.
static void dpdk_router_egress_word(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				    const char *prefix, struct dpdk_words *words)
{
	char path[2 * DPDK_BED_PATH];

	dpdk_router_memif_path(bed, plan, path);
	if (plan->egress == DPDK_ROUTER_NULL)
		dpdk_words_add(words, "%snet_null1,no-rx=1", prefix);
	else
		dpdk_words_add(words, "%snet_memif1,role=client,socket-abstract=no,socket=%s", prefix, path);
}

// What l3fwd and testpmd have in common.
static void dpdk_router_eal_words(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				  const char *prefix, struct dpdk_words *words)
{
	dpdk_words_add_memory(words, plan->huge, plan->memory);
	dpdk_words_add(words, "--file-prefix=%s", prefix);
	dpdk_words_add(words, "-v"); // tells its version
	dpdk_words_add(words, "--vdev=net_pcap0,rx_pcap=%s/%s.pcap,infinite_rx=1", bed->directory,
		       dpdk_bed_traffic_name(plan->traffic));
	dpdk_router_egress_word(bed, plan, "--vdev=", words);
	dpdk_words_add(words, "--");
}

static void dpdk_router_l3fwd_words(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				    const char *prefix, struct dpdk_words *words)
{
	dpdk_words_add(words, "%s/l3fwd", bed->directory);
	dpdk_words_add(words, "--lcores=%u", plan->cpu);
	dpdk_router_eal_words(bed, plan, prefix, words);
	dpdk_words_add(words, "-p");
	dpdk_words_add(words, "0x3");
	dpdk_words_add(words, "-P");
	dpdk_words_add(words, "--config=(0,0,%u),(1,0,%u)", plan->cpu, plan->cpu);
	dpdk_words_add(words, "--lookup=fib");
	dpdk_words_add(words, "--parse-ptype");
	// It makes as many buffers as its queues hold.
	dpdk_words_add(words, "--rx-queue-size=%u", plan->packets);
	dpdk_words_add(words, "--rule_ipv4=%s/rules4", bed->directory);
	dpdk_words_add(words, "--rule_ipv6=%s/rules6", bed->directory);
}

// Bursts as long as l3fwd's.
static void dpdk_router_testpmd_words(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				      const char *prefix, struct dpdk_words *words)
{
	dpdk_words_add(words, DPDK_ROUTER_TESTPMD_BINARY);
	dpdk_words_add(words, "--lcores=0@%u,1@%u", plan->cpu, plan->cpu);
	dpdk_router_eal_words(bed, plan, prefix, words);
	dpdk_words_add(words, "--no-mlockall");
	dpdk_words_add(words, "--disable-link-check");
	dpdk_words_add(words, "--total-num-mbufs=%u", plan->buffers);
	dpdk_words_add(words, "--forward-mode=io");
	dpdk_words_add(words, "--burst=32");
	dpdk_words_add(words, "--stats-period=1000000"); // it does not wait for its input
}

// What takes the frames from net_memif.
static void dpdk_router_sink_words(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				   struct dpdk_words *words)
{
	unsigned int cpu = plan->cpu ? plan->cpu - 1 : 1;
	char path[2 * DPDK_BED_PATH];

	dpdk_router_memif_path(bed, plan, path);
	dpdk_words_add(words, DPDK_ROUTER_TESTPMD_BINARY);
	dpdk_words_add(words, "--lcores=0@%u,1@%u", cpu, cpu);
	dpdk_words_add_memory(words, plan->huge, DPDK_ROUTER_SINK_MEMORY);
	dpdk_words_add(words, "--no-telemetry");
	dpdk_words_add(words, "--file-prefix=bench-%d-m", getpid());
	dpdk_words_add(words, "--vdev=net_memif0,role=server,socket-abstract=no,socket=%s", path);
	dpdk_words_add(words, "--");
	dpdk_words_add(words, "--no-mlockall");
	dpdk_words_add(words, "--disable-link-check");
	// as many as penstock sends by: its worker's, and one for what comes from the kernel
	dpdk_words_add(words, "--rxq=2");
	dpdk_words_add(words, "--txq=2");
	dpdk_words_add(words, "--total-num-mbufs=16384");
	dpdk_words_add(words, "--forward-mode=rxonly");
	dpdk_words_add(words, "--burst=64");
	dpdk_words_add(words, "--stats-period=1000000");
}

static int dpdk_router_penstock_words(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				      const char *name, struct dpdk_words *words)
{
	char path[2 * DPDK_BED_PATH];
	FILE *out;

	snprintf(path, sizeof(path), "%s/penstock.yaml", bed->directory);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	fprintf(out,
		"name: %s\n"
		"dpdk: { poll: busy, lcores: \"%u\", memory: %u, buffers: %u }\n",
		name, plan->cpu, plan->memory, plan->buffers);
	if (fclose(out) == EOF)
		return -errno;
	dpdk_words_add(words, "penstock");
	dpdk_words_add(words, "run");
	dpdk_words_add(words, "-c");
	dpdk_words_add(words, "%s", path);
	dpdk_words_add(words, "dpdk:net_pcap0,rx_pcap=%s/%s.pcap,infinite_rx=1", bed->directory,
		       dpdk_bed_traffic_name(plan->traffic));
	dpdk_router_egress_word(bed, plan, "dpdk:", words);
	return 0;
}

static void dpdk_router_child(const struct dpdk_bed *bed, const struct dpdk_router *router,
			      const char *program, const struct dpdk_words *words, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0); // Ctrl-C is for the bench
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setns(bed->netns, CLONE_NEWNET) < 0)
		_exit(127);
	dup2(router->log, STDOUT_FILENO);
	dup2(router->log, STDERR_FILENO);
	execvp(program, words->word);
	_exit(127);
}

static int dpdk_router_spawn(const struct dpdk_bed *bed, const struct dpdk_router *router,
			     const char *program, const struct dpdk_words *words, pid_t *ret_pid)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		dpdk_router_child(bed, router, program, words, parent);
	*ret_pid = pid;
	return 0;
}

// It makes the socket that the router's device wants to find.
static int dpdk_router_fork_sink(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
				 struct dpdk_router *router)
{
	struct dpdk_words *words = calloc(1, sizeof(*words));
	char path[2 * DPDK_BED_PATH];
	int err;

	if (!words)
		return -ENOMEM;
	dpdk_router_sink_words(bed, plan, words);
	dpdk_router_memif_path(bed, plan, path);
	err = dpdk_router_spawn(bed, router, words->word[0], words, &router->sink);
	for (unsigned int polls = 0; err >= 0 && access(path, F_OK) < 0; polls++) {
		if (polls == DPDK_ROUTER_SINK_POLLS)
			err = -ETIMEDOUT;
		dpdk_router_pause(DPDK_ROUTER_POLL);
	}
	free(words);
	return err;
}

static int dpdk_router_words(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
			     const char *name, struct dpdk_words *words)
{
	if (plan->kind == DPDK_ROUTER_PENSTOCK)
		return dpdk_router_penstock_words(bed, plan, name, words);
	if (plan->kind == DPDK_ROUTER_L3FWD)
		dpdk_router_l3fwd_words(bed, plan, name, words);
	else
		dpdk_router_testpmd_words(bed, plan, name, words);
	return 0;
}

static int dpdk_router_fork(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
			    struct dpdk_router *router)
{
	struct dpdk_words *words = calloc(1, sizeof(*words));
	bool penstock = plan->kind == DPDK_ROUTER_PENSTOCK;
	char name[32];
	int err;

	if (!words)
		return -ENOMEM;
	snprintf(name, sizeof(name), "bench-%d-%c", getpid(), dpdk_router_name(plan->kind)[0]);
	err = dpdk_router_words(bed, plan, name, words);
	snprintf(router->telemetry, sizeof(router->telemetry), "/run/dpdk/%s%s/dpdk_telemetry.v2",
		 penstock ? "penstock-" : "", name);
	router->log = memfd_create("router-log", MFD_CLOEXEC);
	if (err >= 0 && router->log < 0)
		err = -errno;
	if (err >= 0 && plan->egress == DPDK_ROUTER_MEMIF)
		err = dpdk_router_fork_sink(bed, plan, router);
	if (err >= 0)
		err = dpdk_router_spawn(bed, router, penstock ? "/proc/self/exe" : words->word[0], words,
					&router->pid);
	free(words);
	return err;
}

static void dpdk_router_signal(const struct dpdk_router *router, int number)
{
	kill(router->pid, number);
	if (router->sink)
		kill(router->sink, number);
}

bool dpdk_router_has_testpmd(void)
{
	return system("command -v " DPDK_ROUTER_TESTPMD_BINARY " >/dev/null") == 0;
}

static bool dpdk_router_is_gone(struct dpdk_router *router)
{
	if (router->pid && waitpid(router->pid, NULL, WNOHANG) == router->pid)
		router->pid = 0;
	return router->pid == 0;
}

// Until its tables are complete, the kernel forwards for penstock.
static bool dpdk_router_forwards_itself(const struct dpdk_router *router)
{
	json_t *answer = dpdk_router_ask(router, "/penstock/port,dp0"), *figures;
	bool itself;

	figures = json_object_get(answer, "/penstock/port");
	itself = !json_is_object(figures) || json_object_get(figures, "forwarded"); // l3fwd answers null
	json_decref(answer);
	return itself;
}

static bool dpdk_router_forwards(struct dpdk_router *router)
{
	struct dpdk_reading before, after;

	dpdk_router_find_thread(router);
	if (dpdk_router_sample(router, &before) < 0)
		return false;
	dpdk_router_pause(DPDK_ROUTER_POLL);
	return dpdk_router_sample(router, &after) == 0 && dpdk_router_forwards_itself(router) &&
	       after.sent > before.sent;
}

static int dpdk_router_wait(struct dpdk_router *router, const volatile sig_atomic_t *stop)
{
	for (unsigned int polls = 0; polls < DPDK_ROUTER_POLLS; polls++) {
		if (*stop)
			return -EINTR;
		if (dpdk_router_is_gone(router))
			return -ECHILD;
		if (dpdk_router_forwards(router))
			return 0;
		dpdk_router_pause(DPDK_ROUTER_POLL);
	}
	return -ETIMEDOUT;
}

// What l3fwd and testpmd say first.
static void dpdk_router_note_version(const struct dpdk_router *router, enum dpdk_router_kind kind)
{
	char text[DPDK_ROUTER_FIRST + 1];
	ssize_t count = pread(router->log, text, DPDK_ROUTER_FIRST, 0);

	text[count > 0 ? count : 0] = 0;
	dpdk_version_note(dpdk_router_name(kind), text);
}

static void dpdk_router_tell(const struct dpdk_router *router, const struct dpdk_router_plan *plan, int err)
{
	char text[DPDK_ROUTER_LOG + 1];
	off_t size = lseek(router->log, 0, SEEK_END);
	ssize_t count = pread(router->log, text, DPDK_ROUTER_LOG,
			      size > DPDK_ROUTER_LOG ? size - DPDK_ROUTER_LOG : 0);

	warnx("bench dpdk: %s %s; it says:", dpdk_router_name(plan->kind),
	      err == -ECHILD ? "ended" : "does not forward");
	fprintf(stderr, "%.*s\n", count > 0 ? (int)count : 0, text);
}

int dpdk_router_start(const struct dpdk_bed *bed, const struct dpdk_router_plan *plan,
		      const volatile sig_atomic_t *stop, struct dpdk_router *ret)
{
	struct dpdk_router router = { .log = -1 };
	int err = dpdk_router_fork(bed, plan, &router);

	if (err >= 0)
		err = dpdk_router_wait(&router, stop);
	if (err == -ECHILD || err == -ETIMEDOUT)
		dpdk_router_tell(&router, plan, err);
	if (err < 0) {
		dpdk_router_stop(&router);
		return err;
	}
	dpdk_router_note_version(&router, plan->kind);
	dpdk_router_signal(&router, SIGSTOP);
	*ret = router;
	return 0;
}

// What penstock counts; l3fwd answers nothing.
static void dpdk_router_tell_reasons(const struct dpdk_router *router)
{
	json_t *answer = dpdk_router_ask(router, "/penstock/port,dp0");

	if (answer) {
		(void)json_dumpf(answer, stderr, JSON_COMPACT);
		fputc('\n', stderr);
	}
	json_decref(answer);
}

int dpdk_router_run(struct dpdk_router *router, double seconds, struct dpdk_sample *ret)
{
	struct dpdk_reading before, after;
	int err;

	dpdk_router_signal(router, SIGCONT);
	dpdk_router_pause(DPDK_ROUTER_WARM);
	err = dpdk_router_sample(router, &before);
	for (unsigned int i = 0; err >= 0 && i < DPDK_ROUTER_TRIES; i++) {
		dpdk_router_pause(seconds);
		err = dpdk_router_sample(router, &after);
		if ((double)(after.nanoseconds - before.nanoseconds) > 0.8e9 * seconds)
			break;
	}
	if (err >= 0 && (after.sent <= before.sent || after.nanoseconds <= before.nanoseconds))
		err = -ETIME;
	if (err >= 0) {
		ret->sent = after.sent - before.sent;
		ret->nanoseconds = after.nanoseconds - before.nanoseconds;
		// At least so many came in while these went out.
		ret->received = after.received_before > before.received_behind
					? after.received_before - before.received_behind
					: 0;
		// A sink may be too slow; nothing is.
		if (!router->sink && (double)ret->sent < DPDK_ROUTER_ALL * (double)ret->received) {
			dpdk_router_tell_reasons(router);
			err = -EBADMSG;
		}
	}
	dpdk_router_signal(router, SIGSTOP);
	return err;
}

void dpdk_router_stop(struct dpdk_router *router)
{
	if (router->pid > 0) {
		kill(router->pid, SIGCONT);
		kill(router->pid, SIGINT);
		for (unsigned int polls = 0; polls < DPDK_ROUTER_POLLS / 30 && !dpdk_router_is_gone(router);
		     polls++)
			dpdk_router_pause(DPDK_ROUTER_POLL);
	}
	if (!dpdk_router_is_gone(router)) {
		kill(router->pid, SIGKILL);
		waitpid(router->pid, NULL, 0);
	}
	if (router->sink > 0) {
		kill(router->sink, SIGKILL);
		waitpid(router->sink, NULL, 0);
	}
	if (router->telemetry[0]) {
		char *slash = strrchr(router->telemetry, '/');

		(void)unlink(router->telemetry);
		strcpy(slash, "/telemetry"); // which is left by who was killed
		(void)unlink(router->telemetry);
		*slash = '\0'; // l3fwd and testpmd leave the directory
		(void)rmdir(router->telemetry);
	}
	if (router->log >= 0)
		close(router->log);
	memset(router, 0, sizeof(*router));
	router->log = -1;
}
