// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk.h"

#include "bench/dpdk_bed.h"
#include "bench/dpdk_router.h"
#include "bench/l3fwd.h"
#include "bench/machine.h"
#include "bench/record.h"
#include "bench/replay.h"
#include "bench/statistics.h"
#include "bench/workload/table_generate.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DPDK_USAGE       2
#define DPDK_ROUNDS      7
#define DPDK_ROUNDS_MAX  50
#define DPDK_SECONDS     0.3
#define DPDK_ROUTES      60000
#define DPDK_PACKETS     16384
#define DPDK_PACKETS_MAX 32768 // what l3fwd takes as the size of a queue
#define DPDK_FEW         16
#define DPDK_PAGE        2   // MiB, of a huge one
#define DPDK_SPARE       300 // MiB, for what else takes huge pages: a sink
#define DPDK_HUGE        "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

// MiB. What l3fwd needs for full tables; penstock has its tables in memory of its own.
static const unsigned int dpdk_memory[DPDK_ROUTERS] = { 512, 2048, 512 };

struct dpdk_plan {
	__u8 family;
	bool full;
	size_t routes;
	enum dpdk_router_egress egress;
	unsigned int packets, rounds, cpu;
	double seconds;
	const char *sources; // of l3fwd
	bool json, huge, testpmd;
	unsigned long free_huge; // MiB
};

struct dpdk_bench {
	struct dpdk_plan plan;
	struct dpdk_bed bed;
	double mpps[DPDK_BED_TRAFFICS][DPDK_ROUTERS][DPDK_ROUNDS_MAX];  // per second of CPU time
	double times[DPDK_BED_TRAFFICS][DPDK_ROUTERS][DPDK_ROUNDS_MAX]; // l3fwd's
	double sent[DPDK_BED_TRAFFICS][DPDK_ROUTERS];                   // of what came in, at least
	// from memory, and what it is of penstock's
	double replay[DPDK_BED_TRAFFICS][DPDK_ROUNDS_MAX], of_dpdk[DPDK_BED_TRAFFICS][DPDK_ROUNDS_MAX];
};

static volatile sig_atomic_t dpdk_stop;

static void dpdk_signalled(int number)
{
	dpdk_stop = 1;
}

static void dpdk_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = dpdk_signalled };

	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void dpdk_help(void)
{
	printf("Usage: penstock bench dpdk [OPTION]...\n"
	       "Compares the DPDK engine with DPDK's own l3fwd (FIB mode): small packets of a capture into "
	       "nothing\n"
	       "(net_pcap to net_null), one worker each, in turns; beside them testpmd, which forwards "
	       "without a "
	       "look,\n"
	       "and replay, which has no devices. As root.\n\n"
	       "  --ipv6            packets and routes of IPv6\n"
	       "  --egress DEVICE   null, or memif: a shared memory, which testpmd empties on another CPU "
	       "(null)\n"
	       "  --routes N|full   generated routes (%u); above %u and for IPv6 l3fwd's limits are raised\n"
	       "  --packets N       in the capture, 64 to %u (%u)\n"
	       "  --rounds N        1 to %u (%u)\n"
	       "  --seconds S       of each, 0.05 to 60 (%g)\n"
	       "  --cpu N           where the workers run (the last one)\n"
	       "  --l3fwd DIR       sources of l3fwd (" L3FWD_SOURCES ")\n"
	       "  --json            results as JSON\n",
	       DPDK_ROUTES, L3FWD_ROUTES, DPDK_PACKETS_MAX, DPDK_PACKETS, DPDK_ROUNDS_MAX, DPDK_ROUNDS,
	       DPDK_SECONDS);
}

