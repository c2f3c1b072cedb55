// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/events.h"

#include "bench/daemon.h"
#include "bench/inject.h"
#include "bench/machine.h"
#include "bench/netns.h"
#include "bench/record.h"
#include "bench/scenario.h"
#include "bench/statistics.h"
#include "bench/trial.h"
#include "bench/watch.h"
#include "bench/workload/prefix.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_USAGE     2
#define EVENTS_TIMES     5
#define EVENTS_TIMES_MAX 1000
#define EVENTS_RATE      20000 // packets a second
#define EVENTS_RATE_MAX  1000000
// Seconds of traffic before an event and at least after it.
#define EVENTS_BEFORE    0.2
#define EVENTS_CHURN     2000 // routes that come and go

struct events;

struct event {
	const char *name, *text;
	const char *mode; // of the daemon before it
	double seconds;   // of traffic around it
	int (*happen)(struct events *events);
};

// What came of one kind of event.
struct event_result {
	__u64 sent, wrong;
	double blocked[EVENTS_TIMES_MAX]; // ms
	json_t *course;                   // what arrived meanwhile, of the time that blocked longest
};

struct events {
	unsigned int times;
	double rate;
	bool json;
	struct topology topology;
	struct generate *generate;
	const struct generator_way *way;
	struct generator_bed generator_bed;
	struct subject_bed *subjects;
	struct scenario scenario;
	struct trial_bed trial;
	struct daemon *daemon;
	const struct event *event; // that happens
};

static volatile sig_atomic_t events_stop;

static void events_signalled(int number)
{
	events_stop = 1;
}

static int events_start(struct events *events, const char *mode)
{
	return daemon_start(&events->topology.subject, events->topology.guard.file, mode, &events_stop,
			    &events->daemon);
}

// --- what happens ---

static int happen_nothing(struct events *events)
{
	return 0;
}

static int happen_kill(struct events *events)
{
	kill(daemon_pid(events->daemon), SIGKILL);
	daemon_stop(events->daemon);
	events->daemon = NULL;
	return events_start(events, events->event->mode);
}

static int happen_restart(struct events *events)
{
	daemon_stop(events->daemon);
	events->daemon = NULL;
	return events_start(events, events->event->mode);
}

static int happen_to_generic(struct events *events)
{
	return daemon_mode(events->daemon, "generic");
}

static int happen_to_afxdp(struct events *events)
{
	return daemon_mode(events->daemon, "afxdp");
}

static int happen_to_kernel(struct events *events)
{
	return daemon_mode(events->daemon, "kernel");
}

static int happen_to_native(struct events *events)
{
	return daemon_mode(events->daemon, "native");
}

