// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/goals.h"

#include "bench/child.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/stop.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOALS_WORDS CHILD_WORDS
#define GOALS_NONE  1e-9 // at most: none

enum goals_run {
	RUN_ONE_ROUTE,
	RUN_FULL,
	RUN_PROGRAM,
	RUN_FIB,
	RUN_REPLAY,
	RUN_MIRROR,
	RUN_AFXDP,
	RUN_DPDK,
	RUN_DPDK_FULL,
	RUN_EVENTS,
	RUNS
};

// Commands that measure; the quick way costs certainty.
struct goals_command {
	const char *file; // that the results are kept in
	const char *words[GOALS_WORDS], *quick[GOALS_WORDS];
};

static const struct goals_command goals_commands[RUNS] = {
	[RUN_ONE_ROUTE] = { "forward-1",
			    { "forward", "--rounds", "7", "--seconds", "0.7" },
			    { "forward", "--rounds", "3", "--seconds", "0.3" } },
	[RUN_FULL] = { "forward-full",
		       { "forward", "--routes", "full", "--rounds", "7", "--seconds", "0.7" },
		       { "forward", "--routes", "full", "--rounds", "3", "--seconds", "0.3" } },
	[RUN_PROGRAM] = { "program", { "program" }, { "program", "--rounds", "5" } },
	[RUN_FIB] = { "fib",
		      { "fib", "--skip", "rte_lpm6,rte_lpm6-bulk" },
		      { "fib", "--rounds", "3", "--changes", "20000", "--skip", "rte_lpm6,rte_lpm6-bulk" } },
	[RUN_REPLAY] = { "replay", { "replay" }, { "replay", "--rounds", "3" } },
	[RUN_AFXDP] = { "afxdp", { "afxdp" }, { "afxdp", "--rounds", "3", "--seconds", "0.3" } },
	[RUN_DPDK] = { "dpdk", { "dpdk" }, { "dpdk", "--rounds", "3", "--packets", "4096" } },
	[RUN_DPDK_FULL] = { "dpdk-full",
			    { "dpdk", "--routes", "full" },
			    { "dpdk", "--routes", "full", "--rounds", "3" } },
	[RUN_EVENTS] = { "events", { "events", "--times", "3" }, { "events", "--times", "1" } },
	[RUN_MIRROR] = { "mirror",
			 { "mirror", "--rounds", "3" },
			 { "mirror", "--rounds", "1", "--seconds", "1" } },
};

struct goal {
	const char *text;
	enum goals_run run;
	const char *figure;
	const char *against;      // the value is the figure divided by this one; NULL: the figure itself
	double scale;             // the value is shown divided by this; 0: as it is
	double at_least, at_most; // 0: none
};

#define ONE4  "forward IPv4 1-routes "
#define ONE6  "forward IPv6 1-routes "
#define FULL4 "forward IPv4 1171945-routes "
#define FULL6 "forward IPv6 282855-routes "
#define FIB4  "fib IPv4 1171945-routes "
#define FIB6  "fib IPv6 282855-routes "
#define OF    "of-nolookup"
#define TIMES "times-ours"

