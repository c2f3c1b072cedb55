// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/events.h"

#include "bench/failover.h"
#include "bench/inject.h"
#include "bench/live.h"
#include "bench/machine.h"
#include "bench/netns.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/stop.h"
#include "bench/watch.h"
#include "bench/workload/prefix.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_TIMES_MAX 1000
#define EVENTS_CHURN     2000 // routes that come and go

struct event {
	const char *name, *text;
	const char *mode; // of the daemon before it
	double seconds;   // of traffic around it
	live_happen *happen;
	const char *to; // mode that happens; NULL: another thing
};

// What came of one kind of event.
struct event_result {
	__u64 sent, wrong;
	__u64 late; // overtaken: AF_XDP's worker is another way than the kernel's, with a queue of its own
	double blocked[EVENTS_TIMES_MAX]; // ms
	bool skipped;
	json_t *course; // what arrived meanwhile, of the time that blocked longest
};

struct events {
	unsigned int times;
	unsigned int rate; // packets a second
	bool json;
	const struct generator_way *way;
	struct scenario scenario;
	struct live live;
	struct failover *failover; // while it is one
};

// --- what happens; arg is the event ---

static int happen_nothing(struct live *live, void *arg)
{
	return 0;
}

static int happen_kill(struct live *live, void *arg)
{
	const struct event *event = arg;

	kill(daemon_pid(live->daemon), SIGKILL);
	live_stop(live);
	return live_start(live, event->mode);
}

static int happen_restart(struct live *live, void *arg)
{
	const struct event *event = arg;

	live_stop(live);
	return live_start(live, event->mode);
}

static int happen_mode(struct live *live, void *arg)
{
	const struct event *event = arg;

	return daemon_mode(live->daemon, event->to);
}

// Routes beside those that are used come, change and go.
static int happen_churn(struct live *live, void *arg)
{
	struct inject_hop hop = { .ifindex = live->topology.subject.r1.ifindex };
	struct inject_refusals refusals;
	struct table_route route;
	struct inject *inject;
	char text[32];
	int home, err = netns_enter(live->topology.subject.r1.netns, &home);

	if (err < 0)
		return err;
	err = inject_open(&inject);
	for (unsigned int i = 0; err >= 0 && i < 3 * EVENTS_CHURN; i++) {
		unsigned int number = i % EVENTS_CHURN;

		snprintf(text, sizeof(text), "203.%u.%u.0/24", number >> 8, number & 255);
		prefix_parse(text, &route);
		lane_gateway_address(i / EVENTS_CHURN % LANE_GATEWAYS, AF_INET, hop.gateway);
		err = inject_route(inject, i / EVENTS_CHURN < 2 ? INJECT_REPLACE : INJECT_DELETE, &route,
				   &hop);
	}
	if (err >= 0)
		err = inject_flush(inject, &refusals);
	inject_close(inject);
	netns_leave(home);
	return err;
}

// The link behind all routes goes down, and another way is there.
static int happen_failover(struct live *live, void *arg)
{
	return lane_port_down(&live->topology.subject.r1);
}

static const struct event events_list[] = {
	{ "nothing", "nothing: what the sender itself loses", "native", 0.5, happen_nothing, NULL },
	{ "churn", "6,000 changes of other routes", "native", 0.8, happen_churn, NULL },
	{ "kill", "kill -9, and another daemon", "native", 3, happen_kill, NULL },
	{ "restart", "the daemon ends, and another starts", "native", 3, happen_restart, NULL },
	{ "failover", "a link goes down, another takes over", "native", 0.8, happen_failover, NULL },
	{ "native-generic", "mode native to generic", "native", 0.8, happen_mode, "generic" },
	{ "generic-native", "mode generic to native", "generic", 0.8, happen_mode, "native" },
	{ "native-afxdp", "mode native to AF_XDP", "native", 0.8, happen_mode, "afxdp" },
	{ "afxdp-native", "mode AF_XDP to native", "afxdp", 0.8, happen_mode, "native" },
	{ "native-kernel", "mode native to the kernel", "native", 0.8, happen_mode, "kernel" },
	{ "kernel-native", "mode kernel to native", "kernel", 0.8, happen_mode, "native" },
};

