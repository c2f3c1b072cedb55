// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/modes.h"

#include "bench/machine.h"
#include "bench/record.h"
#include "bench/scenario.h"
#include "bench/search.h"
#include "bench/subject.h"
#include "bench/topology.h"
#include "bench/trial.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODES_USAGE     2
#define MODES_MAX       16
#define MODES_LIST      "kernel,penstock-generic,penstock"
// The sender against a program that drops: what it can do at all. No result above this part of that is one.
#define MODES_SELF_TEST "drop"
#define MODES_HEADROOM  0.8
#define MODES_LEAST     9000 // packets a second, as CSIT has it
#define MODES_MOST      4e6
#define MODES_LOADS     4

// Parts of the PDR at which latency is measured; 0 stands for MODES_LEAST packets a second.
static const double modes_loads[MODES_LOADS] = { 0, 0.1, 0.5, 0.9 };
static const double modes_parts[] = { 0.5, 0.99, 0.999, 1 };
static const char *const modes_part_names[] = { "p50", "p99", "p99.9", "max" };
#define MODES_PARTS (sizeof(modes_parts) / sizeof(modes_parts[0]))

struct modes_result {
	struct search_result ndr, pdr;
	double most; // what came through of all that the sender can do, packets a second
	double latency[MODES_LOADS][MODES_PARTS]; // us
	bool bounded;                             // by the sender
};

struct modes_bench {
	const struct subject *subjects[MODES_MAX];
	unsigned int subject_count;
	struct search_goal ndr, pdr;
	__u8 family;
	bool json;
	struct scenario scenario;
	struct topology topology;
	struct generate *generate;
	const struct generator_way *way;
	struct generator_bed generator_bed;
	struct subject_bed *beds;
	struct trial_bed trial;
	size_t routes;
	double sender; // packets a second that it can send at all
	struct modes_result results[MODES_MAX];
};

static volatile sig_atomic_t modes_stop;

static void modes_signalled(int number)
{
	modes_stop = 1;
}

static void modes_step(const struct subject *subject, const char *what)
{
	fprintf(stderr, "%s: %s\n", subject->name, what);
}

// --- measuring ---

// What comes through when the sender sends as fast as it can: packets a second.
static int modes_most(struct modes_bench *bench, double seconds, double *ret_offered, double *ret_arrived)
{
	struct search_trial trial;
	int err = trial_search(&bench->trial, MODES_MOST, seconds, &trial);

	*ret_offered = trial.offered;
	*ret_arrived = trial.offered * (1 - trial.loss);
	return err;
}

static int modes_latency(struct modes_bench *bench, struct modes_result *result)
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;

	for (unsigned int load = 0; err >= 0 && load < MODES_LOADS; load++) {
		double rate = modes_loads[load] * result->pdr.low;

		err = trial_run(&bench->trial, rate > MODES_LEAST ? rate : MODES_LEAST, bench->ndr.trial,
				trial);
		for (unsigned int part = 0; part < MODES_PARTS; part++)
			result->latency[load][part] =
				histogram_percentile(trial->metered.latency, modes_parts[part]) / 1e3;
	}
	free(trial);
	return err;
}

static int modes_measure(struct modes_bench *bench, const struct subject *subject,
			 struct modes_result *result)
{
	double offered;
	int err;

	modes_step(subject, "all that the sender can do");
	err = modes_most(bench, bench->ndr.trial, &offered, &result->most); // warms up
	if (err >= 0)
		err = modes_most(bench, bench->ndr.trial, &offered, &result->most);
	if (err >= 0)
		modes_step(subject, "the highest rate with 0.5 % loss");
	if (err >= 0)
		err = search(&bench->pdr, MODES_LEAST, bench->sender, trial_search, &bench->trial,
			     &result->pdr);
	if (err >= 0)
		modes_step(subject, "the highest rate without loss");
	if (err >= 0)
		err = search(&bench->ndr, MODES_LEAST,
			     result->pdr.high > 0 ? result->pdr.high : bench->sender, trial_search,
			     &bench->trial, &result->ndr);
	if (err >= 0)
		modes_step(subject, "latency");
	result->bounded = result->pdr.low > MODES_HEADROOM * bench->sender;
	return err < 0 ? err : modes_latency(bench, result);
}

