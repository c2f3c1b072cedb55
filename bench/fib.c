// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib.h"

#include "bench/fib_check.h"
#include "bench/fib_churn.h"
#include "bench/fib_family.h"
#include "bench/fib_report.h"
#include "bench/fib_rounds.h"
#include "bench/fib_tables.h"
#include "bench/machine.h"
#include "bench/record.h"
#include "bench/workload/updates_trace.h"
#ifdef HAVE_DPDK
#include "bench/fib_dpdk.h"
#endif

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define FIB_ROUNDS  7
#define FIB_SECONDS 0.01
#define FIB_CHANGES 50000
#define FIB_USAGE   2
// Share of the routes that come and go.
#define FIB_SHARE   0.1
// Routes that a trace may add.
#define FIB_MORE    100000

struct fib_bench {
	struct fib_plan plan;
	struct fib_tables tables;
	size_t routes; // to generate; 0: full tables
	bool from_files;
	__u8 families[2];
	unsigned int family_count;
	const char *subjects, *skip; // names with commas; NULL: those that are not optional, none
	unsigned int cpu;
	bool json;
	struct topology topology;
	bool has_topology;
	json_t *record, *results; // with --json: the whole, and what there is by family
};

static volatile sig_atomic_t fib_stop;

static void fib_signalled(int number)
{
	fib_stop = 1;
}

static void fib_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = fib_signalled };

	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void fib_help(void)
{
	const struct fib_subject *subjects;
	unsigned int i, count;

	printf("Usage: penstock bench fib [OPTION]...\n"
	       "Compares structures that find routes: lookups, memory, loading, updates. As root, for "
	       "eBPF.\n\n"
	       "  --family 4|6|both   what to look up (both)\n"
	       "  --routes N          generated tables of N IPv4 routes, and IPv6 routes in proportion\n"
	       "                      (full tables of the public Internet's size and shape)\n"
	       "  --table FILE        the routes of a file instead, text or MRT, plain or packed with xz or "
	       "gzip;\n"
	       "                      give the option again for another file\n"
	       "  --subjects A,B,...  what to measure (all below but those in brackets)\n"
	       "  --skip A,B,...      what to leave out, for example fiblookup, whose routes take the kernel "
	       "seconds\n"
	       "  --rounds N          how often each is measured with each kind of addresses, 1 to %u (%u)\n"
	       "  --seconds S         how long each time (%g)\n"
	       "  --changes N         random updates, 0 for none (%u)\n"
	       "  --updates FILE      a trace of updates to apply behind them, text or MRT\n"
	       "  --cpu N             the CPU to measure on (the last one)\n"
	       "  --json              results as JSON\n\nSubjects:\n",
	       FIB_ROUNDS_MAX, FIB_ROUNDS, FIB_SECONDS, FIB_CHANGES);
	subjects = fib_subject_list(&count);
	for (i = 0; i < count; i++)
		printf(subjects[i].optional ? "  [%s]%*s%s\n" : "  %s%*s  %s\n", subjects[i].name,
		       (int)(17 - strlen(subjects[i].name)), "", subjects[i].summary);
#ifndef HAVE_DPDK
	printf("\nThis penstock was built without DPDK: its tables are missing.\n");
#endif
}

static int fib_usage(const char *option, const char *value, const char *want)
{
	warnx("bench fib: %s %s: want %s", option, value, want);
	return -EINVAL;
}

static int fib_parse_family(struct fib_bench *bench, const char *text)
{
	bench->family_count = 0;
	if (strcmp(text, "4") == 0 || strcmp(text, "both") == 0)
		bench->families[bench->family_count++] = AF_INET;
	if (strcmp(text, "6") == 0 || strcmp(text, "both") == 0)
		bench->families[bench->family_count++] = AF_INET6;
	return bench->family_count ? 0 : fib_usage("--family", text, "4, 6 or both");
}

