// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/calibrate.h"

#include "bench/live.h"
#include "bench/machine.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/stop.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CALIBRATE_SECONDS 0.125
#define CALIBRATE_ROUNDS  2 // the better one counts: whoever else wants the CPU disturbs the other
#define CALIBRATE_MODES   (sizeof(calibrate_modes) / sizeof(calibrate_modes[0]))

static const struct calibrate_mode {
	const char *name, *mode, *lines; // of the configuration
} calibrate_modes[] = {
	{ "native", "native", "" },
	{ "generic", "generic", "" },
	{ "afxdp", "afxdp", "" },
	{ "afxdp-generic", "afxdp", "afxdp: { hook: generic }" },
};

static int calibrate_nothing(struct live *live, void *arg)
{
	return 0;
}

static int calibrate_once(struct live *live, const struct calibrate_mode *mode, struct trial *trial,
			  double *ret_rate)
{
	const struct daemon_plan plan = { .mode = mode->mode, .lines = mode->lines };
	int err = daemon_start_with(&live->topology.subject, live->topology.guard.file, &plan, live->stop,
				    &live->daemon);

	if (err >= 0)
		err = live_during(live, 0, CALIBRATE_SECONDS, calibrate_nothing, NULL, trial);
	live_stop(live);
	if (err >= 0 && trial->offered.seconds > 0)
		*ret_rate = trial_arrived(trial) / trial->offered.seconds;
	return err;
}

static int calibrate_measure(struct live *live, double rates[])
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;

	live->trial.load.cpu = machine_last_cpu();
	for (unsigned int i = 0; err >= 0 && i < CALIBRATE_ROUNDS * CALIBRATE_MODES; i++) {
		unsigned int mode = i % CALIBRATE_MODES;
		double rate = 0;

		err = calibrate_once(live, &calibrate_modes[mode], trial, &rate);
		rates[mode] = rate > rates[mode] ? rate : rates[mode];
	}
	free(trial);
	return err;
}

static int calibrate_report(const double rates[], bool json)
{
	json_t *record = json ? record_new("calibrate") : NULL;
	char name[RECORD_NAME];

	for (unsigned int i = 0; i < CALIBRATE_MODES; i++) {
		if (!json) {
			printf("%-14s %8.3f million packets a second\n", calibrate_modes[i].name,
			       rates[i] / 1e6);
			continue;
		}
		snprintf(name, sizeof(name), "calibrate %s", calibrate_modes[i].name);
		record_add(record,
			   &(struct record_figure){ name, "packets/s", RECORD_MORE, false, &rates[i], 1 });
	}
	return record_end("calibrate", json ? record_print(stdout, record) : 0);
}

static int calibrate_run(struct scenario *scenario, bool json)
{
	double rates[CALIBRATE_MODES] = { 0 };
	struct live live;
	int err = live_open(&live, scenario, &generator_afxdp, &stop_asked);

	if (err < 0)
		return err;
	err = calibrate_measure(&live, rates);
	live_close(&live);
	if (err < 0)
		warnx("bench calibrate: %s", stop_asked ? "interrupted" : strerror(-err));
	return err < 0 ? err : calibrate_report(rates, json);
}

int bench_calibrate(int argc, char **argv)
{
	bool json = false;
	const struct option_set set = {
		.bench = "calibrate",
		.about = "Sends as fast as one sender can through each mode over veth, a second in all. As "
			 "root.\n",
		.json = &json,
	};
	struct scenario scenario;
	int err = option_parse(&set, argc, argv);

	if (err != 0)
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	if (scenario_open(&scenario, &stop_asked) < 0)
		return EXIT_FAILURE;
	stop_catch();
	err = scenario_add(&scenario, "1");
	if (err >= 0)
		err = calibrate_run(&scenario, json);
	scenario_close(&scenario);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