#define EVENTS (sizeof(events_list) / sizeof(events_list[0]))

// --- measuring ---

// One more port for the daemon, and a route out of it; or what the time before took away.
static int events_prepare_failover(struct events *events)
{
	struct live *live = &events->live;
	struct daemon_plan plan = { .mode = "native" };
	int err;

	if (events->failover)
		return failover_restore(events->failover);
	live_stop(live);
	err = failover_open(&live->topology.subject, &events->scenario, &events->failover);
	if (err < 0)
		return err;
	plan.ports[2] = failover_port(events->failover);
	return daemon_start_with(&live->topology.subject, live->topology.guard.file, &plan, live->stop,
				 &live->daemon);
}

static int events_end_failover(struct events *events)
{
	int err = 0;

	if (!events->failover)
		return 0;
	live_stop(&events->live);
	err = failover_restore(events->failover);
	failover_close(events->failover);
	events->failover = NULL;
	return err;
}

// A daemon that AF_XDP is asked of at its start keeps the rights for it.
static int events_prepare(struct events *events, const struct event *event)
{
	int err = 0;

	if (event->happen == happen_failover)
		err = events_prepare_failover(events);
	if ((event->to && strcmp(event->to, "afxdp") == 0) || strcmp(event->mode, "afxdp") == 0)
		live_stop(&events->live);
	if (err >= 0 && !events->live.daemon)
		err = live_start(&events->live, "afxdp");
	return err < 0 ? err : daemon_mode(events->live.daemon, event->mode);
}

static int events_once(struct events *events, const struct event *event, struct trial *trial)
{
	return live_during(&events->live, events->rate, event->seconds, event->happen, (void *)event, trial);
}

static int events_measure(struct events *events, const struct event *event, struct event_result *result)
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;
	double worst = -1;

	fprintf(stderr, "%s\n", event->text);
	events->live.trial.wrong = events->live.trial.late = 0;
	for (unsigned int i = 0; err >= 0 && i < events->times; i++) {
		struct watch *watch;
		json_t *course;

		err = events_prepare(events, event);
		watch = watch_start(events->live.generate);
		if (err >= 0)
			err = events_once(events, event, trial);
		course = watch_stop(watch);
		if (err < 0) {
			json_decref(course);
			break;
		}
		result->sent += trial->offered.sent;
		result->blocked[i] =
			(double)(trial->offered.sent - trial_arrived(trial)) / events->rate * 1e3;
		if (result->blocked[i] > worst) {
			worst = result->blocked[i];
			json_decref(result->course);
			result->course = json_incref(course);
		}
		json_decref(course);
	}
	result->late = events->live.trial.late;
	result->wrong = events->live.trial.wrong - result->late;
	free(trial);
	if (err == -EOPNOTSUPP) {
		fprintf(stderr, "%s: not with these routes, which lead to more than one gateway\n",
			event->text);
		result->skipped = true;
		return 0;
	}
	if (err >= 0)
		err = events_end_failover(events);
	if (err < 0 && !stop_asked)
		warnx("bench events: %s: %s", event->text, strerror(-err));
	return err;
}

// --- results ---

static double events_sum(const struct events *events, const struct event_result *result)
{
	double sum = 0;

	for (unsigned int i = 0; i < events->times; i++)
		sum += result->blocked[i];
	return sum;
}

static double events_most(const struct events *events, const struct event_result *result)
{
	double most = 0;

	for (unsigned int i = 0; i < events->times; i++)
		most = result->blocked[i] > most ? result->blocked[i] : most;
	return most;
}

static void events_table(const struct events *events, const struct event_result *results)
{
	struct machine machine;

	printf("%-40s %8s %10s %8s  %-23s %6s %6s\n", "", "times", "packets", "lost",
	       "blocked, ms: mean, most", "late", "wrong");
	for (unsigned int i = 0; i < EVENTS; i++) {
		if (results[i].skipped)
			continue;
		printf("%-40s %8u %10llu %8.0f  %10.3f %12.3f %6llu %6llu\n", events_list[i].text,
		       events->times, results[i].sent, events_sum(events, &results[i]) * events->rate / 1e3,
		       events_sum(events, &results[i]) / events->times, events_most(events, &results[i]),
		       results[i].late, results[i].wrong);
	}
	machine_read(&machine);
	printf("%u packets a second; blocked: what was lost, divided by that; late: "
	       "overtaken by a later one. %s, %u CPUs, %s.\n",
	       events->rate, machine.cpu, machine.cpus, machine.kernel);
}