// clang-format off
static const struct goal goals[] = {
	{ "1 route, IPv4: of the same path without lookup", RUN_ONE_ROUTE, ONE4 "penstock " OF, NULL, 0, 0.92, 0 },
	{ "1 route, IPv6: of the same path without lookup", RUN_ONE_ROUTE, ONE6 "penstock " OF, NULL, 0, 0.92, 0 },
	{ "1 route, IPv4: times bpf_fib_lookup", RUN_ONE_ROUTE, ONE4 "penstock " OF, ONE4 "fiblookup " OF, 0, 1.3, 0 },
	{ "1 route, IPv6: times bpf_fib_lookup", RUN_ONE_ROUTE, ONE6 "penstock " OF, ONE6 "fiblookup " OF, 0, 1.3, 0 },
	{ "1 route, IPv4: times the kernel", RUN_ONE_ROUTE, ONE4 "penstock " OF, ONE4 "kernel " OF, 0, 3.5, 0 },
	{ "1 route, IPv6: times the kernel", RUN_ONE_ROUTE, ONE6 "penstock " OF, ONE6 "kernel " OF, 0, 3.5, 0 },
	{ "full tables, IPv4: of the same path without lookup", RUN_FULL, FULL4 "penstock " OF, NULL, 0, 0.78, 0 },
	{ "full tables, IPv6: of the same path without lookup", RUN_FULL, FULL6 "penstock " OF, NULL, 0, 0.65, 0 },
	{ "full tables, IPv4: times bpf_fib_lookup", RUN_FULL, FULL4 "penstock " OF, FULL4 "fiblookup " OF, 0, 5.5, 0 },
	{ "full tables, IPv6: times bpf_fib_lookup", RUN_FULL, FULL6 "penstock " OF, FULL6 "fiblookup " OF, 0, 11, 0 },
	{ "full tables, IPv4: times the kernel", RUN_FULL, FULL4 "penstock " OF, FULL4 "kernel " OF, 0, 8, 0 },
	{ "full tables, IPv6: times the kernel", RUN_FULL, FULL6 "penstock " OF, FULL6 "kernel " OF, 0, 16, 0 },
	{ "the program alone, IPv4: times bpf_fib_lookup", RUN_PROGRAM, "program fiblookup IPv4 times-ours", NULL, 0, 2, 0 },
	{ "the program alone, IPv6: times bpf_fib_lookup", RUN_PROGRAM, "program fiblookup IPv6 times-ours", NULL, 0, 2, 0 },
	{ "eBPF lookups, zipf, IPv4: times LPM_TRIE", RUN_FIB, FIB4 "dependent zipf lpmtrie " TIMES, NULL, 0, 20, 0 },
	{ "eBPF lookups, zipf, IPv4: times bpf_fib_lookup", RUN_FIB, FIB4 "dependent zipf fiblookup " TIMES, NULL, 0, 10, 0 },
	{ "eBPF lookups, zipf, IPv4: times DIR-24-8", RUN_FIB, FIB4 "dependent zipf dir24-ebpf " TIMES, NULL, 0, 1.1, 0 },
	{ "eBPF lookups, uniform, IPv4: times DIR-24-8", RUN_FIB, FIB4 "dependent uniform dir24-ebpf " TIMES, NULL, 0, 4, 0 },
	{ "eBPF lookups, zipf, IPv6: times LPM_TRIE", RUN_FIB, FIB6 "dependent zipf lpmtrie " TIMES, NULL, 0, 8, 0 },
	{ "bulk lookups, uniform, IPv4: times rte_fib AVX-512", RUN_FIB, FIB4 "independent uniform rte_fib-avx512 " TIMES, NULL, 0, 1.5, 0 },
	{ "bulk lookups, zipf, IPv4: times rte_fib AVX-512", RUN_FIB, FIB4 "independent zipf rte_fib-avx512 " TIMES, NULL, 0, 0.8, 0 },
	{ "bulk lookups, repeated, IPv4: times rte_fib AVX-512", RUN_FIB, FIB4 "independent repeated rte_fib-avx512 " TIMES, NULL, 0, 0.8, 0 },
	{ "bulk lookups, uniform, IPv6: times rte_fib6 AVX-512", RUN_FIB, FIB6 "independent uniform rte_fib6-avx512 " TIMES, NULL, 0, 1.0, 0 },
	{ "image, IPv4: MB", RUN_FIB, FIB4 "structure image in BPF maps read-memory", NULL, 1e6, 0, 7 },
	{ "image, IPv6: MB", RUN_FIB, FIB6 "structure image in BPF maps read-memory", NULL, 1e6, 0, 6 },
	{ "build, IPv4: ms", RUN_FIB, FIB4 "structure image in BPF maps build", NULL, 1e-3, 0, 150 },
	{ "build, IPv6: ms", RUN_FIB, FIB6 "structure image in BPF maps build", NULL, 1e-3, 0, 150 },
	{ "update, IPv4: mean us", RUN_FIB, FIB4 "structure image in BPF maps update-mean", NULL, 1e3, 0, 1 },
	{ "update, IPv6: mean us", RUN_FIB, FIB6 "structure image in BPF maps update-mean", NULL, 1e3, 0, 4 },
	{ "update, IPv4: longest, ms", RUN_FIB, FIB4 "structure image in BPF maps update-max", NULL, 1e6, 0, 5 },
	{ "update, IPv6: longest, ms", RUN_FIB, FIB6 "structure image in BPF maps update-max", NULL, 1e6, 0, 5 },
	{ "in user space, from memory, full table, IPv4: Mpps", RUN_REPLAY, "replay IPv4 full random", NULL, 0, 10, 0 },
	{ "in user space, from memory, full table, IPv6: Mpps", RUN_REPLAY, "replay IPv6 full random", NULL, 0, 10, 0 },
	{ "behind AF_XDP sockets, IPv4: times testpmd", RUN_AFXDP, "afxdp IPv4 1-routes times-testpmd", NULL, 0, 1.0, 0 },
	{ "DPDK, 60,000 routes, IPv4: times l3fwd", RUN_DPDK, "dpdk IPv4 60000-routes uniform times-l3fwd", NULL, 0, 1.2, 0 },
	{ "DPDK, 60,000 routes, IPv4, few: times l3fwd", RUN_DPDK, "dpdk IPv4 60000-routes few times-l3fwd", NULL, 0, 1.0, 0 },
	{ "DPDK, full table, IPv4: times l3fwd", RUN_DPDK_FULL, "dpdk IPv4 1171945-routes uniform times-l3fwd", NULL, 0, 1.2, 0 },
	{ "DPDK, full table, IPv4, few: times l3fwd", RUN_DPDK_FULL, "dpdk IPv4 1171945-routes few times-l3fwd", NULL, 0, 1.0, 0 },
	{ "packets lost: kill -9, and another daemon", RUN_EVENTS, "events kill lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: the daemon ends, and another starts", RUN_EVENTS, "events restart lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: changes of other routes", RUN_EVENTS, "events churn lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: native to generic", RUN_EVENTS, "events native-generic lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: generic to native", RUN_EVENTS, "events generic-native lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: native to AF_XDP", RUN_EVENTS, "events native-afxdp lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: AF_XDP to native", RUN_EVENTS, "events afxdp-native lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: native to the kernel", RUN_EVENTS, "events native-kernel lost", NULL, 0, 0, GOALS_NONE },
	{ "packets lost: the kernel to native", RUN_EVENTS, "events kernel-native lost", NULL, 0, 0, GOALS_NONE },
	{ "a link goes down, another takes over: blocked, ms", RUN_EVENTS, "events failover blocked", NULL, 0, 0, 50 },
	{ "cold start with full tables: ms", RUN_MIRROR, "mirror cold_start", NULL, 0, 0, 3000 },
	{ "route changes applied a second", RUN_MIRROR, "mirror applied_rate", NULL, 0, 100000, 0 },
	{ "lag at 20,000 changes a second, 99 of 100: ms", RUN_MIRROR, "mirror lag_p99", NULL, 0, 0, 50 },
	{ "carrier lost at the far end: last packet, ms", RUN_MIRROR, "mirror carrier_lost", NULL, 0, 0, 50 },
	{ "link set down: last packet, ms", RUN_MIRROR, "mirror link_down", NULL, 0, 0, 50 },
	{ "resident memory with full tables: MB", RUN_MIRROR, "mirror memory", NULL, 0, 0, 250 },
};
// clang-format on