static int dpdk_number(const char *option, unsigned long low, unsigned long high, unsigned long *ret)
{
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (end == optarg || *end || value < low || value > high) {
		warnx("bench dpdk: --%s %s: want a number from %lu to %lu", option, optarg, low, high);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int dpdk_parse_seconds(struct dpdk_plan *plan)
{
	char *end;

	plan->seconds = strtod(optarg, &end);
	if (end != optarg && !*end && plan->seconds >= 0.05 && plan->seconds <= 60)
		return 0;
	warnx("bench dpdk: --seconds %s: want a number from 0.05 to 60", optarg);
	return -EINVAL;
}

static int dpdk_parse_egress(struct dpdk_plan *plan)
{
	for (unsigned int i = 0; i < DPDK_ROUTER_EGRESSES; i++)
		if (strcmp(optarg, dpdk_router_egress_name(i)) == 0) {
			plan->egress = i;
			return 0;
		}
	warnx("bench dpdk: --egress %s: want null or memif", optarg);
	return -EINVAL;
}

static int dpdk_parse_option(struct dpdk_plan *plan, int option)
{
	unsigned long value = 0;
	int err = 0;

	switch (option) {
	case 't':
		plan->full = strcmp(optarg, "full") == 0;
		if (!plan->full)
			err = dpdk_number("routes", 100, TABLE_GENERATE_FULL.ipv4, &value);
		plan->routes = value;
		return err;
	case '6':
		plan->family = AF_INET6;
		return 0;
	case 'e':
		return dpdk_parse_egress(plan);
	case 'p':
		err = dpdk_number("packets", 64, DPDK_PACKETS_MAX, &value);
		plan->packets = (unsigned int)value;
		return err;
	case 'r':
		err = dpdk_number("rounds", 1, DPDK_ROUNDS_MAX, &value);
		plan->rounds = (unsigned int)value;
		return err;
	case 'c':
		err = dpdk_number("cpu", 0, CPU_SETSIZE - 1, &value);
		plan->cpu = (unsigned int)value;
		return err;
	case 's':
		return dpdk_parse_seconds(plan);
	case 'l':
		plan->sources = optarg;
		return 0;
	case 'j':
		plan->json = true;
		return 0;
	}
	return -EINVAL; // getopt_long() has told why
}

// Returns 1 when help was asked for and given.
static int dpdk_parse(struct dpdk_plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ipv6", no_argument, NULL, '6' },
		{ "egress", required_argument, NULL, 'e' },
		{ "routes", required_argument, NULL, 't' },
		{ "packets", required_argument, NULL, 'p' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "l3fwd", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h') {
			dpdk_help();
			return 1;
		}
		err = dpdk_parse_option(plan, option);
	}
	if (err >= 0 && optind < argc) {
		warnx("bench dpdk: unknown argument %s; see --help", argv[optind]);
		err = -EINVAL;
	}
	if (plan->full)
		plan->routes = plan->family == AF_INET ? TABLE_GENERATE_FULL.ipv4 : TABLE_GENERATE_FULL.ipv6;
	return err;
}

// Which routers there are.
static bool dpdk_has(const struct dpdk_plan *plan, enum dpdk_router_kind kind)
{
	return kind != DPDK_ROUTER_TESTPMD || plan->testpmd;
}

// MiB of huge pages that are free.
static unsigned long dpdk_free_huge(void)
{
	FILE *file = fopen(DPDK_HUGE, "re");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * DPDK_PAGE;
}

// All take the same kind of pages, so that there must be enough of them for all.
static void dpdk_choose_pages(struct dpdk_plan *plan)
{
	unsigned long need = plan->egress == DPDK_ROUTER_MEMIF ? DPDK_ROUTERS * DPDK_SPARE : 0;

	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++)
		need += dpdk_memory[kind];
	plan->free_huge = dpdk_free_huge();
	plan->huge = plan->free_huge >= need;
	if (!plan->huge)
		warnx("bench dpdk: ordinary pages, which are slower; for huge ones: sysctl -w "
		      "vm.nr_hugepages=%lu",
		      need / DPDK_PAGE);
}

// Penstock takes huge pages by itself if there are enough: without them for all, it must want more. l3fwd
// with both of its tables raised takes more than it was given where memory cannot grow; what it does not
// touch costs nothing.
static unsigned int dpdk_memory_of(const struct dpdk_plan *plan, enum dpdk_router_kind kind)
{
	if (!plan->huge && kind == DPDK_ROUTER_L3FWD)
		return 2 * dpdk_memory[kind];
	if (!plan->huge && kind == DPDK_ROUTER_PENSTOCK && plan->free_huge >= dpdk_memory[kind])
		return (unsigned int)plan->free_huge + DPDK_PAGE;
	return dpdk_memory[kind];
}

static int dpdk_round_router(struct dpdk_bench *bench, struct dpdk_router *router,
			     enum dpdk_bed_traffic traffic, enum dpdk_router_kind kind, unsigned int round)
{
	struct dpdk_sample sample;
	int err = dpdk_router_run(router, bench->plan.seconds, &sample);

	if (err == -EBADMSG)
		warnx("bench dpdk: %s sent %llu of %llu packets", dpdk_router_name(kind),
		      (unsigned long long)sample.sent, (unsigned long long)sample.received);
	if (err < 0)
		return err;
	bench->mpps[traffic][kind][round] = (double)sample.sent * 1e3 / (double)sample.nanoseconds;
	bench->sent[traffic][kind] += (double)sample.sent / (double)sample.received / bench->plan.rounds;
	return 0;
}