static int modes_attached(struct modes_bench *bench, const struct subject *subject,
			  struct modes_result *result)
{
	int err = subject_attach(bench->beds, subject);

	if (err < 0)
		return err;
	generate_expect_gateways(bench->generate, subject->delivery == SUBJECT_ROUTES);
	err = modes_measure(bench, subject, result);
	subject_detach(bench->beds);
	if (err < 0 && !modes_stop)
		warnx("bench modes: cannot measure %s: %s", subject->name, strerror(-err));
	return err;
}

static int modes_self_test(struct modes_bench *bench)
{
	const struct subject *drop = subject_find(MODES_SELF_TEST);
	double arrived;
	int err = subject_attach(bench->beds, drop);

	modes_step(drop, "what the sender can do at all");
	for (unsigned int i = 0; err >= 0 && i < 2; i++) // the first one warms up
		err = modes_most(bench, bench->ndr.trial, &bench->sender, &arrived);
	subject_detach(bench->beds);
	return err;
}

// --- results ---

static void modes_row(const struct modes_bench *bench, unsigned int index)
{
	const struct modes_result *result = &bench->results[index];

	printf("%-18s %8.3f %8.3f %8.3f ", bench->subjects[index]->name, result->ndr.low / 1e6,
	       result->pdr.low / 1e6, result->most / 1e6);
	for (unsigned int load = 1; load < MODES_LOADS; load++)
		printf(" %7.1f %7.1f ", result->latency[load][0], result->latency[load][1]);
	printf("%s\n", result->bounded ? " the sender" : "");
}

static void modes_table(const struct modes_bench *bench)
{
	struct machine machine;

	machine_read(&machine);
	printf("IPv%u, %zu route%s. The sender itself: %.3f Mpps; where a mode comes close to that, it is "
	       "what limits.\n\n",
	       bench->family == AF_INET6 ? 6 : 4, bench->routes, bench->routes == 1 ? "" : "s",
	       bench->sender / 1e6);
	printf("%-18s %8s %8s %8s  %-16s %-16s %-16s\n", "", "NDR", "PDR", "most", "at 10 % of PDR",
	       "at 50 %", "at 90 %");
	printf("%-18s %8s %8s %8s  %7s %7s  %7s %7s  %7s %7s  limited by\n", "mode", "Mpps", "Mpps", "Mpps",
	       "p50, us", "p99, us", "p50", "p99", "p50", "p99");
	for (unsigned int i = 0; i < bench->subject_count; i++)
		modes_row(bench, i);
	printf("\n%s, %u CPUs, %s, over veth: compare the rows, not with a NIC.\n", machine.cpu, machine.cpus,
	       machine.kernel);
}

static void modes_add(json_t *record, const char *front, const char *what, const char *unit,
		      enum record_better better, double value)
{
	char name[RECORD_NAME];

	snprintf(name, sizeof(name), "%s %s", front, what);
	record_add(record, &(struct record_figure){ name, unit, better, false, &value, 1 });
}

static void modes_figures(const struct modes_bench *bench, unsigned int index, json_t *record)
{
	const struct modes_result *result = &bench->results[index];
	char front[RECORD_NAME / 2], what[32];

	snprintf(front, sizeof(front), "modes IPv%u %zu-routes %s", bench->family == AF_INET6 ? 6 : 4,
		 bench->routes, bench->subjects[index]->name);
	if (!result->bounded) { // else it says something of the sender only
		modes_add(record, front, "NDR", "1/s", RECORD_MORE, result->ndr.low);
		modes_add(record, front, "PDR", "1/s", RECORD_MORE, result->pdr.low);
	}
	modes_add(record, front, "most", "1/s", RECORD_MORE, result->most);
	for (unsigned int load = 0; load < MODES_LOADS; load++)
		for (unsigned int part = 0; part < MODES_PARTS; part++) {
			snprintf(what, sizeof(what), "latency-at-%.0f%% %s", 100 * modes_loads[load],
				 modes_part_names[part]);
			modes_add(record, front, what, "us", RECORD_LESS, result->latency[load][part]);
		}
}

