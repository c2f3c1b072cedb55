// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/trial.h"

#include "bench/measure.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIAL_POLL_NS 2000000
#define TRIAL_POLLS   250 // half a second for packets that are still under way
#define TRIAL_CYCLE   16
#define TRIAL_QUIET   20 // polls without a new packet: all have arrived
// The same where each packet counts: whoever has them may not have had a CPU for a while.
#define TRIAL_PATIENT 1000

static void trial_drain(const struct trial_bed *bed, __u64 sent)
{
	const struct timespec pause = { .tv_nsec = TRIAL_POLL_NS };
	struct generate_counts counts;
	unsigned int polls = bed->patient ? TRIAL_PATIENT : bed->threads ? 2 * TRIAL_POLLS : TRIAL_POLLS;
	unsigned int enough = bed->patient ? TRIAL_PATIENT : bed->threads ? 5 * TRIAL_QUIET : TRIAL_QUIET;
	unsigned int quiet = 0;
	__u64 before = 0;

	for (unsigned int i = 0; i < polls && quiet < enough; i++) {
		generate_tally(bed->generate, &counts);
		if (counts.arrived >= sent)
			return;
		quiet = counts.arrived == before ? quiet + 1 : 0;
		before = counts.arrived;
		nanosleep(&pause, NULL);
	}
}

__u64 trial_arrived(const struct trial *trial)
{
	const struct generate_metered *metered = &trial->metered;
	__u64 none = metered->duplicate + metered->corrupt;

	return metered->counts.arrived > none ? metered->counts.arrived - none : 0;
}

// How many must arrive at least when none is lost: which packets those are repeats every TRIAL_CYCLE.
static __u64 trial_wanted(const struct trial_bed *bed, __u64 sent)
{
	if (bed->pass)
		return sent / bed->pass * bed->pass_arrives;
	if (bed->share == 0 || bed->share == 1)
		return sent;
	return sent > TRIAL_CYCLE ? (sent - TRIAL_CYCLE) * bed->share : 0;
}

// Packets of a capture have no numbers: there are no more of them than were sent.
static __u64 trial_surplus(const struct trial_bed *bed, const struct trial *trial)
{
	__u64 arrived = trial_arrived(trial), most;

	if (!bed->pass)
		return 0;
	most = (trial->offered.sent + bed->pass - 1) / bed->pass * bed->pass_arrives;
	return arrived > most ? arrived - most : 0;
}

int trial_start(struct trial_bed *bed, double rate, double seconds)
{
	struct why why = { 0 };
	int err;

	bed->load.rate = rate;
	bed->load.seconds = seconds;
	generate_meter_reset(bed->generate);
	err = generator_start(bed->generator, &bed->load, &why);
	if (err < 0 && why.text[0])
		warnx("bench: %s", why.text);
	return err;
}

int trial_end(struct trial_bed *bed, struct trial *ret_trial)
{
	const struct generate_metered *metered = &ret_trial->metered;
	int err;

	memset(&ret_trial->offered, 0, sizeof(ret_trial->offered));
	err = generator_stop(bed->generator, &ret_trial->offered);
	if (err < 0)
		warnx("bench: the generator failed: %s", strerror(-err));
	trial_drain(bed, ret_trial->offered.sent);
	generate_meter_read(bed->generate, &ret_trial->metered);
	bed->wrong += measure_wrong(&metered->counts) + metered->duplicate + metered->late +
		      metered->corrupt + trial_surplus(bed, ret_trial);
	bed->late += metered->late;
	for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		bed->kinds[kind] += metered->counts.wrong[kind];
	return err;
}

int trial_run(struct trial_bed *bed, double rate, double seconds, struct trial *ret_trial)
{
	int err = trial_start(bed, rate, seconds), waited;

	if (err < 0)
		return err;
	waited = generator_wait(bed->generator, bed->stop);
	err = trial_end(bed, ret_trial);
	return err < 0 ? err : waited;
}

int trial_search(void *arg, double rate, double seconds, struct search_trial *ret_trial)
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? trial_run(arg, rate, seconds, trial) : -ENOMEM;

	if (err >= 0) {
		__u64 wanted = trial_wanted(arg, trial->offered.sent), arrived = trial_arrived(trial);

		ret_trial->offered =
			trial->offered.seconds > 0 ? trial->offered.sent / trial->offered.seconds : 0;
		ret_trial->loss = wanted > arrived ? 1 - (double)arrived / wanted : 0;
	}
	free(trial);
	return err;
}