static int dpdk_round(struct dpdk_bench *bench, struct dpdk_router *routers, struct replay_subject *replay,
		      enum dpdk_bed_traffic traffic, unsigned int round)
{
	double ns, l3fwd;
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < DPDK_ROUTERS; i++) {
		unsigned int kind = (i + round) % DPDK_ROUTERS;

		if (!dpdk_has(&bench->plan, kind))
			continue;
		err = dpdk_round_router(bench, &routers[kind], traffic, kind, round);
	}
	if (err >= 0)
		err = replay_subject_run(replay, bench->plan.seconds, &dpdk_stop, &ns);
	if (err < 0)
		return err;
	l3fwd = bench->mpps[traffic][DPDK_ROUTER_L3FWD][round];
	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++)
		bench->times[traffic][kind][round] = bench->mpps[traffic][kind][round] / l3fwd;
	bench->replay[traffic][round] = 1e3 / ns;
	bench->of_dpdk[traffic][round] = 1e3 / ns / bench->mpps[traffic][DPDK_ROUTER_PENSTOCK][round];
	return dpdk_stop ? -EINTR : 0;
}

static int dpdk_start(struct dpdk_bench *bench, enum dpdk_bed_traffic traffic, enum dpdk_router_kind kind,
		      struct dpdk_router *ret_router)
{
	const struct dpdk_plan *plan = &bench->plan;
	struct dpdk_router_plan router = { .kind = kind,
					   .traffic = traffic,
					   .egress = plan->egress,
					   .cpu = plan->cpu,
					   .memory = dpdk_memory_of(plan, kind),
					   .buffers = 4 * plan->packets + 16384,
					   .packets = plan->packets,
					   .huge = plan->huge };

	fprintf(stderr, "%s: %s starts\n", dpdk_bed_traffic_name(traffic), dpdk_router_name(kind));
	return dpdk_router_start(&bench->bed, &router, &dpdk_stop, ret_router);
}

static int dpdk_measure(struct dpdk_bench *bench, enum dpdk_bed_traffic traffic)
{
	const struct dpdk_plan *plan = &bench->plan;
	struct dpdk_router routers[DPDK_ROUTERS] = { { .log = -1 }, { .log = -1 }, { .log = -1 } };
	struct replay_subject *replay = NULL;
	int err = replay_subject_open(bench->bed.routes, plan->family == AF_INET6, plan->packets,
				      traffic == DPDK_BED_FEW ? DPDK_FEW : plan->packets, &replay);

	for (unsigned int kind = 0; err >= 0 && kind < DPDK_ROUTERS; kind++)
		if (dpdk_has(plan, kind))
			err = dpdk_start(bench, traffic, kind, &routers[kind]);
	for (unsigned int round = 0; err >= 0 && round < plan->rounds; round++)
		err = dpdk_round(bench, routers, replay, traffic, round);
	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++)
		dpdk_router_stop(&routers[kind]);
	replay_subject_close(replay);
	return err;
}

static const char *dpdk_family_name(const struct dpdk_plan *plan)
{
	return plan->family == AF_INET ? "IPv4" : "IPv6";
}

static void dpdk_row(const char *traffic, const char *name, struct statistics mpps)
{
	printf("%-12s  %-9s  %7.2f  %5.1f", traffic, name, mpps.median, 1e3 / mpps.median);
}

static void dpdk_rows(const struct dpdk_bench *bench, unsigned int traffic)
{
	unsigned int rounds = bench->plan.rounds;
	const char *name = dpdk_bed_traffic_name(traffic);
	struct statistics times;

	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++) {
		if (!dpdk_has(&bench->plan, kind))
			continue;
		times = statistics_of(bench->times[traffic][kind], rounds);
		dpdk_row(name, dpdk_router_name(kind), statistics_of(bench->mpps[traffic][kind], rounds));
		if (kind != DPDK_ROUTER_L3FWD)
			printf("   %.3f  %.3f..%.3f", times.median, times.low, times.high);
		if (bench->sent[traffic][kind] < 0.99)
			printf("   only %.0f %% sent", 100 * bench->sent[traffic][kind]);
		printf("\n");
	}
	times = statistics_of(bench->of_dpdk[traffic], rounds);
	dpdk_row(name, "replay", statistics_of(bench->replay[traffic], rounds));
	printf("   %.3f  %.3f..%.3f of penstock\n", times.median, times.low, times.high);
}

