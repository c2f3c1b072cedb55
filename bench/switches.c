// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/switches.h"

#include "bench/live.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/stop.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SWITCHES_MODES 4
#define SWITCHES_LIST  "kernel,generic,native,afxdp"

static const char *const switches_modes[SWITCHES_MODES] = { "kernel", "generic", "native", "afxdp" };

// All changes from one mode to another.
struct switches_result {
	unsigned int times;
	__u64 sent, received, twice, late, wrong;
	__u64 overflows; // of queues of veths, which are no fault of the router's
};

struct switches {
	unsigned int packets; // of each change, at least
	unsigned int rate;
	bool used[SWITCHES_MODES];
	bool json;
	struct scenario scenario;
	struct live live;
	struct switches_result results[SWITCHES_MODES][SWITCHES_MODES]; // from, to
};

// By the router.
static __u64 switches_lost(const struct switches_result *result)
{
	__u64 gone = result->sent - result->received;

	return gone > result->overflows ? gone - result->overflows : 0;
}

// --- measuring ---

static int switches_happen(struct live *live, void *arg)
{
	return daemon_mode(live->daemon, arg);
}

static int switches_once(struct switches *switches, unsigned int from, unsigned int to, struct trial *trial)
{
	struct switches_result *result = &switches->results[from][to];
	const struct generate_metered *metered = &trial->metered;
	__u64 before = 0, after = 0;
	int err = live_overflows(&switches->live, &before);

	if (err >= 0)
		err = live_throughout(&switches->live, switches->rate, switches_happen,
				      (void *)switches_modes[to], trial);
	if (err >= 0)
		err = live_overflows(&switches->live, &after);
	if (err < 0)
		return err;
	result->overflows += after - before;
	result->times++;
	result->sent += trial->offered.sent;
	result->received += trial_arrived(trial);
	result->twice += metered->duplicate;
	result->late += metered->late;
	result->wrong += measure_wrong(&metered->counts) + metered->corrupt;
	return 0;
}

// There and back, until both ways have had their packets.
static int switches_between(struct switches *switches, unsigned int from, unsigned int to,
			    struct trial *trial)
{
	const struct switches_result *there = &switches->results[from][to],
				     *back = &switches->results[to][from];
	int err = daemon_mode(switches->live.daemon, switches_modes[from]);

	fprintf(stderr, "%s and %s\n", switches_modes[from], switches_modes[to]);
	while (err >= 0 && (there->sent < switches->packets || back->sent < switches->packets)) {
		err = switches_once(switches, from, to, trial);
		if (err >= 0)
			err = switches_once(switches, to, from, trial);
	}
	return err;
}

static int switches_measure(struct switches *switches)
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;

	// A daemon that AF_XDP is asked of at its start keeps the rights for it.
	if (err >= 0)
		err = live_start(&switches->live, "afxdp");
	for (unsigned int from = 0; err >= 0 && from < SWITCHES_MODES; from++)
		for (unsigned int to = from + 1; err >= 0 && to < SWITCHES_MODES; to++)
			if (switches->used[from] && switches->used[to])
				err = switches_between(switches, from, to, trial);
	free(trial);
	if (stop_asked)
		warnx("bench switches: interrupted");
	else if (err < 0)
		warnx("bench switches: %s", strerror(-err));
	return err;
}

// --- results ---

typedef int switches_visit(void *arg, const struct switches *switches, unsigned int from, unsigned int to);

static int switches_each(const struct switches *switches, switches_visit *visit, void *arg)
{
	int err = 0;

	for (unsigned int from = 0; err >= 0 && from < SWITCHES_MODES; from++)
		for (unsigned int to = 0; err >= 0 && to < SWITCHES_MODES; to++)
			if (from != to && switches->used[from] && switches->used[to])
				err = visit(arg, switches, from, to);
	return err;
}

static int switches_row(void *arg, const struct switches *switches, unsigned int from, unsigned int to)
{
	const struct switches_result *result = &switches->results[from][to];

	printf("%-8s to %-8s %6u %10llu %10llu %8llu %6llu %6llu %6llu %6llu\n", switches_modes[from],
	       switches_modes[to], result->times, result->sent, result->received, result->overflows,
	       switches_lost(result), result->twice, result->late, result->wrong);
	return 0;
}

static void switches_table(const struct switches *switches)
{
	struct machine machine;

	printf("%-20s %6s %10s %10s %8s %6s %6s %6s %6s\n", "both ports from", "times", "sent", "received",
	       "overflow", "lost", "twice", "late", "wrong");
	(void)switches_each(switches, switches_row, NULL);
	machine_read(&machine);
	printf("%u packets a second, numbered. overflow: the queue of a veth was full; lost: other than by "
	       "that; "
	       "late: overtaken\nby a later one. %s, %u CPUs, %s.\n",
	       switches->rate, machine.cpu, machine.cpus, machine.kernel);
}

