// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Every build of the program against the naive router and against each other, in many drawn worlds. A packet
 * goes through the user build and, by BPF_PROG_TEST_RUN, through the kernel's; verdict, reason, port, bytes
 * and counters must agree, and be what the naive router allows. Half way through each world its tables
 * change.
 *
 * The seed is printed and repeats a run: PENSTOCK_TEST_SEED. PENSTOCK_TEST_SCALE multiplies the number of
 * worlds.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

#include "tests/conformance/trial.h"
#include "tests/oracle/router.h"

#define DEFAULT_SEED   20261130
#define DEFAULT_WORLDS 40
#define EXIT_SKIP      77
#define CHANGES        200
#define PROCESSES      2
#define LEAST          1000000 // packets through every build in a full run

struct plan {
	__u64 seed, packets; // for each world
	__u32 worlds;
	bool maps; // the image lies in BPF maps, so that the kernel's build takes part
};

// Worlds of every kind: small and large, with and without sub-interfaces and VRFs, some in tables too small.
static void draw_kind(__u64 seed, struct world_options *options, struct fib_limits *limits)
{
	struct random random;

	random_seed(&random, ~seed);
	*options = (struct world_options){ .ports = 2 + random_below(&random, 5),
					   .sub_interfaces = random_below(&random, 3) * 6,
					   .vrfs = random_below(&random, 3) * 2,
					   .routes = random_below(&random, 3) ? 300 : 3000 };
	*limits = (struct fib_limits){ .node_chunks = 1 << 18, .run_cells = 1 << 20 };
	if (random_below(&random, 6) == 0)
		*limits = (struct fib_limits){
			.node_chunks = 1 << 11, .run_cells = 1 << 17, .nexthops = 600, .buckets = 1 << 10
		};
}

static int apply(struct world_fib *tables, const struct world *world, const struct world_change *change)
{
	const struct world_route *route;

	switch (change->kind) {
	case WORLD_ROUTE:
		return world_fib_route(tables, &world->route[change->index]);
	case WORLD_ROUTE_GONE:
		route = &world->route[change->index];
		world_fib_route_gone(tables, route->table, &route->prefix);
		return 0;
	case WORLD_NEIGHBOUR:
		return world_fib_neighbour(tables, &world->neighbour[change->index]);
	default:
		// sub-interfaces stand on it
		for (__u32 i = change->index; i < world->interface_count; i++) {
			int error = world_fib_interface(tables, &world->interface[i]);

			if (error)
				return error;
		}
		return 0;
	}
}

static int change_world(struct world *world, const struct world_options *options, struct world_fib *tables,
			__u64 seed)
{
	struct random random;
	int error = 0;

	random_seed(&random, seed);
	for (int i = 0; i < CHANGES && !error; i++) {
		struct world_change change = world_change(world, options, &random);

		error = apply(tables, world, &change);
		if (random_below(&random, 16) == 0)
			fib_settle(tables->fib);
	}
	world_fib_settle(tables);
	world->full |= tables->full;
	return error;
}

static void run_packets(struct trial *trial, const struct world *world, __u64 seed, __u64 count)
{
	static struct packet_drawn packet;
	struct packets *packets = packets_new(world, seed);

	for (__u64 i = 0; packets && i < count; i++) {
		packets_next(packets, &packet);
		trial_packet(trial, &packet);
	}
	trial_flush(trial);
	packets_free(packets);
}

static bool is_good(const struct trial_figures *figures)
{
	return figures->packets && !figures->wrong && !figures->unequal && !figures->miscounted &&
	       !figures->strayed;
}

// What a process has seen.
struct seen {
	struct image_counters counters;
	__u32 runners; // that took part in each of its worlds
};

static void report(__u64 seed, const struct world *world, const struct trial_figures *figures)
{
	printf("world %llu: %u interfaces, %u routes%s; %llu packets, %llu forwarded (%llu had to be); %llu "
	       "wrong, "
	       "%llu unequal, %llu miscounted, %llu strayed\n",
	       (unsigned long long)seed, world->interface_count, world->route_count,
	       world->full ? ", tables too small" : "", (unsigned long long)figures->packets,
	       (unsigned long long)figures->forwarded, (unsigned long long)figures->must,
	       (unsigned long long)figures->wrong, (unsigned long long)figures->unequal,
	       (unsigned long long)figures->miscounted, (unsigned long long)figures->strayed);
}