static int fib_parse_number(const char *option, const char *text, unsigned long least, unsigned long most,
			    size_t *ret_number)
{
	char *end, want[64];
	unsigned long number = strtoul(text, &end, 10);

	snprintf(want, sizeof(want), "a number from %lu to %lu", least, most);
	if (*end || end == text || *text == '-' || number < least || number > most)
		return fib_usage(option, text, want);
	*ret_number = number;
	return 0;
}

static int fib_parse_rounds(struct fib_plan *plan, const char *text)
{
	size_t rounds;
	int err = fib_parse_number("--rounds", text, 1, FIB_ROUNDS_MAX, &rounds);

	if (err >= 0)
		plan->rounds = rounds;
	return err;
}

static int fib_parse_seconds(struct fib_plan *plan, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || !(seconds >= 0.0001 && seconds <= 10))
		return fib_usage("--seconds", text, "a number from 0.0001 to 10");
	plan->seconds = seconds;
	return 0;
}

static int fib_parse_cpu(struct fib_bench *bench, const char *text)
{
	size_t cpu;
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	if (fib_parse_number("--cpu", text, 0, CPU_SETSIZE - 1, &cpu) < 0)
		return -EINVAL;
	if (!CPU_ISSET(cpu, &allowed))
		return fib_usage("--cpu", text, "the number of a CPU that this process may run on");
	bench->cpu = cpu;
	return 0;
}

// Is the name among those with commas between?
static bool fib_names(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (; names; names = strchr(names, ',') ? strchr(names, ',') + 1 : NULL)
		if (strncmp(names, name, length) == 0 && (!names[length] || names[length] == ','))
			return true;
	return false;
}

static int fib_check_names(const char *option, const char *names)
{
	char copy[512], *rest = copy, *name;

	if (!names)
		return 0;
	snprintf(copy, sizeof(copy), "%s", names);
	while ((name = strsep(&rest, ",")))
		if (!fib_subject_find(name))
			return fib_usage(option, name, "subjects that --help lists, with commas between");
	return 0;
}

static int fib_choose_subjects(struct fib_bench *bench)
{
	struct fib_plan *plan = &bench->plan;
	const struct fib_subject *subjects;
	unsigned int i, count;

	if (fib_check_names("--subjects", bench->subjects) < 0 || fib_check_names("--skip", bench->skip) < 0)
		return -EINVAL;
	subjects = fib_subject_list(&count);
	for (i = 0; i < count; i++) {
		const struct fib_subject *subject = &subjects[i];

		if (bench->subjects ? !fib_names(bench->subjects, subject->name) : subject->optional)
			continue;
		if (bench->skip && fib_names(bench->skip, subject->name))
			continue;
		if (!subject->works || subject->works())
			plan->subjects[plan->subject_count++] = subject;
		else
			warnx("bench fib: %s is left out: not on this CPU", subject->name);
	}
	return plan->subject_count ? 0
				   : fib_usage("--skip", bench->skip ? bench->skip : "", "a subject left");
}

static int fib_parse_option(struct fib_bench *bench, int option)
{
	struct fib_plan *plan = &bench->plan;

	switch (option) {
	case 'f':
		return fib_parse_family(bench, optarg);
	case 'n':
		return fib_parse_number("--routes", optarg, 100, TABLE_ROUTES_MAX / 2, &bench->routes);
	case 't':
		bench->from_files = true;
		return fib_tables_read(&bench->tables, optarg);
	case 'u':
		bench->subjects = optarg;
		return 0;
	case 'k':
		bench->skip = optarg;
		return 0;
	case 'r':
		return fib_parse_rounds(plan, optarg);
	case 's':
		return fib_parse_seconds(plan, optarg);
	case 'g':
		return fib_parse_number("--changes", optarg, 0, 100000000, &plan->changes);
	case 'p':
		plan->trace = optarg;
		return 0;
	case 'c':
		return fib_parse_cpu(bench, optarg);
	case 'j':
		bench->json = true;
		return 0;
	}
	return -EINVAL; // getopt_long() has told why
}

