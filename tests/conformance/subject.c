// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/subject.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/conformance/careless.skel.h"

#define START_TENTHS                                                                                         \
	1800 // seconds * 10 that penstock may take until it forwards; clocks of emulated guests run fast
#define STOP_TENTHS  600
#define FOLLOW_MS    500 // a change is in the data plane after 50 ms; a busy machine is given more
#define FOLLOW_TIMES 8
#define MARK         "192.0.2.77" // a destination that no packet has

struct subject {
	struct careless_bpf *careless;
	pid_t daemon;
	const char *command;
	const struct netns *router;
	char log[NETNS_PATH], config[NETNS_PATH]; // go with the namespace
};

static int start_careless(struct subject *subject, const struct world *world, const struct netns *router)
{
	int error = 0;

	subject->careless = careless_bpf__open_and_load();
	if (!subject->careless)
		return -errno;
	netns_enter(router);
	for (__u32 i = 0; i < world->interface_count && !error; i++)
		if (!world->interface[i].parent)
			error = bpf_xdp_attach(world->interface[i].ifindex,
					       bpf_program__fd(subject->careless->progs.careless), 0, NULL);
	netns_leave();
	return error;
}

// How many ports have no program yet.
static int ports_missing(const struct world *world, const struct netns *router)
{
	int missing = 0;

	netns_enter(router);
	for (__u32 i = 0; i < world->interface_count; i++) {
		__u32 id = 0;

		if (!world->interface[i].parent)
			missing += bpf_xdp_query_id(world->interface[i].ifindex, 0, &id) < 0 || id == 0;
	}
	netns_leave();
	return missing;
}

static bool has_ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) != 0;
}

static void print_log(const char *path)
{
	char line[512];
	FILE *log = fopen(path, "r");

	while (log && fgets(line, sizeof(line), log))
		fprintf(stderr, "  | %s", line);
	if (log)
		fclose(log);
}

// How many ports the daemon has opened to the others.
static __u32 ports_open(const struct subject *subject)
{
	char line[512];
	FILE *log = fopen(subject->log, "r");
	__u32 open = 0;

	while (log && fgets(line, sizeof(line), log))
		open += strstr(line, ": takes packets from other ports") != NULL;
	if (log)
		fclose(log);
	return open;
}

static int write_config(const char *path, const char *mode, bool trust_tags, const struct world *world)
{
	FILE *config = fopen(path, "w");

	if (!config)
		return -errno;
	fchmod(fileno(config), 0600);
	// An emulated guest on a busy machine can stand still for as long as a daemon that has died.
	fprintf(config, "mode: %s\nstale-after: 3600\nports:\n", mode);
	for (__u32 i = 0; i < world->interface_count; i++)
		if (!world->interface[i].parent)
			fprintf(config, "- { interface: %s, tags: %s }\n", world->interface[i].name,
				trust_tags || !world->beside ? "in-frame" : "auto");
	return fclose(config) ? -errno : 0;
}

static int start_penstock(struct subject *subject, const char *path, const char *mode, bool trust_tags,
			  const struct world *world, const struct netns *router)
{
	const char *argv[] = { path, "run", "-c", subject->config, NULL };
	__u32 ports = 0;
	int error;

	for (__u32 i = 0; i < world->interface_count; i++)
		ports += !world->interface[i].parent;
	netns_file(router, "log", subject->log);
	netns_file(router, "yaml", subject->config);
	error = write_config(subject->config, mode, trust_tags, world);
	if (error)
		return error;
	subject->command = path;
	subject->router = router;
	subject->daemon = netns_start(router, subject->log, argv);
	if (subject->daemon < 0)
		return subject->daemon;
	for (int tenth = 0; tenth < START_TENTHS; tenth++) {
		if (has_ended(subject->daemon)) {
			subject->daemon = 0;
			fprintf(stderr, "%s run ended at once:\n", path);
			print_log(subject->log);
			return -ECHILD;
		}
		if (ports_missing(world, router) == 0 && ports_open(subject) == ports)
			return 0;
		usleep(100000);
	}
	fprintf(stderr, "%s run did not attach to all ports in %d s:\n", path, START_TENTHS / 10);
	print_log(subject->log);
	return -ETIMEDOUT;
}

int subject_start(const char *what, const char *mode, bool trust_tags, const struct world *world,
		  const struct netns *router, struct subject **ret_subject)
{
	struct subject *subject = calloc(1, sizeof(*subject));
	int error = 0;

	if (!subject)
		return -ENOMEM;
	if (strcmp(what, "careless") == 0)
		error = start_careless(subject, world, router);
	else if (strcmp(what, "kernel") != 0)
		error = start_penstock(subject, what, mode, trust_tags, world, router);
	if (error) {
		fprintf(stderr, "cannot start %s: %s\n", what, strerror(-error));
		subject_stop(subject);
		return error;
	}
	*ret_subject = subject;
	return 0;
}

// The kernel tells of a last route after all that was before it: once that is in the data plane, so is the
// rest, but for what is found by looking and what takes work.
static void await_mark(const struct subject *subject)
{
	static const char *const script = "ip route replace blackhole " MARK " && n=0 &&"
					  "until $0 show routes | grep -q \"^" MARK "/\"; do"
					  " n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.05; done;"
					  "ip route delete blackhole " MARK;

	if (netns_run(subject->router, NULL, (const char *[]){ "sh", "-c", script, subject->command, NULL }))
		fprintf(stderr, "%s does not follow\n", subject->command);
}

void subject_follow(const struct subject *subject, __u32 change_ms)
{
	if (!subject->daemon)
		return;
	await_mark(subject);
	usleep((FOLLOW_MS + FOLLOW_TIMES * change_ms) * 1000);
}

static bool stop_daemon(struct subject *subject)
{
	int status;

	if (waitpid(subject->daemon, &status, WNOHANG) != 0)
		return false;
	kill(subject->daemon, SIGTERM);
	for (int tenth = 0; tenth < STOP_TENTHS; tenth++) {
		if (waitpid(subject->daemon, &status, WNOHANG) == subject->daemon)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		usleep(100000);
	}
	kill(subject->daemon, SIGKILL);
	waitpid(subject->daemon, &status, 0);
	return false;
}

bool subject_stop(struct subject *subject)
{
	bool clean = true;

	if (!subject)
		return true;
	careless_bpf__destroy(subject->careless);
	if (subject->daemon > 0)
		clean = stop_daemon(subject);
	if (!clean)
		print_log(subject->log);
	free(subject);
	return clean;
}
