// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Linux as the oracle, live: draws worlds, makes two routers of each in network namespaces, one of them with
 * the subject on its ports, sends the same packets into both and compares all that comes out. Also counts
 * what the subject's kernel forwarded: what the fast path must carry must not be among it.
 *
 * The seed is printed; --seed repeats a run. PENSTOCK_TEST_SCALE multiplies the number of worlds.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/conformance/netns.h"
#include "tests/conformance/odd.h"
#include "tests/conformance/subject.h"
#include "tests/conformance/twins.h"
#include "tests/conformance/world_ip.h"

#define BATCH        64
#define UNRESOLVED   50 // packets to neighbours that nobody has
#define ROUNDS       4  // of packets in each world
#define CHANGES      40 // between two rounds
#define ODD_THINGS   25 // or so many
#define EXIT_SKIP    77
#define DEFAULT_SEED 20261130

struct plan {
	const char *subject, *mode;
	__u64 seed, packets;
	__u32 worlds;
	struct world_options options;
	bool odd, tags_beside, trust_tags, expect_differences;
};

struct stage {
	struct netns router[2], ends[2];
	struct twins *twins;
	struct subject *subject;
};

struct forwarded {
	__u64 ipv4, ipv6;
};

// Reads the number under a heading of /proc/net/snmp, or behind a name of /proc/net/snmp6.
static __u64 read_snmp(const char *path, const char *name)
{
	char heads[2048] = "", line[2048];
	FILE *file = fopen(path, "r");
	__u64 value = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *head = strtok(line, " \n");

		if (head && strcmp(head, name) == 0)
			value = strtoull(strtok(NULL, " \n"), NULL, 10);
		if (head && strcmp(head, "Ip:") == 0 && strcmp(name, "ForwDatagrams") == 0) {
			// the sixth value of the second line that begins so
			for (int i = 0; i < 6 && head; i++)
				head = strtok(NULL, " \n");
			if (heads[0] && head)
				value = strtoull(head, NULL, 10);
			strcpy(heads, "seen");
		}
	}
	if (file)
		fclose(file);
	return value;
}

static struct forwarded read_forwarded(const struct netns *router)
{
	struct forwarded result;

	netns_enter(router);
	result.ipv4 = read_snmp("/proc/self/net/snmp", "ForwDatagrams");
	result.ipv6 = read_snmp("/proc/self/net/snmp6", "Ip6OutForwDatagrams");
	netns_leave();
	return result;
}

static int stage_open(struct stage *stage, const struct plan *plan, const struct world *world)
{
	static const char *const names[2][2] = { { "kr", "ke" }, { "sr", "se" } };
	int error;

	for (int side = 0; side < 2; side++) {
		error = netns_new(names[side][0], &stage->router[side]);
		if (!error)
			error = netns_new(names[side][1], &stage->ends[side]);
		if (!error)
			error = world_ip_apply(world, &stage->router[side], &stage->ends[side]);
		if (error)
			return error;
	}
	error = subject_start(plan->subject, plan->mode, plan->trust_tags, world, &stage->router[SUBJECT],
			      &stage->subject);
	return error ? error : twins_new(world, stage->ends, &stage->twins);
}