// Returns 1 when help was asked for and given.
static int fib_parse(struct fib_bench *bench, int argc, char **argv)
{
	static const struct option options[] = {
		{ "family", required_argument, NULL, 'f' },
		{ "routes", required_argument, NULL, 'n' },
		{ "table", required_argument, NULL, 't' },
		{ "subjects", required_argument, NULL, 'u' },
		{ "skip", required_argument, NULL, 'k' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "changes", required_argument, NULL, 'g' },
		{ "updates", required_argument, NULL, 'p' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, err = 0;

	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'h') {
			fib_help();
			return 1;
		}
		err = fib_parse_option(bench, option);
	}
	if (err >= 0 && optind < argc) {
		warnx("bench fib: unknown argument %s; see --help", argv[optind]);
		err = -EINVAL;
	}
	return err < 0 ? err : fib_choose_subjects(bench);
}

static bool fib_needs(const struct fib_bench *bench, bool dpdk)
{
	for (unsigned int i = 0; i < bench->plan.subject_count; i++) {
		const struct fib_structure_kind *kind = bench->plan.subjects[i]->structure;

		if (kind && (dpdk ? kind->dpdk : kind->kernel))
			return true;
	}
	return false;
}

static int fib_make_tables(struct fib_bench *bench)
{
	int err = bench->from_files ? 0 : fib_tables_generate(&bench->tables, bench->routes);

	if (err >= 0)
		err = fib_tables_finish(&bench->tables);
	for (unsigned int i = 0; err >= 0 && i < bench->family_count; i++)
		if (!fib_tables_of(&bench->tables, bench->families[i])->count) {
			warnx("bench fib: no IPv%u routes; restrict --family or add a file by --table",
			      bench->families[i] == AF_INET6 ? 6 : 4);
			err = -ENOENT;
		}
	return err;
}

static int fib_pin(unsigned int cpu)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	if (sched_setaffinity(0, sizeof(only), &only) < 0) {
		warnx("bench fib: cannot stay on CPU %u: %s", cpu, strerror(errno));
		return -errno;
	}
	return 0;
}

// The namespaces first: they are made before any thread is started.
static int fib_set_up(struct fib_bench *bench)
{
	int err = 0;

	if (fib_needs(bench, false)) {
		err = topology_open(&bench->topology);
		if (err < 0)
			warnx("bench fib: cannot make network namespaces: %s; run as root, or give "
			      "--skip fiblookup",
			      strerror(-err));
		else
			bench->has_topology = true;
	}
	if (err >= 0)
		err = fib_pin(bench->cpu);
#ifdef HAVE_DPDK
	if (err >= 0 && fib_needs(bench, true)) {
		size_t ipv4 = fib_tables_of(&bench->tables, AF_INET)->count;
		size_t ipv6 = fib_tables_of(&bench->tables, AF_INET6)->count;

		// Twice what both structures of each family take.
		err = fib_dpdk_start(bench->cpu,
				     1024 + (ipv4 * 1024 + ipv6 * 8192 + FIB_MORE * 2048) / 1000000);
	}
#endif
	return err;
}

static void fib_tear_down(struct fib_bench *bench)
{
#ifdef HAVE_DPDK
	fib_dpdk_stop();
#endif
	if (bench->has_topology)
		topology_close(&bench->topology);
}

static int fib_apply(struct fib_family *family, struct updates *updates, bool trace)
{
	struct fib_cost costs[FIB_STRUCTURES_MAX] = { 0 };
	int err = fib_churn(family, updates, costs);

	for (unsigned int i = 0; err >= 0 && i < family->built_count; i++)
		*(trace ? &family->built[i].trace : &family->built[i].changes) = costs[i];
	updates_free(updates);
	return err < 0 ? err : fib_check(family);
}

