// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/live.h"

#include "bench/netns.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <time.h>

// Seconds of traffic before and after what happens, where it lasts until then.
#define LIVE_AROUND  0.05
#define LIVE_LONGEST 60.0
#define LIVE_LATE    0.002 // a veth holds 256 packets

static void live_sleep(double seconds)
{
	const struct timespec time = { .tv_sec = seconds, .tv_nsec = (seconds - (long)seconds) * 1e9 };

	nanosleep(&time, NULL);
}

static int live_furnish(struct live *live, struct scenario *scenario, const struct generator_way *way,
			struct why *why)
{
	struct scenario_bed bed;
	size_t routes;
	int err = generate_open(&live->topology, &live->generate);

	if (err >= 0)
		err = subject_open(&live->topology, live->stop, &live->subjects);
	bed = (struct scenario_bed){ &live->topology, live->generate, live->subjects, false };
	if (err >= 0)
		err = scenario_load(scenario, &bed, AF_INET, &routes);
	if (err >= 0)
		err = generate_sink(live->generate, GENERATE_SINK_METERS);
	live->generator_bed = (struct generator_bed){ .lane = &live->topology.subject,
						      .generate = live->generate,
						      .largest = TRAFFIC_FRAME6 };
	if (err >= 0)
		err = generator_open(way, &live->generator_bed, &live->trial.generator, why);
	return err;
}

int live_open(struct live *live, struct scenario *scenario, const struct generator_way *way,
	      const volatile sig_atomic_t *stop)
{
	struct why why = { 0 };
	int err;

	memset(live, 0, sizeof(*live));
	live->stop = stop;
	err = topology_open_for("bench", NULL, &live->topology);
	if (err < 0)
		return err;
	err = live_furnish(live, scenario, way, &why);
	if (err < 0) {
		if (!*stop)
			warnx("bench: cannot set up the sender or the router: %s",
			      why.text[0] ? why.text : strerror(-err));
		live_close(live);
		return err;
	}
	live->trial.generate = live->generate;
	live->trial.stop = stop;
	live->trial.load = (struct load){ .family = AF_INET, .sizes = { 60 }, .weights = { 1 } };
	generate_expect_gateways(live->generate, true);
	return 0;
}

int live_start(struct live *live, const char *mode)
{
	return daemon_start(&live->topology.subject, live->topology.guard.file, mode, live->stop,
			    &live->daemon);
}

void live_stop(struct live *live)
{
	daemon_stop(live->daemon);
	live->daemon = NULL;
}

int live_during(struct live *live, double rate, double seconds, live_happen *happen, void *arg,
		struct trial *ret_trial)
{
	int err = trial_start(&live->trial, rate, seconds), happened, waited;

	if (err < 0)
		return err;
	live_sleep(LIVE_BEFORE);
	happened = happen(live, arg);
	waited = generator_wait(live->trial.generator, live->stop);
	err = trial_end(&live->trial, ret_trial);
	return happened < 0 ? happened : err < 0 ? err : waited;
}

int live_throughout(struct live *live, double rate, live_happen *happen, void *arg, struct trial *ret_trial)
{
	int err, happened;

	live->trial.patient = true;
	live->trial.load.late = LIVE_LATE;
	err = trial_start(&live->trial, rate, LIVE_LONGEST);
	if (err < 0)
		return err;
	live_sleep(LIVE_AROUND);
	happened = happen(live, arg);
	live_sleep(LIVE_AROUND);
	err = trial_end(&live->trial, ret_trial);
	if (*live->stop)
		return -EINTR;
	return happened < 0 ? happened : err;
}

// What a line of /proc/net/dev says was dropped, receiving and sending.
static __u64 live_dropped(const char *line)
{
	unsigned long long received, sent;

	if (sscanf(line, " %*[^:]: %*u %*u %*u %llu %*u %*u %*u %*u %*u %*u %*u %llu", &received, &sent) != 2)
		return 0;
	return received + sent;
}

static int live_add_dropped(int netns, __u64 *sum)
{
	char line[256];
	FILE *devices;
	int home, err = netns_enter(netns, &home);

	if (err < 0)
		return err;
	devices = fopen("/proc/thread-self/net/dev", "re");
	if (!devices)
		err = -errno;
	while (devices && fgets(line, sizeof(line), devices))
		*sum += live_dropped(line);
	if (devices)
		fclose(devices);
	netns_leave(home);
	return err;
}

int live_overflows(const struct live *live, __u64 *ret_packets)
{
	__u64 sum = 0;
	int err = live_add_dropped(live->topology.netns[TOPOLOGY_SOURCE], &sum);

	if (err >= 0)
		err = live_add_dropped(live->topology.netns[TOPOLOGY_ROUTER], &sum);
	if (err >= 0)
		*ret_packets = sum;
	return err;
}

void live_close(struct live *live)
{
	live_stop(live);
	generator_close(live->trial.generator);
	subject_close(live->subjects);
	generate_close(live->generate);
	topology_close(&live->topology);
}
