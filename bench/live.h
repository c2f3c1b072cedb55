// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/daemon.h"
#include "bench/scenario.h"
#include "bench/trial.h"

// A router with penstock as a daemon, to which things happen while packets flow through it at a fixed rate.

struct live {
	const volatile sig_atomic_t *stop; // set by a signal
	struct topology topology;
	struct generate *generate;
	struct generator_bed generator_bed;
	struct subject_bed *subjects;
	struct trial_bed trial;
	struct daemon *daemon; // NULL: not running
};

// What is to happen, once packets flow. Negative: it failed.
typedef int live_happen(struct live *live, void *arg);

// Makes the test bed with the IPv4 routes of the scenario; no daemon yet. Before any thread is started. Tells
// errors on stderr, and leaves nothing then.
int live_open(struct live *live, struct scenario *scenario, const struct generator_way *way,
	      const volatile sig_atomic_t *stop);

// Starts the daemon with its ports in a mode.
int live_start(struct live *live, const char *mode);

// Ends the daemon, if there is one.
void live_stop(struct live *live);

// Seconds of traffic before something happens.
#define LIVE_BEFORE 0.2

// One trial, in the middle of which it happens. The daemon may come and go in there. -EINTR once *stop is
// set.
int live_during(struct live *live, double rate, double seconds, live_happen *happen, void *arg,
		struct trial *ret_trial);

// The same with packets until it has happened and a little longer, however long it takes. They come at an
// even pace: the sender sleeps in between, and does not make up for what it slept too long.
int live_throughout(struct live *live, double rate, live_happen *happen, void *arg, struct trial *ret_trial);

// How many packets the veths so far had no room for: whoever was to take them had no CPU.
int live_overflows(const struct live *live, __u64 *ret_packets);

// Removes everything.
void live_close(struct live *live);
