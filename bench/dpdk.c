// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk.h"

#include "bench/dpdk_bed.h"
#include "bench/dpdk_router.h"
#include "bench/dpdk_words.h"
#include "bench/l3fwd.h"
#include "bench/machine.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/replay.h"
#include "bench/statistics.h"
#include "bench/stop.h"
#include "bench/workload/table_generate.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DPDK_ROUNDS_MAX  50
#define DPDK_PACKETS_MAX 32768 // what l3fwd takes as the size of a queue
#define DPDK_FEW         16
#define DPDK_PAGE        2   // MiB, of a huge one
#define DPDK_SPARE       300 // MiB, for what else takes huge pages: a sink

// MiB. What l3fwd needs for full tables; penstock has its tables in memory of its own.
static const unsigned int dpdk_memory[DPDK_ROUTERS] = { 512, 2048, 512 };

struct dpdk_plan {
	__u8 family;
	bool ipv6, full;
	enum dpdk_router_egress egress;
	unsigned int routes, packets, rounds, cpu;
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

static int dpdk_take_routes(void *into, const char *bench, const char *value)
{
	struct dpdk_plan *plan = into;

	plan->full = strcmp(value, "full") == 0;
	return plan->full ? 0
			  : option_number(bench, "--routes", value, 100, TABLE_GENERATE_FULL.ipv4,
					  &plan->routes);
}

static int dpdk_take_egress(void *into, const char *bench, const char *value)
{
	struct dpdk_plan *plan = into;

	for (unsigned int i = 0; i < DPDK_ROUTER_EGRESSES; i++)
		if (strcmp(value, dpdk_router_egress_name(i)) == 0) {
			plan->egress = i;
			return 0;
		}
	return option_refuse(bench, "--egress", value, "null or memif");
}

static int dpdk_parse(struct dpdk_plan *plan, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "ipv6", NULL, "packets and routes of IPv6", .flag = &plan->ipv6 },
		{ "egress", "DEVICE", "null, or memif: a shared memory, which testpmd empties on another CPU",
		  "null", .take = dpdk_take_egress, .into = plan },
		{ "routes", "N|full", "generated routes; with many, and for IPv6, l3fwd's limits are raised",
		  "60000", .take = dpdk_take_routes, .into = plan },
		{ "packets", "N", "in the capture", "16384", .number = &plan->packets, .least = 64,
		  .most = DPDK_PACKETS_MAX },
		{ "rounds", "N", "how often each is measured", "7", .number = &plan->rounds, .least = 1,
		  .most = DPDK_ROUNDS_MAX },
		{ "seconds", "S", "how long each time", "0.3", .seconds = &plan->seconds, .least = 0.05,
		  .most = 60 },
		{ "cpu", "N", "where the workers run (the last one)", .cpu = &plan->cpu },
		{ "l3fwd", "DIR", "sources of l3fwd", L3FWD_SOURCES, .text = &plan->sources },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "dpdk",
		.about = "Compares the DPDK engine with DPDK's own l3fwd (FIB mode): small packets\n"
			 "of a capture into nothing (net_pcap to net_null), one worker each, in turns;\n"
			 "beside them testpmd, which forwards without a look, and replay, which has no\n"
			 "devices. As root.\n",
		.json = &plan->json,
		.lines = lines,
	};
	int err;

	plan->cpu = machine_last_cpu();
	err = option_parse(&set, argc, argv);
	plan->family = plan->ipv6 ? AF_INET6 : AF_INET;
	if (plan->full)
		plan->routes = plan->ipv6 ? TABLE_GENERATE_FULL.ipv6 : TABLE_GENERATE_FULL.ipv4;
	return err;
}

// Which routers there are.
static bool dpdk_has(const struct dpdk_plan *plan, enum dpdk_router_kind kind)
{
	return kind != DPDK_ROUTER_TESTPMD || plan->testpmd;
}

// All take the same kind of pages, so that there must be enough of them for all. l3fwd with its limits raised
// takes more than it was given.
static void dpdk_choose_pages(struct dpdk_plan *plan)
{
	bool large = l3fwd_is_large(plan->ipv6 ? 0 : plan->routes, plan->ipv6 ? plan->routes : 0);
	unsigned long need = plan->egress == DPDK_ROUTER_MEMIF ? DPDK_ROUTERS * DPDK_SPARE : 0;

	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++)
		need += kind == DPDK_ROUTER_L3FWD && large ? 2 * dpdk_memory[kind] : dpdk_memory[kind];
	plan->free_huge = dpdk_words_free_huge();
	plan->huge = plan->free_huge >= need;
	if (!plan->huge)
		warnx("bench dpdk: ordinary pages, in which l3fwd and testpmd are slower; for huge ones: "
		      "sysctl "
		      "-w vm.nr_hugepages=%lu",
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
		err = replay_subject_run(replay, bench->plan.seconds, &stop_asked, &ns);
	if (err < 0)
		return err;
	l3fwd = bench->mpps[traffic][DPDK_ROUTER_L3FWD][round];
	for (unsigned int kind = 0; kind < DPDK_ROUTERS; kind++)
		bench->times[traffic][kind][round] = bench->mpps[traffic][kind][round] / l3fwd;
	bench->replay[traffic][round] = 1e3 / ns;
	bench->of_dpdk[traffic][round] = 1e3 / ns / bench->mpps[traffic][DPDK_ROUTER_PENSTOCK][round];
	return stop_asked ? -EINTR : 0;
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
	return dpdk_router_start(&bench->bed, &router, &stop_asked, ret_router);
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
	if (!plan->huge)
		printf("In ordinary pages DPDK gives each of their buffers a page of its own; penstock's lie "
		       "close together,\n"
		       "so that caches hold more of them.\n");
}

static void dpdk_figure(const struct dpdk_bench *bench, json_t *record, unsigned int traffic,
			const char *what, const double *values, bool relative)
{
	char name[RECORD_NAME];
	struct record_figure figure = { name,        relative ? "" : "Mpps",
					RECORD_MORE, relative && bench->plan.rounds >= RECORD_JUDGED,
					values,      bench->plan.rounds };

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
		return record_end("dpdk", 0);
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
	return record_end("dpdk", record_print(stdout, record));
}

static int dpdk_run(struct dpdk_bench *bench)
{
	const struct dpdk_plan *plan = &bench->plan;
	struct why why = { 0 };
	int err = dpdk_bed_open(&bench->bed, plan->family, plan->routes);

	if (err < 0)
		return err;
	err = l3fwd_build(plan->sources, bench->bed.directory,
			  plan->routes > L3FWD_ROUTES || plan->family == AF_INET6, &stop_asked, &why);
	if (err < 0 && err != -EINTR)
		warnx("bench dpdk: %s", why.text);
	if (err >= 0)
		err = dpdk_bed_files(&bench->bed, plan->packets, DPDK_FEW);
	for (unsigned int traffic = 0; err >= 0 && traffic < DPDK_BED_TRAFFICS; traffic++)
		err = dpdk_measure(bench, traffic);
	if (stop_asked)
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
	err = dpdk_parse(&bench->plan, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	}
	bench->plan.testpmd = dpdk_router_has_testpmd();
	if (bench->plan.egress == DPDK_ROUTER_MEMIF && !bench->plan.testpmd) {
		warnx("bench dpdk: --egress memif: no dpdk-testpmd that takes the packets; fix: apt install "
		      "dpdk");
		free(bench);
		return EXIT_FAILURE;
	}
	dpdk_choose_pages(&bench->plan);
	stop_catch();
	err = dpdk_run(bench);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