static bool stage_close(struct stage *stage)
{
	bool clean = subject_stop(stage->subject);

	twins_free(stage->twins);
	for (int side = 0; side < 2; side++) {
		if (stage->router[side].fd > 0)
			close(stage->router[side].fd);
		if (stage->ends[side].fd > 0)
			close(stage->ends[side].fd);
	}
	netns_remove_all();
	return clean;
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

// Changes the world, and both routers with it; lets the subject follow.
static int change_world(const struct plan *plan, struct stage *stage, struct world *world, __u32 round)
{
	char *commands = NULL;
	struct random random;
	__u64 start;
	int error = 0;
	size_t size;
	FILE *out = open_memstream(&commands, &size);

	if (!out)
		return -ENOMEM;
	random_seed(&random, round);
	for (__u32 i = 0; i < CHANGES; i++) {
		struct world_change change = world_change(world, &plan->options, &random);

		world_ip_write_change(out, world, &change, round * CHANGES + i);
	}
	fclose(out);
	start = now_ms();
	for (int side = 0; side < 2 && !error; side++) {
		error = world_ip_commands(&stage->router[side], commands);
		if (!error)
			error = world_ip_switches(world, &stage->router[side]);
	}
	free(commands);
	subject_follow(stage->subject, now_ms() - start);
	twins_forget_flows(stage->twins);
	return error;
}

static void send_all(struct stage *stage, struct packets *packets, __u64 count)
{
	static struct packet_drawn packet;

	for (__u64 i = 0; i < count; i++) {
		packets_next(packets, &packet);
		twins_send(stage->twins, &packet);
		if (i % BATCH == BATCH - 1)
			twins_settle(stage->twins);
	}
	twins_settle(stage->twins);
}

// What the subject's kernel forwarded beyond what it was meant to.
static __s64 check_fast_path(const struct plan *plan, const struct stage *stage,
			     const struct twins_figures *figures)
{
	struct forwarded alone = read_forwarded(&stage->router[KERNEL]);
	struct forwarded beside = read_forwarded(&stage->router[SUBJECT]);
	__u64 all = alone.ipv4 + alone.ipv6, slow = beside.ipv4 + beside.ipv6;
	__s64 excess = (__s64)(slow + figures->plain) - (__s64)all;

	printf("  forwarded by Linux alone %llu; beside the subject %llu, so the fast path carried %lld, and "
	       "must carry "
	       "%llu\n",
	       (unsigned long long)all, (unsigned long long)slow, (long long)(all - slow),
	       (unsigned long long)figures->plain);
	if (strcmp(plan->subject, "kernel") == 0 || strcmp(plan->subject, "careless") == 0)
		return 0;
	return excess > 0 ? excess : 0;
}

// Packets to neighbours that nobody has: the kernel answers for them, after a while.
static void send_unresolved(struct stage *stage, const struct world *world, __u64 seed)
{
	static struct packet_drawn packet;
	struct packets *packets = packets_new(world, ~seed);
	__u32 sent = 0;

	for (int tries = 0; packets && sent < UNRESOLVED && tries < 100 * UNRESOLVED; tries++) {
		packets_next(packets, &packet);
		sent += twins_send_unresolved(stage->twins, &packet);
	}
	packets_free(packets);
	twins_settle_unresolved(stage->twins);
}

// Both routers undergo what the world does not know of.
static int do_odd_things(struct stage *stage, const struct world *world, __u64 seed)
{
	struct random random;
	__u64 start = now_ms();
	int error = 0;

	random_seed(&random, seed);
	for (int side = 0; side < 2; side++)
		odd_things(world, &stage->router[side], &stage->ends[side], random, ODD_THINGS);
	for (int side = 0; side < 2 && !error; side++)
		error = world_ip_carriers(world, &stage->router[side], &stage->ends[side]);
	subject_follow(stage->subject, now_ms() - start);
	return error;
}

// The first round as the world was drawn, the others after changes.
static int run_rounds(const struct plan *plan, struct stage *stage, struct world *world, __u64 seed)
{
	int error = 0;

	for (__u32 round = 0; round < ROUNDS && !error; round++) {
		struct packets *packets;

		if (plan->odd)
			error = do_odd_things(stage, world, seed * ROUNDS + round);
		else if (round)
			error = change_world(plan, stage, world, round);
		packets = packets_new(world, seed * ROUNDS + round);
		if (!packets)
			return -ENOMEM;
		if (!error)
			send_all(stage, packets, plan->packets / plan->worlds / ROUNDS);
		packets_free(packets);
	}
	return error;
}

static bool run_packets(const struct plan *plan, struct stage *stage, struct world *world, __u64 seed,
			__u64 *sent)
{
	const struct twins_figures *figures = twins_figures(stage->twins);
	__s64 excess;

	if (run_rounds(plan, stage, world, seed) < 0)
		return false;
	if (seed == plan->seed) // it takes seconds
		send_unresolved(stage, world, seed);
	printf("  %llu packets, %llu skipped, %llu frames out: %llu differences, %llu strayed from their "
	       "flow, "
	       "%llu wrongly predicted, %llu frames lost by the test\n",
	       (unsigned long long)figures->sent, (unsigned long long)figures->skipped,
	       (unsigned long long)figures->frames, (unsigned long long)figures->differences,
	       (unsigned long long)figures->strayed, (unsigned long long)figures->unfaithful,
	       (unsigned long long)twins_lost(stage->twins));
	*sent += figures->sent;
	excess = check_fast_path(plan, stage, figures);
	if (excess)
		printf("  %lld plain packets were left to the kernel\n", (long long)excess);
	if (plan->expect_differences)
		return figures->differences > 0;
	return !figures->differences && !figures->strayed && !figures->unfaithful &&
	       !twins_lost(stage->twins) && !excess &&
	       (plan->odd || plan->tags_beside || figures->plain * 3 > figures->sent);
}

static bool run_world(const struct plan *plan, __u64 seed, __u64 *sent)
{
	struct world *world = world_random(seed, &plan->options);
	struct stage stage = { 0 };
	bool good;
	int error;

	if (!world)
		return false;
	world->beside = plan->tags_beside;
	world->odd = plan->odd;
	printf("world %llu: %u interfaces, %u routes\n", (unsigned long long)seed, world->interface_count,
	       world->route_count);
	error = stage_open(&stage, plan, world);
	good = !error && run_packets(plan, &stage, world, seed, sent);
	if (!stage_close(&stage)) {
		printf("  the subject did not end cleanly\n");
		good = false;
	}
	world_free(world);
	return good;
}

static int usage(void)
{
	fprintf(stderr, "usage: twin --subject kernel|careless|PENSTOCK [--mode MODE] [--seed N] [--packets "
			"N] [--worlds N]\n"
			"            [--ports N] [--sub-interfaces N] [--vrfs N] [--routes N] "
			"[--odd] [--tags-beside] [--trust-tags] [--expect-differences]\n");
	return 2;
}

static int parse(int argc, char *argv[], struct plan *plan)
{
	static const struct option options[] = {
		{ "subject", required_argument, NULL, 's' },
		{ "mode", required_argument, NULL, 'm' },
		{ "seed", required_argument, NULL, 'S' },
		{ "packets", required_argument, NULL, 'p' },
		{ "worlds", required_argument, NULL, 'w' },
		{ "ports", required_argument, NULL, 'P' },
		{ "sub-interfaces", required_argument, NULL, 'i' },
		{ "vrfs", required_argument, NULL, 'v' },
		{ "routes", required_argument, NULL, 'r' },
		{ "odd", no_argument, NULL, 'o' },
		{ "tags-beside", no_argument, NULL, 'b' },
		{ "trust-tags", no_argument, NULL, 't' },
		{ "expect-differences", no_argument, NULL, 'x' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		__u64 number = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (option) {
		case 's':
			plan->subject = optarg;
			break;
		case 'm':
			plan->mode = optarg;
			break;
		case 'S':
			plan->seed = number;
			break;
		case 'p':
			plan->packets = number;
			break;
		case 'w':
			plan->worlds = number;
			break;
		case 'P':
			plan->options.ports = number;
			break;
		case 'i':
			plan->options.sub_interfaces = number;
			break;
		case 'v':
			plan->options.vrfs = number;
			break;
		case 'r':
			plan->options.routes = number;
			break;
		case 'o':
			plan->odd = plan->options.single = true;
			break;
		case 'b':
			plan->tags_beside = true;
			break;
		case 't':
			plan->trust_tags = true;
			break;
		case 'x':
			plan->expect_differences = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return plan->subject && plan->worlds && plan->options.ports ? 0 : -EINVAL;
}

int main(int argc, char *argv[])
{
	struct plan plan = { .mode = "auto",
			     .seed = DEFAULT_SEED,
			     .packets = 200000,
			     .worlds = 4,
			     .options = { .ports = 6, .routes = 400, .live = true } };
	const char *scale = getenv("PENSTOCK_TEST_SCALE"), *seed = getenv("PENSTOCK_TEST_SEED");
	time_t start = time(NULL);
	__u64 sent = 0;
	bool good = true;

	if (seed)
		plan.seed = strtoull(seed, NULL, 0);
	if (parse(argc, argv, &plan) < 0)
		return usage();
	if (scale) {
		plan.packets *= strtoull(scale, NULL, 0);
		plan.worlds *= strtoull(scale, NULL, 0);
	}
	if (geteuid() != 0) {
		printf("skipped: network namespaces need root\n");
		return EXIT_SKIP;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu\n", (unsigned long long)plan.seed);
	for (__u32 i = 0; i < plan.worlds; i++)
		good &= run_world(&plan, plan.seed + i, &sent);
	printf("%llu packets through %s, mode %s, beside Linux\n", (unsigned long long)sent, plan.subject,
	       plan.mode);
	printf("%s after %ld s; again with --seed %llu\n", good ? "passed" : "FAILED",
	       (long)(time(NULL) - start), (unsigned long long)plan.seed);
	return !good;
}