// 0, or a negative errno; *good is cleared if anything was found.
static int run_world(const struct plan *plan, __u64 seed, struct seen *seen, bool *good)
{
	struct world_options options;
	struct world_fib *tables = NULL;
	struct trial *trial = NULL;
	struct fib_limits limits;
	struct world *world;
	int error;

	draw_kind(seed, &options, &limits);
	world = world_random(seed, &options);
	if (!world)
		return -ENOMEM;
	error = world_fib_new(world, seed, &limits, plan->maps, &tables);
	if (!error)
		error = trial_new(world, tables, &trial);
	if (!error) {
		world->full = tables->full;
		run_packets(trial, world, seed, plan->packets / 2);
		error = change_world(world, &options, tables, seed);
		trial_forget_flows(trial);
		run_packets(trial, world, seed + 1000000, plan->packets / 2);
		report(seed, world, trial_figures(trial));
		*good &= is_good(trial_figures(trial));
		for (int reason = 0; reason < REASON_MAX; reason++)
			seen->counters.reason[reason].packets += trial_figures(trial)->reasons[reason];
		seen->runners &= trial_runners(trial);
	}
	trial_free(trial);
	world_fib_free(tables);
	world_free(world);
	return error;
}

// The reasons that drawn worlds and packets bring about; others need a host that is busy or odd.
#define BIT(name) (1ull << REASON_##name)
static const __u64 wanted = BIT(FORWARDED) | BIT(NO_ROUTE) | BIT(UNREACHABLE) | BIT(PROHIBIT) | BIT(THROW) |
			    BIT(LOCAL) | BIT(BROADCAST) | BIT(MULTICAST) | BIT(MARTIAN_DESTINATION) |
			    BIT(NEIGHBOUR) | BIT(EGRESS_DOWN) | BIT(EGRESS_FOREIGN) | BIT(EGRESS_UNABLE) |
			    BIT(TABLE_FULL) | BIT(BLACKHOLE) | BIT(NOT_FOR_US) | BIT(LINK_MULTICAST) |
			    BIT(NOT_IP) | BIT(TAG_UNKNOWN) | BIT(TAGS_TOO_DEEP) | BIT(TRUNCATED) |
			    BIT(BAD_VERSION) | BIT(BAD_HEADER_LENGTH) | BIT(BAD_LENGTH) | BIT(TRAILER) |
			    BIT(BAD_CHECKSUM) | BIT(OPTIONS) | BIT(TTL) | BIT(MARTIAN_SOURCE) | BIT(RPF) |
			    BIT(FORWARDING_OFF) | BIT(SAME_INTERFACE) | BIT(TOO_BIG) | BIT(INGRESS_DOWN);

// They must have been seen, and nearly half of the packets forwarded; else the test has become weak.
static bool saw_all(const struct image_counters *seen, __u64 total)
{
	__u64 missing = wanted;

	for (int reason = 0; reason < REASON_MAX; reason++) {
		__u64 packets = seen->reason[reason].packets;

		if (!packets)
			continue;
		missing &= ~(1ull << reason);
		printf("  %-20s %llu\n", router_reasons(1ull << reason), (unsigned long long)packets);
	}
	if (missing)
		printf("the test has become weak: no packet was ever %s\n", router_reasons(missing));
	if (seen->reason[REASON_FORWARDED].packets * 5 < total * 2)
		printf("the test has become weak: less than 40 %% of the packets were forwarded\n");
	if (total < LEAST)
		printf("the test has become weak: less than %d packets\n", LEAST);
	return !missing && seen->reason[REASON_FORWARDED].packets * 5 >= total * 2 && total >= LEAST;
}