#define GOALS (sizeof(goals) / sizeof(goals[0]))

static const char *const *goals_words(enum goals_run run, bool quick)
{
	return quick ? goals_commands[run].quick : goals_commands[run].words;
}

static bool goals_median(const json_t *record, const char *name, double *ret_value)
{
	const json_t *median = json_object_get(record_find(record, name), "median");

	*ret_value = json_number_value(median);
	return json_is_number(median);
}

// False: could not be measured.
static bool goal_value(const struct goal *goal, const json_t *record, double *ret_value)
{
	double against;

	if (!record || !goals_median(record, goal->figure, ret_value))
		return false;
	if (goal->against) {
		if (!goals_median(record, goal->against, &against) || against == 0)
			return false;
		*ret_value /= against;
	}
	if (goal->scale != 0)
		*ret_value /= goal->scale;
	return true;
}

static bool goal_is_met(const struct goal *goal, double value)
{
	return goal->at_most ? value <= goal->at_most : value >= goal->at_least;
}

static double goal_aim(const struct goal *goal)
{
	return goal->at_most == GOALS_NONE ? 0 : goal->at_most > 0 ? goal->at_most : goal->at_least;
}

static json_t *goal_json(const struct goal *goal, const char *command, bool measured, double value)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:f, s:b, s:s}", "name", goal->text, "figure", goal->figure,
			 "value", measured ? json_real(value) : json_null(), "sense",
			 goal->at_most ? "at most" : "at least", "goal", goal_aim(goal), "pass",
			 measured && goal_is_met(goal, value), "command", command);
}