static int modes_report(const struct modes_bench *bench)
{
	json_t *record;
	int err = 0;

	if (bench->json) {
		record = record_new("modes");
		json_object_set_new(record, "sender", json_real(bench->sender));
		for (unsigned int i = 0; i < bench->subject_count; i++)
			modes_figures(bench, i, record);
		err = record_print(stdout, record);
	} else {
		modes_table(bench);
	}
	if (err < 0 || fflush(stdout) == EOF) {
		warnx("bench modes: cannot write the results");
		return -EIO;
	}
	if (bench->trial.wrong)
		warnx("bench modes: %llu packets arrived wrong, twice or out of order", bench->trial.wrong);
	return bench->trial.wrong ? -EBADMSG : 0;
}

// --- set-up ---

static int modes_set_up(struct modes_bench *bench)
{
	struct scenario_bed bed;
	struct why why = { 0 };
	int err = generate_open(&bench->topology, &bench->generate);

	bench->generator_bed = (struct generator_bed){ .lane = &bench->topology.subject,
						       .generate = bench->generate,
						       .largest = load_largest(&bench->trial.load) };
	if (err >= 0)
		err = subject_open(&bench->topology, &modes_stop, &bench->beds);
	bed = (struct scenario_bed){ &bench->topology, bench->generate, bench->beds, false };
	if (err >= 0)
		err = scenario_load(&bench->scenario, &bed, bench->family, &bench->routes);
	if (err >= 0)
		err = generate_meter(bench->generate, true);
	if (err >= 0)
		err = generator_open(bench->way, &bench->generator_bed, &bench->trial.generator, &why);
	bench->trial.generate = bench->generate;
	if (err < 0 && !modes_stop)
		warnx("bench modes: cannot set up the sender or the router: %s",
		      why.text[0] ? why.text : strerror(-err));
	return err;
}

static int modes_run(struct modes_bench *bench)
{
	int err = topology_open(&bench->topology);

	if (err < 0) {
		warnx("bench modes: cannot make network namespaces: %s%s", strerror(-err),
		      err == -EPERM ? "; run as root" : "");
		return err;
	}
	err = modes_set_up(bench);
	if (err >= 0)
		err = modes_self_test(bench);
	for (unsigned int i = 0; err >= 0 && i < bench->subject_count; i++)
		err = modes_attached(bench, bench->subjects[i], &bench->results[i]);
	generator_close(bench->trial.generator);
	subject_close(bench->beds);
	generate_close(bench->generate);
	topology_close(&bench->topology);
	if (modes_stop)
		warnx("bench modes: interrupted");
	return err < 0 ? err : modes_report(bench);
}

// --- options ---

static int modes_help(int status)
{
	fprintf(status ? stderr : stdout,
		"Usage: penstock bench modes [OPTION]...\n"
		"Offers packets at many rates to each mode, in network namespaces of its own: how much each "
		"takes without\n"
		"loss (NDR) and with 0.5 %% of it (PDR), and how long packets are under way. As root.\n\n"
		"  --modes A,B,...   as `penstock bench forward --help` lists them (" MODES_LIST ")\n"
		"  --family 4|6      what to send (4)\n"
		"  --routes WHAT     1, full, a number, or a file, as of bench forward (1)\n"
		"  --size N|imix     bytes of a frame with FCS, 64 to 1518; imix: 28 of 64, 16 of 570, 4 of "
		"1518 (64)\n"
		"  --generator G     what sends: afxdp, an AF_XDP socket at any rate; live, live frames of "
		"the "
		"kernel's, each\n"
		"                    batch when the one before is through (afxdp)\n"
		"  --quick           trials of 0.1 s and 3 %% instead of 1 s, 21 s for each rate, and 0.5 "
		"%%\n"
		"  --cpu N           the CPU that sends (the first one)\n"
		"  --json            results as JSON\n");
	return status;
}

static int modes_usage(const char *option, const char *value, const char *want)
{
	warnx("bench modes: %s %s: want %s", option, value, want);
	return -EINVAL;
}

