// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Runs golden vectors through every build of the program: vectors WORLD FILE... Verdict, reason, port and
 * bytes must be the written ones, and the naive router must agree with them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/decode.h"
#include "tests/conformance/runner.h"
#include "tests/conformance/vector.h"
#include "tests/conformance/world_fib.h"
#include "tests/conformance/world_text.h"
#include "tests/oracle/router.h"

#define EXIT_SKIP 77
#define RUNNERS   8

struct bench {
	struct world *world;
	struct world_fib *tables;
	void *runner[RUNNERS]; // as in runner_list; NULL: not permitted here
	__u32 cases, failures;
};

static __u16 port_of(const struct bench *bench, const char *name)
{
	const struct world_interface *port = world_text_interface(bench->world, name);

	return port ? bench->tables->port[port->ifindex - WORLD_FIRST_IFINDEX] : WORLD_FIB_NO_PORT;
}

// The reason that one more packet has been counted for.
static __u8 reason_counted(const struct image_counters *before, const struct image_counters *after)
{
	for (int reason = 0; reason < REASON_MAX; reason++)
		if (after->reason[reason].packets != before->reason[reason].packets)
			return reason;
	return RUNNER_UNKNOWN;
}

static int run(const struct bench *bench, __u32 runner, const struct vector *vector,
	       struct runner_outcome *ret_outcome)
{
	const struct runner_ops *ops = runner_list[runner];
	static struct image_counters before, after;
	__u16 port = port_of(bench, vector->in);
	int error;

	if (ops->counters)
		ops->counters(bench->runner[runner], port, &before);
	error = ops->run(bench->runner[runner], port, vector->in_frame, vector->in_length, ret_outcome);
	if (!error && ops->counters && ret_outcome->reason == RUNNER_UNKNOWN) {
		ops->counters(bench->runner[runner], port, &after);
		ret_outcome->reason = reason_counted(&before, &after);
	}
	return error;
}

static bool as_written(const struct bench *bench, const struct vector *vector,
		       const struct runner_outcome *outcome)
{
	const __u8 *frame = vector->action == ACTION_FORWARD ? vector->out_frame : vector->in_frame;
	__u32 length = vector->action == ACTION_FORWARD ? vector->out_length : vector->in_length;

	if (outcome->action != vector->action || outcome->reason != vector->reason)
		return false;
	if (outcome->port >= 0 && outcome->port != port_of(bench, vector->out))
		return false;
	return outcome->length == length && memcmp(outcome->frame, frame, length) == 0;
}

static void check_build(struct bench *bench, __u32 runner, const struct vector *vector)
{
	static struct runner_outcome outcome;
	int error = run(bench, runner, vector, &outcome);

	if (!error && as_written(bench, vector, &outcome))
		return;
	bench->failures++;
	printf("%s: %s: ", vector->name, runner_list[runner]->name);
	if (error) {
		printf("%s\n", strerror(-error));
		return;
	}
	printf("action %u, %s; ", outcome.action,
	       outcome.reason < REASON_MAX ? router_reasons(1ull << outcome.reason) : "no reason");
	printf("it is written: action %u, %s\n", vector->action, router_reasons(1ull << vector->reason));
	decode_print(stdout, "in", vector->in_frame, vector->in_length);
	decode_print(stdout, "out", outcome.frame, outcome.length);
	if (vector->action == ACTION_FORWARD)
		decode_print(stdout, "written", vector->out_frame, vector->out_length);
}

static void check_router(struct bench *bench, const struct vector *vector)
{
	const struct world_interface *in = world_text_interface(bench->world, vector->in);
	const struct world_interface *out = world_text_interface(bench->world, vector->out);
	struct router_answer answer;

	router_answer(bench->world, in, vector->in_frame, vector->in_length, &answer);
	if (vector->action == ACTION_FORWARD) {
		if (!answer.forbids && out &&
		    router_member(bench->world, &answer, out, vector->out_frame, vector->out_length) >= 0)
			return;
	} else if ((answer.forbids | answer.excuses) >> vector->reason & 1) {
		return;
	}
	bench->failures++;
	printf("%s: the naive router does not agree: forbids %s", vector->name,
	       router_reasons(answer.forbids));
	printf("; excuses %s\n", router_reasons(answer.excuses));
}

static void run_case(struct bench *bench, const struct vector *vector)
{
	bench->cases++;
	if (port_of(bench, vector->in) == WORLD_FIB_NO_PORT) {
		printf("%s: %s is not a port\n", vector->name, vector->in);
		bench->failures++;
		return;
	}
	check_router(bench, vector);
	for (__u32 runner = 0; runner_list[runner]; runner++)
		if (bench->runner[runner])
			check_build(bench, runner, vector);
}

static void run_file(struct bench *bench, const char *path)
{
	struct vector_file *file = vector_open(path);
	static struct vector vector;
	int more = -EINVAL;

	while (file && (more = vector_next(file, &vector)) > 0)
		run_case(bench, &vector);
	bench->failures += more < 0;
	if (file)
		vector_close(file);
}

// Opens what this machine permits; returns how many builds run.
static int open_all(struct bench *bench, bool maps)
{
	const struct fib_limits limits = { .node_chunks = 1 << 16, .run_cells = 1 << 20 };
	int count = 0;
	int error = world_fib_new(bench->world, 1, &limits, maps, &bench->tables);

	if (error)
		return error;
	for (__u32 i = 0; runner_list[i] && i < RUNNERS; i++) {
		error = runner_list[i]->open(bench->tables->store, bench->tables->ports, &bench->runner[i]);
		if (error) {
			bench->runner[i] = NULL;
			printf("skipped: build %s: %s\n", runner_list[i]->name, strerror(-error));
		}
		count += !error;
	}
	return count;
}

int main(int argc, char *argv[])
{
	struct bench bench = { 0 };
	int builds;

	if (argc < 3) {
		fprintf(stderr, "usage: vectors WORLD FILE...\n");
		return 2;
	}
	bench.world = world_text_read(argv[1]);
	if (!bench.world)
		return 1;
	builds = open_all(&bench, true);
	if (builds == -EPERM)
		builds = open_all(&bench, false);
	if (builds < 0) {
		fprintf(stderr, "cannot load the world: %s\n", strerror(-builds));
		return 1;
	}
	for (int i = 2; i < argc; i++)
		run_file(&bench, argv[i]);
	for (__u32 i = 0; runner_list[i]; i++)
		if (bench.runner[i])
			runner_list[i]->close(bench.runner[i]);
	world_fib_free(bench.tables);
	world_free(bench.world);
	printf("%u cases in %d builds, %u failures\n", bench.cases, builds, bench.failures);
	if (builds < 2 && !bench.failures)
		return EXIT_SKIP;
	return bench.failures > 0;
}