// The packets in all, and who has seen each of them.
static __u64 report_builds(const struct seen *seen)
{
	__u64 total = 0;

	for (int reason = 0; reason < REASON_MAX; reason++)
		total += seen->counters.reason[reason].packets;
	printf("%llu packets through each of these builds:", (unsigned long long)total);
	for (__u32 i = 0; runner_list[i]; i++)
		if (seen->runners & 1u << i)
			printf(" %s", runner_list[i]->name);
	printf("\n");
	return total;
}

// Runs every PROCESSES-th world; the sums of reasons go into the pipe.
static int run_share(const struct plan *plan, __u32 share, int out)
{
	struct seen seen = { .runners = ~0u };
	bool good = true;

	for (__u32 i = share; i < plan->worlds; i += PROCESSES) {
		int error = run_world(plan, plan->seed + i, &seen, &good);

		if (error) {
			fprintf(stderr, "world %llu: %s\n", (unsigned long long)plan->seed + i,
				strerror(-error));
			return error == -EPERM ? EXIT_SKIP : 1;
		}
	}
	if (write(out, &seen, sizeof(seen)) != sizeof(seen))
		return 1;
	return !good;
}

static void add_seen(struct seen *sum, const struct seen *seen)
{
	for (int reason = 0; reason < REASON_MAX; reason++)
		sum->counters.reason[reason].packets += seen->counters.reason[reason].packets;
	sum->runners &= seen->runners;
}

static int run_all(const struct plan *plan, struct seen *ret_seen)
{
	int result = 0, pipes[2];

	if (pipe(pipes) < 0)
		return 1;
	for (__u32 share = 0; share < PROCESSES; share++)
		if (fork() == 0) {
			setvbuf(stdout, NULL, _IOLBF, 0);
			exit(run_share(plan, share, pipes[1]));
		}
	close(pipes[1]);
	for (__u32 share = 0; share < PROCESSES; share++) {
		struct seen seen;
		int status;

		if (wait(&status) < 0)
			return 1;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		else if (read(pipes[0], &seen, sizeof(seen)) == sizeof(seen))
			add_seen(ret_seen, &seen);
	}
	close(pipes[0]);
	return result;
}

static int usage(void)
{
	fprintf(stderr, "usage: conformance [--seed N] [--worlds N] [--packets N] [--memory]\n");
	return 2;
}

static int parse(int argc, char *argv[], struct plan *plan)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "worlds", required_argument, NULL, 'w' },
		{ "packets", required_argument, NULL, 'p' },
		{ "memory", no_argument, NULL, 'm' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		__u64 number = optarg ? strtoull(optarg, NULL, 0) : 0;

		if (option == 's')
			plan->seed = number;
		else if (option == 'w')
			plan->worlds = number;
		else if (option == 'p')
			plan->packets = number;
		else if (option == 'm')
			plan->maps = false;
		else
			return -EINVAL;
	}
	return plan->worlds ? 0 : -EINVAL;
}

int main(int argc, char *argv[])
{
	struct plan plan = {
		.seed = DEFAULT_SEED, .packets = 130000, .worlds = DEFAULT_WORLDS, .maps = true
	};
	const char *scale = getenv("PENSTOCK_TEST_SCALE"), *seed = getenv("PENSTOCK_TEST_SEED");
	struct seen seen = { .runners = ~0u };
	time_t start = time(NULL);
	__u64 total;
	int result;

	if (seed)
		plan.seed = strtoull(seed, NULL, 0);
	if (scale)
		plan.worlds *= strtoull(scale, NULL, 0);
	if (parse(argc, argv, &plan) < 0)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu\n", (unsigned long long)plan.seed);
	result = run_all(&plan, &seen);
	if (result == EXIT_SKIP) {
		printf("skipped: BPF is not permitted here\n");
		return EXIT_SKIP;
	}
	total = report_builds(&seen);
	if (!result && plan.worlds >= DEFAULT_WORLDS && !saw_all(&seen.counters, total))
		result = 1;
	printf("%s after %ld s; again with --seed %llu\n", result ? "FAILED" : "passed",
	       (long)(time(NULL) - start), (unsigned long long)plan.seed);
	return result;
}