static int switches_figures(void *arg, const struct switches *switches, unsigned int from, unsigned int to)
{
	const struct switches_result *result = &switches->results[from][to];
	const struct {
		const char *name;
		double value;
		enum record_better better;
		bool fault; // of the router's; the others are the machine's moods
	} figures[] = {
		{ "times", result->times, RECORD_MORE, false },
		{ "sent", result->sent, RECORD_MORE, false },
		{ "overflow", result->overflows, RECORD_LESS, false },
		{ "lost", switches_lost(result), RECORD_LESS, true },
		{ "twice", result->twice, RECORD_LESS, true },
		{ "late", result->late, RECORD_LESS, false },
		{ "wrong", result->wrong, RECORD_LESS, true },
	};
	char name[RECORD_NAME];

	for (unsigned int i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		snprintf(name, sizeof(name), "switches %s-%s %s", switches_modes[from], switches_modes[to],
			 figures[i].name);
		if (!record_add(arg, &(struct record_figure){ name, "", figures[i].better, figures[i].fault,
							      &figures[i].value, 1 }))
			return -ENOMEM;
	}
	return 0;
}

static int switches_json(const struct switches *switches)
{
	json_t *record = record_new("switches");

	if (!record)
		return -ENOMEM;
	json_object_set_new(record, "rate", json_integer(switches->rate));
	if (switches_each(switches, switches_figures, record) < 0) {
		json_decref(record);
		return -ENOMEM;
	}
	return record_print(stdout, record);
}

static int switches_judge(void *arg, const struct switches *switches, unsigned int from, unsigned int to)
{
	const struct switches_result *result = &switches->results[from][to];

	return switches_lost(result) || result->twice || result->wrong ? -EBADMSG : 0;
}

static int switches_report(const struct switches *switches)
{
	int err = 0;

	if (switches->json)
		err = switches_json(switches);
	else
		switches_table(switches);
	err = record_end("switches", err);
	return err < 0 ? err : switches_each(switches, switches_judge, NULL);
}

// --- set-up ---

static int switches_run(struct switches *switches)
{
	int err = live_open(&switches->live, &switches->scenario, &generator_afxdp, &stop_asked);

	if (err < 0)
		return err;
	err = switches_measure(switches);
	live_close(&switches->live);
	return err < 0 ? err : switches_report(switches);
}

static int switches_take_modes(void *into, const char *bench, const char *value)
{
	struct switches *switches = into;
	char copy[64], *rest = copy, *name;
	unsigned int count = 0, i;

	snprintf(copy, sizeof(copy), "%s", value);
	memset(switches->used, 0, sizeof(switches->used));
	while ((name = strsep(&rest, ","))) {
		for (i = 0; i < SWITCHES_MODES && strcmp(name, switches_modes[i]) != 0; i++)
			;
		if (i == SWITCHES_MODES || switches->used[i])
			break;
		switches->used[i] = true;
		count++;
	}
	return name || count < 2 ? option_refuse(bench, "--modes", value,
						 "at least two of " SWITCHES_LIST ", each once")
				 : 0;
}

static int switches_parse(struct switches *switches, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "packets", "N", "packets at least during the changes from one mode to another", "1000000",
		  .number = &switches->packets, .least = 1, .most = 1000000000 },
		{ "rate", "N", "packets a second", "20000", .number = &switches->rate, .least = 1,
		  .most = 1000000 },
		{ "modes", "A,B,...", "between which, at least two", SWITCHES_LIST,
		  .take = switches_take_modes, .into = switches },
		{ "routes", "WHAT", "1, full, a number, or a file, as of bench forward", "1",
		  .scenario = &switches->scenario },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "switches",
		.about =
			"Sends numbered packets at a fixed rate while both ports of a router go from each\n"
			"mode to each other, and counts what is lost, comes twice, late or wrong. As root.\n",
		.json = &switches->json,
		.lines = lines,
	};

	return option_parse(&set, argc, argv);
}

int bench_switches(int argc, char **argv)
{
	struct switches *switches = calloc(1, sizeof(*switches));
	int code = EXIT_FAILURE, err;

	if (!switches || scenario_open(&switches->scenario, &stop_asked) < 0) {
		free(switches);
		return EXIT_FAILURE;
	}
	err = switches_parse(switches, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	} else {
		stop_catch();
		code = switches_run(switches) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	scenario_close(&switches->scenario);
	free(switches);
	return code;
}
