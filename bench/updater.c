// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/updater.h"

#include "bench/inject.h"
#include "bench/netns.h"
#include "bench/workload/updates.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define UPDATER_SLOT_NS 5000000 // changes are made in lumps of so long
#define UPDATER_COUNT   20000   // of a sequence that ends with the routes as they were
#define UPDATER_NEXTHOP 500     // ids of next hops, as of the generated tables

struct updater {
	const struct lane_port *egress;
	struct table *table; // of all families
	double rate;
	pthread_t thread;
	atomic_bool stop;
	struct updates *updates;
	struct inject *inject;
	__u64 seed;
	long made;
	int error;
};

static int updater_make(struct updater *updater, const struct update *update)
{
	struct inject_hop hop = { .ifindex = updater->egress->ifindex };

	lane_gateway_address(lane_gateway(update->route.nexthop), update->route.family, hop.gateway);
	updater->made++;
	return inject_route(updater->inject, update->withdraw ? INJECT_DELETE : INJECT_REPLACE,
			    &update->route, &hop);
}

// The next `count` changes; returns 0 where the sequence ends.
static int updater_lump(struct updater *updater, unsigned int count)
{
	struct inject_refusals refusals;
	struct update update;
	int more = 1, err = 0;

	for (unsigned int i = 0; err >= 0 && i < count; i++) {
		more = updates_next(updater->updates, &update);
		if (more <= 0)
			break;
		err = updater_make(updater, &update);
	}
	if (err >= 0)
		err = inject_flush(updater->inject, &refusals);
	if (err >= 0 && refusals.count)
		err = refusals.error;
	return err < 0 ? err : more;
}

static int updater_begin(struct updater *updater)
{
	const struct updates_options options = { .seed = updater->seed++, .count = UPDATER_COUNT };

	updates_free(updater->updates);
	updater->updates = NULL;
	return updates_mixture(updater->table, &options, UPDATER_NEXTHOP, &updater->updates);
}

static int updater_work(struct updater *updater)
{
	struct timespec next;
	double due = 0;
	int more = 1;
	long made;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (more >= 0 && !updater->stop) {
		unsigned int lump = due += updater->rate * UPDATER_SLOT_NS / 1e9;

		due -= lump;
		more = updater_lump(updater, lump);
		if (more == 0)
			more = updater_begin(updater) < 0 ? -ENOMEM : 1;
		// by the clock: what the changes take is no pause of its own
		next.tv_nsec += UPDATER_SLOT_NS;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	made = updater->made;
	while (more > 0) // as they were
		more = updater_lump(updater, UPDATER_COUNT);
	updater->made = made;
	return more;
}

static void *updater_run(void *argument)
{
	struct updater *updater = argument;
	int home, err = netns_enter(updater->egress->netns, &home);

	if (err >= 0) {
		err = inject_open(&updater->inject);
		if (err >= 0)
			err = updater_work(updater);
		inject_close(updater->inject);
		netns_leave(home);
	}
	updater->error = err;
	return NULL;
}

static void updater_free(struct updater *updater)
{
	updates_free(updater->updates);
	table_free(updater->table);
	free(updater);
}

// Those that no packet goes by, of all families that are loaded.
static int updater_gather(struct updater *updater, const struct scenario *scenario)
{
	int err = 0;

	updater->table = table_new();
	if (!updater->table)
		return -ENOMEM;
	for (unsigned int i = 0; i < scenario->loaded_count; i++) {
		const struct table *quiet = scenario->quiet[i];

		for (size_t k = 0; err >= 0 && k < quiet->count; k++)
			err = table_append(updater->table, &quiet->routes[k]);
	}
	if (err >= 0)
		err = table_sort(updater->table);
	return err < 0 ? err : updater->table->count ? 0 : -ENOENT;
}

int updater_start(const struct scenario *scenario, const struct lane_port *egress, double rate,
		  struct updater **ret_updater)
{
	struct updater *updater = calloc(1, sizeof(*updater));
	int err;

	if (!updater)
		return -ENOMEM;
	updater->egress = egress;
	updater->rate = rate;
	updater->seed = 1;
	err = updater_gather(updater, scenario);
	if (err >= 0)
		err = updater_begin(updater);
	if (err >= 0)
		err = -pthread_create(&updater->thread, NULL, updater_run, updater);
	if (err < 0) {
		updater_free(updater);
		return err;
	}
	*ret_updater = updater;
	return 0;
}

long updater_stop(struct updater *updater)
{
	long made;

	if (!updater)
		return 0;
	updater->stop = true;
	pthread_join(updater->thread, NULL);
	made = updater->error < 0 ? updater->error : updater->made;
	updater_free(updater);
	return made;
}