// Routes beside those that are used come, change and go.
static int happen_churn(struct events *events)
{
	struct inject_hop hop = { .ifindex = events->topology.subject.r1.ifindex };
	struct inject_refusals refusals;
	struct table_route route;
	struct inject *inject;
	char text[32];
	int home, err = netns_enter(events->topology.subject.r1.netns, &home);

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

static const struct event events_list[] = {
	{ "nothing", "nothing: what the sender itself loses", "native", 0.5, happen_nothing },
	{ "churn", "6,000 changes of other routes", "native", 0.8, happen_churn },
	{ "kill", "kill -9, and another daemon", "native", 3, happen_kill },
	{ "restart", "the daemon ends, and another starts", "native", 3, happen_restart },
	{ "native-generic", "mode native to generic", "native", 0.8, happen_to_generic },
	{ "generic-native", "mode generic to native", "generic", 0.8, happen_to_native },
	{ "native-afxdp", "mode native to AF_XDP", "native", 0.8, happen_to_afxdp },
	{ "afxdp-native", "mode AF_XDP to native", "afxdp", 0.8, happen_to_native },
	{ "native-kernel", "mode native to the kernel", "native", 0.8, happen_to_kernel },
	{ "kernel-native", "mode kernel to native", "kernel", 0.8, happen_to_native },
};

#define EVENTS (sizeof(events_list) / sizeof(events_list[0]))

// --- measuring ---

// A trial in a thread of its own; the daemon is a child of the main thread, and ends with the thread that
// starts it.
struct events_traffic {
	struct events *events;
	struct trial *trial;
	int error;
};

static void *events_send(void *argument)
{
	struct events_traffic *traffic = argument;
	struct events *events = traffic->events;

	traffic->error = trial_run(&events->trial, events->rate, events->event->seconds, traffic->trial);
	return NULL;
}

// A daemon that AF_XDP is asked of at its start keeps the rights for it.
static int events_prepare(struct events *events, const struct event *event)
{
	int err = 0;

	if (event->happen == happen_to_afxdp || strcmp(event->mode, "afxdp") == 0) {
		daemon_stop(events->daemon);
		events->daemon = NULL;
	}
	if (!events->daemon)
		err = events_start(events, "afxdp");
	return err < 0 ? err : daemon_mode(events->daemon, event->mode);
}

static int events_once(struct events *events, const struct event *event, struct trial *trial)
{
	const struct timespec before = { .tv_nsec = EVENTS_BEFORE * 1e9 };
	struct events_traffic traffic = { .events = events, .trial = trial };
	pthread_t thread;
	int err;

	events->event = event;
	err = -pthread_create(&thread, NULL, events_send, &traffic);
	if (err < 0)
		return err;
	nanosleep(&before, NULL);
	err = event->happen(events);
	pthread_join(thread, NULL);
	return err < 0 ? err : traffic.error;
}

static int events_measure(struct events *events, const struct event *event, struct event_result *result)
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;
	double worst = -1;

	fprintf(stderr, "%s\n", event->text);
	events->trial.wrong = 0;
	for (unsigned int i = 0; err >= 0 && i < events->times; i++) {
		struct watch *watch;
		json_t *course;

		err = events_prepare(events, event);
		watch = watch_start(events->generate);
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
	result->wrong = events->trial.wrong;
	free(trial);
	if (err < 0 && !events_stop)
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

	printf("%-40s %8s %10s %8s  %-21s %6s\n", "", "times", "packets", "lost", "blocked, ms: mean, most",
	       "wrong");
	for (unsigned int i = 0; i < EVENTS; i++)
		printf("%-40s %8u %10llu %8.0f  %10.3f %10.3f   %6llu\n", events_list[i].text, events->times,
		       results[i].sent, events_sum(events, &results[i]) * events->rate / 1e3,
		       events_sum(events, &results[i]) / events->times, events_most(events, &results[i]),
		       results[i].wrong);
	machine_read(&machine);
	printf("%.0f packets a second; blocked: what was lost, divided by that. %s, %u CPUs, %s.\n",
	       events->rate, machine.cpu, machine.cpus, machine.kernel);
}

static int events_json(const struct events *events, const struct event_result *results)
{
	json_t *record = record_new("events"), *courses = json_array();
	char name[RECORD_NAME];

	json_object_set_new(record, "rate", json_real(events->rate));
	json_object_set_new(record, "before", json_real(EVENTS_BEFORE));
	json_object_set_new(record, "courses", courses);
	for (unsigned int i = 0; i < EVENTS; i++) {
		double lost = events_sum(events, &results[i]) * events->rate / 1e3;

		snprintf(name, sizeof(name), "events %s blocked", events_list[i].name);
		record_add(record, &(struct record_figure){ name, "ms", RECORD_LESS, false,
							    results[i].blocked, events->times });
		snprintf(name, sizeof(name), "events %s lost", events_list[i].name);
		record_add(record, &(struct record_figure){ name, "packets", RECORD_LESS, true, &lost, 1 });
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
		wrong += results[i].wrong;
	if (err < 0 || fflush(stdout) == EOF) {
		warnx("bench events: cannot write the results");
		return -EIO;
	}
	return wrong ? -EBADMSG : 0;
}

// --- set-up ---

static int events_set_up(struct events *events)
{
	struct scenario_bed bed;
	struct why why = { 0 };
	size_t routes;
	int err = generate_open(&events->topology, &events->generate);

	events->generator_bed = (struct generator_bed){ .lane = &events->topology.subject,
							.generate = events->generate,
							.largest = TRAFFIC_FRAME6 };
	if (err >= 0)
		err = subject_open(&events->topology, &events_stop, &events->subjects);
	bed = (struct scenario_bed){ &events->topology, events->generate, events->subjects, false };
	if (err >= 0)
		err = scenario_load(&events->scenario, &bed, AF_INET, &routes);
	if (err >= 0)
		err = generate_sink(events->generate, GENERATE_SINK_METERS);
	if (err >= 0)
		err = generator_open(events->way, &events->generator_bed, &events->trial.generator, &why);
	events->trial.generate = events->generate;
	events->trial.stop = &events_stop;
	events->trial.load = (struct load){ .family = AF_INET, .sizes = { 60 }, .weights = { 1 } };
	generate_expect_gateways(events->generate, true);
	if (err < 0 && !events_stop)
		warnx("bench events: cannot set up the sender or the router: %s",
		      why.text[0] ? why.text : strerror(-err));
	return err;
}

static int events_run(struct events *events)
{
	struct event_result *results = calloc(EVENTS, sizeof(*results));
	int err = topology_open(&events->topology);

	if (err < 0 || !results) {
		warnx("bench events: cannot make network namespaces: %s%s", strerror(-err),
		      err == -EPERM ? "; run as root" : "");
		free(results);
		return err < 0 ? err : -ENOMEM;
	}
	err = events_set_up(events);
	for (unsigned int i = 0; err >= 0 && i < EVENTS; i++)
		err = events_measure(events, &events_list[i], &results[i]);
	daemon_stop(events->daemon);
	generator_close(events->trial.generator);
	subject_close(events->subjects);
	generate_close(events->generate);
	topology_close(&events->topology);
	if (events_stop)
		warnx("bench events: interrupted");
	if (err >= 0)
		err = events_report(events, results);
	for (unsigned int i = 0; i < EVENTS; i++)
		json_decref(results[i].course);
	free(results);
	return err;
}

static int events_help(int status)
{
	fprintf(status ? stderr : stdout,
		"Usage: penstock bench events [OPTION]...\n"
		"Sends packets at a fixed rate while things happen to the router, and counts what is lost. "
		"As root.\n\n"
		"  --times N      how often each happens, 1 to %d (%d)\n"
		"  --rate N       packets a second, up to %d (%d)\n"
		"  --routes WHAT  1, full, a number, or a file, as of bench forward (1)\n"
		"  --generator G  what sends: afxdp or live, as of bench modes (afxdp)\n"
		"  --json         results as JSON\n",
		EVENTS_TIMES_MAX, EVENTS_TIMES, EVENTS_RATE_MAX, EVENTS_RATE);
	return status;
}

// A whole number from 1 to most, 0: it is none.
static unsigned int events_number(const char *text, unsigned int most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return *end || number > most ? 0 : number;
}

// Returns 1 when help was asked for and given.
static int events_parse(struct events *events, int argc, char **argv)
{
	static const struct option options[] = { { "times", required_argument, NULL, 't' },
						 { "rate", required_argument, NULL, 'r' },
						 { "routes", required_argument, NULL, 'o' },
						 { "json", no_argument, NULL, 'j' },
						 { "generator", required_argument, NULL, 'g' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h')
			return events_help(EXIT_SUCCESS) + 1;
		else if (option == 't')
			events->times = events_number(optarg, EVENTS_TIMES_MAX);
		else if (option == 'r')
			events->rate = events_number(optarg, EVENTS_RATE_MAX);
		else if (option == 'o')
			err = scenario_add(&events->scenario, optarg);
		else if (option == 'g')
			err = generator_choose(optarg, GENERATOR_NUMBERS, &events->way);
		else if (option == 'j')
			events->json = true;
		else
			return -EINVAL;
	}
	if (err >= 0 && (!events->times || events->rate == 0 || optind < argc)) {
		events_help(EVENTS_USAGE);
		err = -EINVAL;
	}
	return err;
}

int bench_events(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = events_signalled };
	struct events *events = calloc(1, sizeof(*events));
	int code = EXIT_FAILURE, err;

	if (!events || scenario_open(&events->scenario, &events_stop) < 0)
		return EXIT_FAILURE;
	events->times = EVENTS_TIMES;
	events->way = &generator_afxdp;
	events->rate = EVENTS_RATE;
	err = events_parse(events, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : EVENTS_USAGE;
	} else if (events->scenario.routes->count || scenario_add(&events->scenario, "1") >= 0) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGHUP, &action, NULL);
		code = events_run(events) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	scenario_close(&events->scenario);
	free(events);
	return code;
}
