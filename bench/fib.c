// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib.h"

#include "bench/fib_check.h"
#include "bench/fib_churn.h"
#include "bench/fib_family.h"
#include "bench/fib_report.h"
#include "bench/fib_rounds.h"
#include "bench/fib_tables.h"
#include "bench/machine.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/stop.h"
#include "bench/workload/updates_trace.h"
#ifdef HAVE_DPDK
#include "bench/fib_dpdk.h"
#endif

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

// Share of the routes that come and go.
#define FIB_SHARE 0.1
// Routes that a trace may add.
#define FIB_MORE  100000

struct fib_bench {
	struct fib_plan plan;
	struct fib_tables tables;
	unsigned int routes; // to generate; 0: full tables
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

static void fib_print_subjects(FILE *out)
{
	const struct fib_subject *subjects;
	unsigned int i, count;

	fprintf(out, "\nSubjects:\n");
	subjects = fib_subject_list(&count);
	for (i = 0; i < count; i++)
		fprintf(out, subjects[i].optional ? "  [%s]%*s%s\n" : "  %s%*s  %s\n", subjects[i].name,
			(int)(17 - strlen(subjects[i].name)), "", subjects[i].summary);
#ifndef HAVE_DPDK
	fprintf(out, "\nThis penstock was built without DPDK: its tables are missing.\n");
#endif
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
			return option_refuse("fib", option, name,
					     "subjects that --help lists, with commas between");
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
	return plan->subject_count
		       ? 0
		       : option_refuse("fib", "--skip", bench->skip ? bench->skip : "", "a subject left");
}

static int fib_take_table(void *into, const char *bench, const char *value)
{
	struct fib_bench *fib = into;

	fib->from_files = true;
	return fib_tables_read(&fib->tables, value);
}

static int fib_parse(struct fib_bench *bench, int argc, char **argv)
{
	struct fib_plan *plan = &bench->plan;
	const struct option_line lines[] = {
		{ "family", "4|6|both", "what to look up", "both", .families = bench->families,
		  .family_count = &bench->family_count },
		{ "routes", "N",
		  "generated tables of N IPv4 routes, and IPv6 routes in proportion\n"
		  "(full tables of the public Internet's size and shape)",
		  .number = &bench->routes, .least = 100, .most = TABLE_ROUTES_MAX / 2 },
		{ "table", "FILE",
		  "the routes of a file instead, text or MRT, plain or packed with xz or gzip;\n"
		  "give the option again for another file",
		  .take = fib_take_table, .into = bench },
		{ "subjects", "A,B,...", "what to measure (all below but those in brackets)",
		  .text = &bench->subjects },
		{ "skip", "A,B,...",
		  "what to leave out, for example fiblookup, whose routes take the kernel seconds",
		  .text = &bench->skip },
		{ "rounds", "N", "how often each is measured with each kind of addresses", "7",
		  .number = &plan->rounds, .least = 1, .most = FIB_ROUNDS_MAX },
		{ "seconds", "S", "how long each time", "0.01", .seconds = &plan->seconds, .least = 0.0001,
		  .most = 10 },
		{ "changes", "N", "random updates", "50000", .number = &plan->changes, .least = 0,
		  .most = 100000000 },
		{ "updates", "FILE", "a trace of updates to apply behind them, text or MRT",
		  .text = &plan->trace },
		{ "cpu", "N", "the CPU to measure on (the last one)", .cpu = &bench->cpu },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "fib",
		.about = "Compares structures that find routes: lookups, memory,\n"
			 "loading, updates. As root, for eBPF.\n",
		.json = &bench->json,
		.lines = lines,
		.print_more = fib_print_subjects,
	};
	int err;

	bench->cpu = machine_last_cpu();
	err = option_parse(&set, argc, argv);
	return err != 0 ? err : fib_choose_subjects(bench);
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
	fprintf(stderr, "IPv%u: %u updates\n", fib_family_number(family), family->plan->changes);
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
		err = record_end("fib", fib_report_json_print(stdout, &bench->plan, bench->cpu, bench->record,
							      bench->results));
	else if (err >= 0)
		err = record_end("fib", 0);
	if (stop_asked)
		warnx("bench fib: interrupted");
	return err;
}

int bench_fib(int argc, char **argv)
{
	struct fib_bench *bench = calloc(1, sizeof(*bench));
	int code = EXIT_FAILURE, err;

	if (!bench || fib_tables_open(&bench->tables) < 0)
		return EXIT_FAILURE;
	bench->plan.stop = &stop_asked;
	bench->record = record_new("fib");
	bench->results = json_array();
	err = fib_parse(bench, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	} else {
		stop_catch();
		code = fib_run(bench) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	fib_tables_close(&bench->tables);
	free(bench);
	return code;
}