static void dpdk_table(const struct dpdk_bench *bench)
{
	const struct dpdk_plan *plan = &bench->plan;
	struct machine machine;

	printf("%s: %zu routes, capture of %u packets, net_pcap to net_%s; %u rounds of %g s on CPU %u, %s "
	       "pages\n"
	       "destinations  router       Mpps     ns   of l3fwd, 95 %%\n",
	       dpdk_family_name(plan), bench->bed.routes->count, plan->packets,
	       dpdk_router_egress_name(plan->egress), plan->rounds, plan->seconds, plan->cpu,
	       plan->huge ? "huge" : "ordinary");
	for (unsigned int traffic = 0; traffic < DPDK_BED_TRAFFICS; traffic++)
		dpdk_rows(bench, traffic);
	machine_read(&machine);
	printf("\n%s, %u CPUs, %s. Rates are per second of CPU time.\n"
	       "l3fwd takes the checksum as verified and looks at no VLAN, VRF, MTU, local or martian "
	       "address.\n"
	       "testpmd looks at nothing: what it takes is the devices', in bursts of 32 as l3fwd has them; "
	       "penstock's\n"
	       "are of 64.\n",
	       machine.cpu, machine.cpus, machine.kernel);
}

static void dpdk_figure(const struct dpdk_bench *bench, json_t *record, unsigned int traffic,
			const char *what, const double *values, bool relative)
{
	char name[RECORD_NAME];
	struct record_figure figure = { name,   relative ? "" : "Mpps", RECORD_MORE, relative,
					values, bench->plan.rounds };

	snprintf(name, sizeof(name), "dpdk %s%s %zu-routes %s %s",
		 bench->plan.egress == DPDK_ROUTER_MEMIF ? "memif " : "", dpdk_family_name(&bench->plan),
		 bench->bed.routes->count, dpdk_bed_traffic_name(traffic), what);
	(void)record_add(record, &figure);
}

static int dpdk_report(const struct dpdk_bench *bench)
{
	json_t *record;

	if (!bench->plan.json) {
		dpdk_table(bench);
		return 0;
	}
	record = record_new("dpdk");
	for (unsigned int traffic = 0; traffic < DPDK_BED_TRAFFICS; traffic++) {
		for (unsigned int kind = 0; kind < DPDK_ROUTERS && dpdk_has(&bench->plan, kind); kind++)
			dpdk_figure(bench, record, traffic, dpdk_router_name(kind),
				    bench->mpps[traffic][kind], false);
		dpdk_figure(bench, record, traffic, "times-l3fwd",
			    bench->times[traffic][DPDK_ROUTER_PENSTOCK], true);
		dpdk_figure(bench, record, traffic, "replay", bench->replay[traffic], false);
		dpdk_figure(bench, record, traffic, "replay-times-penstock", bench->of_dpdk[traffic], true);
	}
	json_object_update_new(
		record, json_pack("{s:I, s:i, s:i, s:f, s:b}", "routes", (json_int_t)bench->bed.routes->count,
				  "packets", (int)bench->plan.packets, "rounds", (int)bench->plan.rounds,
				  "seconds", bench->plan.seconds, "huge_pages", bench->plan.huge));
	return record_print(stdout, record);
}

static int dpdk_run(struct dpdk_bench *bench)
{
	const struct dpdk_plan *plan = &bench->plan;
	int err = dpdk_bed_open(&bench->bed, plan->family, plan->routes);

	if (err < 0)
		return err;
	fprintf(stderr, "l3fwd is built\n");
	err = l3fwd_build(plan->sources, bench->bed.directory,
			  plan->routes > L3FWD_ROUTES || plan->family == AF_INET6);
	if (err >= 0)
		err = dpdk_bed_files(&bench->bed, plan->packets, DPDK_FEW);
	for (unsigned int traffic = 0; err >= 0 && traffic < DPDK_BED_TRAFFICS; traffic++)
		err = dpdk_measure(bench, traffic);
	if (dpdk_stop)
		warnx("bench dpdk: interrupted");
	if (err >= 0)
		err = dpdk_report(bench);
	dpdk_bed_close(&bench->bed);
	return err;
}

int bench_dpdk(int argc, char **argv)
{
	struct dpdk_bench *bench = calloc(1, sizeof(*bench));
	int err;

	if (!bench)
		return EXIT_FAILURE;
	bench->plan = (struct dpdk_plan){ .family = AF_INET,
					  .routes = DPDK_ROUTES,
					  .packets = DPDK_PACKETS,
					  .rounds = DPDK_ROUNDS,
					  .cpu = machine_last_cpu(),
					  .seconds = DPDK_SECONDS,
					  .sources = L3FWD_SOURCES };
	err = dpdk_parse(&bench->plan, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : DPDK_USAGE;
	}
	bench->plan.testpmd = dpdk_router_has_testpmd();
	if (bench->plan.egress == DPDK_ROUTER_MEMIF && !bench->plan.testpmd) {
		warnx("bench dpdk: --egress memif: no dpdk-testpmd that takes the packets; fix: apt install "
		      "dpdk");
		free(bench);
		return EXIT_FAILURE;
	}
	dpdk_choose_pages(&bench->plan);
	dpdk_catch_signals();
	err = dpdk_run(bench);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