static void goal_print(const struct goal *goal, bool measured, double value)
{
	printf("  %-52s ", goal->text);
	if (measured)
		printf("%10.4g", value);
	else
		printf("%10s", "-");
	printf("  %s %-7g %s\n", goal->at_most ? "at most " : "at least", goal_aim(goal),
	       !measured                  ? "not measured"
	       : goal_is_met(goal, value) ? "met"
					  : "MISSED");
}

static void goals_keep(const char *directory, const char *name, const json_t *record)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.json", directory, name);
	if (json_dump_file(record, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) < 0)
		warn("bench goals: cannot write %s", path);
}

// Runs one bench and judges its goals; returns how many were met.
static unsigned int goals_run(enum goals_run run, bool quick, const char *keep, bool print, json_t *list)
{
	char command[200];
	json_t *record;
	unsigned int met = 0;

	child_print(command, sizeof(command), goals_words(run, quick));
	fprintf(stderr, "%s\n", command);
	record = child_run(goals_words(run, quick));
	if (record && keep)
		goals_keep(keep, goals_commands[run].file, record);
	if (print)
		printf("%s\n", command);
	for (size_t i = 0; i < GOALS; i++) {
		double value = 0;
		bool measured;

		if (goals[i].run != run)
			continue;
		measured = goal_value(&goals[i], record, &value);
		met += measured && goal_is_met(&goals[i], value);
		json_array_append_new(list, goal_json(&goals[i], command, measured, value));
		if (print)
			goal_print(&goals[i], measured, value);
	}
	fflush(stdout);
	json_decref(record);
	return met;
}

// As a record among those that `bench page` reads.
static void goals_keep_list(const char *directory, json_t *list)
{
	json_t *record = record_new("goals");

	json_object_set(record, "goals", list);
	goals_keep(directory, "goals", record);
	json_decref(record);
}

static int goals_all(bool quick, bool json, const char *keep)
{
	json_t *list = json_array();
	unsigned int met = 0;
	int err = 0;

	for (int run = 0; run < RUNS && !stop_asked; run++)
		met += goals_run(run, quick, keep, !json, list);
	if (keep && !stop_asked)
		goals_keep_list(keep, list);
	if (stop_asked) {
		warnx("bench goals: interrupted");
		err = -EINTR;
	} else if (json) {
		err = json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? -EIO : 0;
	} else {
		printf("%u of %zu goals met\n", met, GOALS);
	}
	json_decref(list);
	return err < 0 || fflush(stdout) == EOF || met < GOALS ? EXIT_FAILURE : EXIT_SUCCESS;
}

int bench_goals(int argc, char **argv)
{
	bool quick = false, json = false;
	const char *keep = NULL;
	const struct option_line lines[] = {
		{ "quick", NULL, "shorter, with less certainty", .flag = &quick },
		{ "keep", "FOLDER", "the results go there, too: for bench page and compare", .text = &keep },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "goals",
		.about =
			"Runs the other benches and says which of penstock's goals are met on this machine.\n"
			"As root; takes minutes, with --quick four. Exit status 1: not all are met.\n",
		.json = &json,
		.lines = lines,
	};
	int err = option_parse(&set, argc, argv);

	if (err != 0)
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	stop_catch();
	return goals_all(quick, json, keep);
}