static int events_json(const struct events *events, const struct event_result *results)
{
	json_t *record = record_new("events"), *courses = json_array();
	char name[RECORD_NAME];

	json_object_set_new(record, "rate", json_real(events->rate));
	json_object_set_new(record, "before", json_real(LIVE_BEFORE));
	json_object_set_new(record, "courses", courses);
	for (unsigned int i = 0; i < EVENTS; i++) {
		if (results[i].skipped)
			continue;
		double lost = events_sum(events, &results[i]) * events->rate / 1e3;

		snprintf(name, sizeof(name), "events %s blocked", events_list[i].name);
		record_add(record, &(struct record_figure){ name, "ms", RECORD_LESS, false,
							    results[i].blocked, events->times });
		snprintf(name, sizeof(name), "events %s lost", events_list[i].name);
		record_add(record,
			   &(struct record_figure){ name, "packets", RECORD_LESS,
						    events_list[i].happen != happen_failover, &lost, 1 });
		json_array_append_new(courses,
				      json_pack("{s:s, s:s, s:O?}", "event", events_list[i].name, "text",
						events_list[i].text, "arrived", results[i].course));
	}
	return record_print(stdout, record);
}

static int events_report(const struct events *events, const struct event_result *results)
{
	__u64 wrong = 0;
	int err = 0;

	if (events->json)
		err = events_json(events, results);
	else
		events_table(events, results);
	for (unsigned int i = 0; i < EVENTS; i++)
		if (results[i].wrong) {
			warnx("bench events: %s: %llu packets arrived wrong or twice", events_list[i].text,
			      results[i].wrong);
			wrong += results[i].wrong;
		}
	err = record_end("events", err);
	return err < 0 ? err : wrong ? -EBADMSG : 0;
}

// --- set-up ---

static int events_all(struct events *events)
{
	struct event_result *results = calloc(EVENTS, sizeof(*results));
	int err = results ? 0 : -ENOMEM;

	for (unsigned int i = 0; err >= 0 && i < EVENTS; i++)
		err = events_measure(events, &events_list[i], &results[i]);
	live_stop(&events->live);
	if (stop_asked)
		warnx("bench events: interrupted");
	if (err >= 0)
		err = events_report(events, results);
	for (unsigned int i = 0; i < EVENTS; i++)
		json_decref(results[i].course);
	free(results);
	return err;
}

static int events_run(struct events *events)
{
	int err = live_open(&events->live, &events->scenario, events->way, &stop_asked);

	if (err < 0)
		return err;
	err = events_all(events);
	live_close(&events->live);
	return err;
}

static int events_take_generator(void *into, const char *bench, const char *value)
{
	struct events *events = into;

	return generator_choose(value, GENERATOR_NUMBERS, &events->way);
}

static int events_parse(struct events *events, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "times", "N", "how often each happens", "5", .number = &events->times, .least = 1,
		  .most = EVENTS_TIMES_MAX },
		{ "rate", "N", "packets a second", "20000", .number = &events->rate, .least = 1,
		  .most = 1000000 },
		{ "routes", "WHAT", "1, full, a number, or a file, as of bench forward", "1",
		  .scenario = &events->scenario },
		{ "generator", "G", "what sends: one that numbers packets, as of bench modes", "afxdp",
		  .take = events_take_generator, .into = events },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "events",
		.about = "Sends packets at a fixed rate while things happen to the\n"
			 "router, and counts what is lost. As root.\n",
		.json = &events->json,
		.lines = lines,
	};

	return option_parse(&set, argc, argv);
}

int bench_events(int argc, char **argv)
{
	struct events *events = calloc(1, sizeof(*events));
	int code = EXIT_FAILURE, err;

	if (!events || scenario_open(&events->scenario, &stop_asked) < 0) {
		free(events);
		return EXIT_FAILURE;
	}
	err = events_parse(events, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	} else {
		stop_catch();
		code = events_run(events) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	scenario_close(&events->scenario);
	free(events);
	return code;
}