static int fib_apply_changes(struct fib_family *family)
{
	struct updates_options options = { .seed = 1, .count = family->plan->changes };
	struct updates *updates;
	struct table *table;
	int err = table_select(family->table, family->family, &table);

	if (err < 0)
		return err;
	// The generator's next hops count from 1.
	for (size_t i = 0; i < table->count; i++)
		table->routes[i].nexthop -= FIB_NEXTHOP_MIN - 1;
	fprintf(stderr, "IPv%u: %zu updates\n", fib_family_number(family), family->plan->changes);
	err = updates_flaps(table, &options, FIB_SHARE, &updates);
	if (err >= 0)
		err = fib_apply(family, updates, false);
	table_free(table);
	return err;
}

static int fib_apply_trace(struct fib_bench *bench, struct fib_family *family)
{
	struct stream_error error = { "" };
	struct updates *updates;
	int err;

	fprintf(stderr, "IPv%u: updates of %s\n", fib_family_number(family), bench->plan.trace);
	err = updates_trace_open(bench->plan.trace, bench->tables.gateways, &error, &updates);
	if (err >= 0)
		err = fib_apply(family, updates, true);
	if (*error.text)
		warnx("bench fib: %s", error.text);
	return err;
}

static int fib_measure(struct fib_bench *bench, struct fib_family *family)
{
	int err = fib_check(family);

	if (err >= 0)
		err = fib_rounds(family);
	if (err >= 0 && bench->plan.changes)
		err = fib_apply_changes(family);
	if (err >= 0 && bench->plan.trace)
		err = fib_apply_trace(bench, family);
	return err;
}

static int fib_run_family(struct fib_bench *bench, __u8 number)
{
	const struct topology *topology = bench->has_topology ? &bench->topology : NULL;
	struct fib_family *family;
	int err;

	err = fib_family_open(&bench->plan, fib_tables_of(&bench->tables, number), FIB_MORE, topology,
			      &family);
	if (err < 0)
		return err;
	err = fib_measure(bench, family);
	if (err >= 0 && bench->json) {
		json_array_append_new(bench->results, fib_report_json(family));
		fib_report_figures(family, bench->record);
	} else if (err >= 0) {
		fib_report_tables(stdout, family);
	}
	fib_family_close(family);
	return err;
}

static int fib_run(struct fib_bench *bench)
{
	int err = fib_make_tables(bench);

	if (err >= 0)
		err = fib_set_up(bench);
	for (unsigned int i = 0; err >= 0 && i < bench->family_count; i++)
		err = fib_run_family(bench, bench->families[i]);
	fib_tear_down(bench);
	if (err >= 0 && bench->json)
		err = fib_report_json_print(stdout, &bench->plan, bench->cpu, bench->record, bench->results);
	if (err >= 0 && (fflush(stdout) == EOF || ferror(stdout))) {
		warnx("bench fib: cannot write the results");
		err = -EIO;
	}
	if (fib_stop)
		warnx("bench fib: interrupted");
	return err;
}

int bench_fib(int argc, char **argv)
{
	struct fib_bench *bench = calloc(1, sizeof(*bench));
	int code = EXIT_FAILURE, err;

	if (!bench || fib_tables_open(&bench->tables) < 0)
		return EXIT_FAILURE;
	bench->plan.rounds = FIB_ROUNDS;
	bench->plan.seconds = FIB_SECONDS;
	bench->plan.changes = FIB_CHANGES;
	bench->plan.stop = &fib_stop;
	bench->cpu = machine_last_cpu();
	bench->record = record_new("fib");
	bench->results = json_array();
	fib_parse_family(bench, "both");
	err = fib_parse(bench, argc, argv);
	if (err > 0) {
		code = EXIT_SUCCESS;
	} else if (err < 0) {
		code = FIB_USAGE;
	} else {
		fib_catch_signals();
		code = fib_run(bench) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	fib_tables_close(&bench->tables);
	free(bench);
	return code;
}