static int modes_parse_modes(struct modes_bench *bench, const char *text)
{
	char copy[512], *rest = copy, *name;

	bench->subject_count = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((name = strsep(&rest, ","))) {
		const struct subject *subject = subject_find(name);

		if (!subject || subject->delivery == SUBJECT_NOTHING || subject->own_table ||
		    bench->subject_count == MODES_MAX)
			return modes_usage("--modes", name,
					   "up to 16 modes that forward by the kernel's routes");
		bench->subjects[bench->subject_count++] = subject;
	}
	return 0;
}

static int modes_parse_size(struct modes_bench *bench, const char *text)
{
	static const struct load imix = { .sizes = { 60, 566, 1514 }, .weights = { 28, 16, 4 } };
	struct load *load = &bench->trial.load;
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	if (strcmp(text, "imix") == 0) {
		memcpy(load->sizes, imix.sizes, sizeof(load->sizes));
		memcpy(load->weights, imix.weights, sizeof(load->weights));
		return 0;
	}
	if (*end || size < 64 || size > LOAD_LARGEST + 4)
		return modes_usage("--size", text, "64 to 1518, or imix");
	load->sizes[0] = size - 4;
	load->weights[0] = 1;
	return 0;
}

static int modes_parse_cpu(struct modes_bench *bench, const char *text)
{
	char *end;
	unsigned long cpu = strtoul(text, &end, 10);
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	if (*end || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &allowed))
		return modes_usage("--cpu", text, "the number of a CPU that this process may run on");
	bench->trial.load.cpu = cpu;
	return 0;
}

static int modes_parse_family(struct modes_bench *bench, const char *text)
{
	if (strcmp(text, "4") != 0 && strcmp(text, "6") != 0)
		return modes_usage("--family", text, "4 or 6");
	bench->family = bench->trial.load.family = *text == '6' ? AF_INET6 : AF_INET;
	return 0;
}

static int modes_parse_option(struct modes_bench *bench, int option)
{
	switch (option) {
	case 'm':
		return modes_parse_modes(bench, optarg);
	case 'f':
		return modes_parse_family(bench, optarg);
	case 't':
		return scenario_add(&bench->scenario, optarg);
	case 's':
		return modes_parse_size(bench, optarg);
	case 'c':
		return modes_parse_cpu(bench, optarg);
	case 'g':
		return generator_choose(optarg, 0, &bench->way);
	case 'q':
		bench->ndr = (struct search_goal){ .trial = 0.1, .sum = 0.3, .width = 0.03 };
		bench->pdr = bench->ndr;
		bench->pdr.loss = SEARCH_PDR.loss;
		return 0;
	case 'j':
		bench->json = true;
		return 0;
	}
	return -EINVAL;
}

// Returns 1 when help was asked for and given.
static int modes_parse(struct modes_bench *bench, int argc, char **argv)
{
	static const struct option options[] = {
		{ "modes", required_argument, NULL, 'm' },  { "family", required_argument, NULL, 'f' },
		{ "routes", required_argument, NULL, 't' }, { "size", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'c' },    { "generator", required_argument, NULL, 'g' },
		{ "quick", no_argument, NULL, 'q' },        { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },         { 0 },
	};
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h')
			return modes_help(EXIT_SUCCESS) + 1;
		err = modes_parse_option(bench, option);
	}
	if (err >= 0 && optind < argc) {
		warnx("bench modes: unknown argument %s; see --help", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

static int modes_set_defaults(struct modes_bench *bench)
{
	bench->ndr = SEARCH_NDR;
	bench->pdr = SEARCH_PDR;
	bench->trial.stop = &modes_stop;
	bench->way = &generator_afxdp;
	modes_parse_family(bench, "4");
	modes_parse_size(bench, "64");
	modes_parse_modes(bench, MODES_LIST);
	return scenario_open(&bench->scenario, &modes_stop);
}

int bench_modes(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = modes_signalled };
	struct modes_bench *bench = calloc(1, sizeof(*bench));
	int code = EXIT_FAILURE, err;

	if (!bench || modes_set_defaults(bench) < 0)
		return EXIT_FAILURE;
	err = modes_parse(bench, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : MODES_USAGE;
	} else if (bench->scenario.routes->count || scenario_add(&bench->scenario, "1") >= 0) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGHUP, &action, NULL);
		code = modes_run(bench) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	scenario_close(&bench->scenario);
	free(bench);
	return code;
}
