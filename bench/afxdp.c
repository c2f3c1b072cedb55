// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/afxdp.h"

#include "bench/daemon.h"
#include "bench/generate.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/scenario.h"
#include "bench/statistics.h"
#include "bench/stop.h"
#include "bench/testpmd.h"
#include "bench/topology.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AFXDP_MOST    100
#define AFXDP_WARM_UP 0.3 // caches fill, the subject wakes up
#define AFXDP_SETTLE  1.0 // until the kernel has closed the sockets of the one before

enum afxdp_subject { AFXDP_PENSTOCK, AFXDP_TESTPMD, AFXDP_SUBJECTS };

static const char *const afxdp_names[AFXDP_SUBJECTS] = { "penstock-afxdp", "testpmd-afxdp" };

struct afxdp_bench {
	unsigned int rounds;
	double seconds;
	bool json;
	unsigned int sender, worker; // CPUs
	struct scenario scenario;
	struct topology topology;
	struct generate *generate;
	size_t routes;
	double rates[AFXDP_SUBJECTS][AFXDP_MOST], ratios[AFXDP_MOST];
	struct generate_counts counts[AFXDP_SUBJECTS];
	struct daemon *daemon;
	struct dpdk_child *testpmd;
};

static int afxdp_sleep(double seconds)
{
	const struct timespec time = { .tv_sec = (time_t)seconds,
				       .tv_nsec = (seconds - (time_t)seconds) * 1e9 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
	return stop_asked ? -EINTR : 0;
}

// --- measuring ---

static int afxdp_attach(struct afxdp_bench *bench, enum afxdp_subject subject)
{
	const struct lane *lane = &bench->topology.subject;
	char lines[64];

	generate_expect_gateways(bench->generate, subject == AFXDP_PENSTOCK);
	if (subject == AFXDP_TESTPMD)
		return testpmd_start(lane, bench->worker, &stop_asked, &bench->testpmd);
	snprintf(lines, sizeof(lines), "afxdp: {cpus: \"%u\"}", bench->worker);
	return daemon_start_with(lane, bench->topology.guard.file,
				 &(struct daemon_plan){ .mode = "afxdp", .lines = lines }, &stop_asked,
				 &bench->daemon);
}

static void afxdp_detach(struct afxdp_bench *bench)
{
	daemon_stop(bench->daemon);
	dpdk_child_stop(bench->testpmd);
	bench->daemon = NULL;
	bench->testpmd = NULL;
}

// CPU time of all threads of the router.
static __u64 afxdp_cpu_ns(const struct afxdp_bench *bench)
{
	pid_t pid = bench->daemon ? daemon_pid(bench->daemon) : dpdk_child_pid(bench->testpmd);
	unsigned long long sum = 0, ns;
	struct dirent *task;
	char path[300];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (task = readdir(tasks))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, task->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%llu", &ns) == 1)
			sum += ns;
		fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

// Packets that come through, for each second of the router's CPU time, while more are offered than it can
// take.
static int afxdp_rate(struct afxdp_bench *bench, struct generate_counts *counts, double *ret_rate)
{
	struct generate_counts ends[TRAFFIC_LANES];
	struct generate_sample begin, end;
	__u64 cpu_begin, cpu_end;
	int err, ended;

	err = generate_start(bench->generate, AF_INET, bench->sender);
	if (err < 0)
		return err;
	err = afxdp_sleep(AFXDP_WARM_UP);
	cpu_begin = afxdp_cpu_ns(bench);
	generate_read(bench->generate, &begin);
	if (err >= 0)
		err = afxdp_sleep(bench->seconds);
	cpu_end = afxdp_cpu_ns(bench);
	generate_read(bench->generate, &end);
	ended = generate_stop(bench->generate, ends);
	if (err < 0 || ended < 0)
		return err < 0 ? err : ended;
	*ret_rate = (end.counts[TRAFFIC_SUBJECT].arrived - begin.counts[TRAFFIC_SUBJECT].arrived) * 1e9 /
		    (cpu_end > cpu_begin ? cpu_end - cpu_begin : 1);
	counts->sent += ends[TRAFFIC_SUBJECT].sent;
	counts->arrived += ends[TRAFFIC_SUBJECT].arrived;
	for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		counts->wrong[kind] += ends[TRAFFIC_SUBJECT].wrong[kind];
	return 0;
}

static int afxdp_measure(struct afxdp_bench *bench, enum afxdp_subject subject, unsigned int round)
{
	int err = afxdp_attach(bench, subject);

	if (err >= 0)
		err = afxdp_rate(bench, &bench->counts[subject], &bench->rates[subject][round]);
	afxdp_detach(bench);
	if (err >= 0)
		fprintf(stderr, "round %u of %u: %s: %.3f Mpps\n", round + 1, bench->rounds,
			afxdp_names[subject], bench->rates[subject][round] / 1e6);
	return err < 0 ? err : afxdp_sleep(AFXDP_SETTLE);
}

static int afxdp_rounds(struct afxdp_bench *bench)
{
	int err = 0;

	for (unsigned int round = 0; err >= 0 && round < bench->rounds; round++) {
		for (unsigned int i = 0; err >= 0 && i < AFXDP_SUBJECTS; i++)
			err = afxdp_measure(bench, (i + round) % AFXDP_SUBJECTS, round);
		if (err >= 0)
			bench->ratios[round] = bench->rates[AFXDP_TESTPMD][round] > 0
						       ? bench->rates[AFXDP_PENSTOCK][round] /
								 bench->rates[AFXDP_TESTPMD][round]
						       : 0;
	}
	if (err < 0 && !stop_asked)
		warnx("bench afxdp: cannot measure: %s", strerror(-err));
	return err;
}

// --- results ---

static void afxdp_table(const struct afxdp_bench *bench)
{
	struct statistics ratio = statistics_of(bench->ratios, bench->rounds);
	struct machine machine;

	machine_read(&machine);
	printf("IPv4, %zu route%s, 60-byte frames; %u rounds of %g s; sender on CPU %u, router on CPU %u\n",
	       bench->routes, bench->routes == 1 ? "" : "s", bench->rounds, bench->seconds, bench->sender,
	       bench->worker);
	printf("%-16s %8s   %-16s %8s\n", "router", "Mpps", "95 %", "arrived");
	for (unsigned int i = 0; i < AFXDP_SUBJECTS; i++) {
		struct statistics rate = statistics_of(bench->rates[i], bench->rounds);
		const struct generate_counts *counts = &bench->counts[i];

		printf("%-16s %8.3f   %.3f..%.3f    %7.1f %%\n", afxdp_names[i], rate.median / 1e6,
		       rate.low / 1e6, rate.high / 1e6,
		       counts->sent ? 100.0 * counts->arrived / counts->sent : 0);
	}
	printf("Rates are per second of the router's CPU time; the sender offers more than either takes.\n");
	printf("penstock: %.3f times testpmd (%.3f..%.3f), %llu packets wrong. testpmd looks nothing up.\n",
	       ratio.median, ratio.low, ratio.high, measure_wrong(&bench->counts[AFXDP_PENSTOCK]));
	printf("\n%s, %u CPUs, %s, over veth in copy mode: compare the rows, not with a NIC.\n", machine.cpu,
	       machine.cpus, machine.kernel);
}

static int afxdp_json(const struct afxdp_bench *bench)
{
	json_t *record = record_new("afxdp");
	char name[RECORD_NAME];

	for (unsigned int i = 0; i < AFXDP_SUBJECTS; i++) {
		snprintf(name, sizeof(name), "afxdp IPv4 %zu-routes %s", bench->routes, afxdp_names[i]);
		record_add(record, &(struct record_figure){ name, "1/s", RECORD_MORE, false, bench->rates[i],
							    bench->rounds });
	}
	snprintf(name, sizeof(name), "afxdp IPv4 %zu-routes times-testpmd", bench->routes);
	record_add(record, &(struct record_figure){ name, "", RECORD_MORE, bench->rounds >= RECORD_JUDGED,
						    bench->ratios, bench->rounds });
	return record_print(stdout, record);
}

static int afxdp_report(const struct afxdp_bench *bench)
{
	int err = 0;

	if (bench->json)
		err = afxdp_json(bench);
	else
		afxdp_table(bench);
	err = record_end("afxdp", err);
	return err < 0 ? err : measure_wrong(&bench->counts[AFXDP_PENSTOCK]) ? -EBADMSG : 0;
}

// --- set-up ---

static int afxdp_set_up(struct afxdp_bench *bench)
{
	struct scenario_bed bed = { &bench->topology, NULL, NULL, false };
	int err = generate_open(&bench->topology, &bench->generate);

	bed.generate = bench->generate;
	if (err >= 0)
		err = scenario_load(&bench->scenario, &bed, AF_INET, &bench->routes);
	if (err < 0 && !stop_asked)
		warnx("bench afxdp: cannot set up the sender: %s", strerror(-err));
	return err;
}

static int afxdp_run(struct afxdp_bench *bench)
{
	int err = topology_open_for("bench afxdp", NULL, &bench->topology);

	if (err < 0)
		return err;
	err = afxdp_set_up(bench);
	if (err >= 0)
		err = afxdp_rounds(bench);
	generate_close(bench->generate);
	topology_close(&bench->topology);
	if (stop_asked)
		warnx("bench afxdp: interrupted");
	return err < 0 ? err : afxdp_report(bench);
}

// The last CPU sends, the first one forwards.
static int afxdp_choose_cpus(struct afxdp_bench *bench)
{
	bench->worker = machine_first_cpu();
	bench->sender = machine_last_cpu();
	if (bench->worker == bench->sender) {
		warnx("bench afxdp: needs two CPUs, one to send and one to forward");
		return -ENODEV;
	}
	return 0;
}

// --- options ---

static int afxdp_parse(struct afxdp_bench *bench, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "routes", "WHAT", "1, full, a number, or a file, as of bench forward", "1",
		  .scenario = &bench->scenario },
		{ "rounds", "N", "how often each is measured", "5", .number = &bench->rounds, .least = 1,
		  .most = AFXDP_MOST },
		{ "seconds", "S", "how long each time", "1", .seconds = &bench->seconds, .least = 0.01,
		  .most = 3600 },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "afxdp",
		.about = "Compares penstock behind AF_XDP sockets with DPDK's testpmd (mac\n"
			 "forwarding) over net_af_xdp, in network namespaces of its own. As root.\n",
		.json = &bench->json,
		.lines = lines,
	};

	return option_parse(&set, argc, argv);
}

int bench_afxdp(int argc, char **argv)
{
	struct afxdp_bench *bench = calloc(1, sizeof(*bench));
	int code = EXIT_FAILURE, err;

	if (!bench)
		return EXIT_FAILURE;
	if (scenario_open(&bench->scenario, &stop_asked) < 0)
		goto free_bench;
	err = afxdp_parse(bench, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
		goto close_scenario;
	}
	stop_catch();
	err = afxdp_choose_cpus(bench);
	if (err >= 0)
		err = afxdp_run(bench);
	code = err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
close_scenario:
	scenario_close(&bench->scenario);
free_bench:
	free(bench);
	return code;
}
