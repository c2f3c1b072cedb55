// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/scale.h"

#include "bench/child.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/scale_cpus.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_USAGE   2
#define SCALE_CPUS    64 // at most
#define SCALE_SIZES   "1,1000,10000,100000,full"
#define SCALE_ROUNDS  "3"
#define SCALE_SECONDS "0.3"

struct scale {
	const char *sizes, *rounds, *seconds;
	bool json;
	struct scale_cpus cpus;
	json_t *record;
};

static double scale_median(const json_t *entry)
{
	return json_number_value(json_object_get(entry, "median"));
}

// A line of the table for each figure "forward IPv4 1000-routes penstock rate".
static void scale_print(const json_t *record)
{
	const json_t *figures = json_object_get(record, "figures"), *entry;
	char family[16], subject[64], what[32], ratio[RECORD_NAME];
	unsigned long routes;
	size_t i;

	json_array_foreach(figures, i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (!name ||
		    sscanf(name, "forward %15s %lu-routes %63s %31s", family, &routes, subject, what) != 4 ||
		    strcmp(what, "rate") != 0)
			continue;
		snprintf(ratio, sizeof(ratio), "forward %s %lu-routes %s of-nolookup", family, routes,
			 subject);
		printf("%-6s %10lu  %-18s %8.3f   %.3f\n", family, routes, subject, scale_median(entry) / 1e6,
		       scale_median(record_find(record, ratio)));
	}
	fflush(stdout);
}

static int scale_point(struct scale *scale, const char *size)
{
	const char *const words[] = { "forward",     "--routes",  size,           "--rounds",
				      scale->rounds, "--seconds", scale->seconds, NULL };
	json_t *record;
	char text[200];

	child_print(text, sizeof(text), words);
	fprintf(stderr, "%s\n", text);
	record = child_run(words);
	if (!record)
		return child_is_stopped() ? -EINTR : -EIO;
	if (!scale->json)
		scale_print(record);
	json_array_extend(json_object_get(scale->record, "figures"), json_object_get(record, "figures"));
	json_decref(record);
	return 0;
}

static int scale_all(struct scale *scale)
{
	char sizes[256], *rest = sizes, *size;
	int err = 0;

	snprintf(sizes, sizeof(sizes), "%s", scale->sizes);
	scale->record = record_new("scale");
	if (!scale->json)
		printf("%-6s %10s  %-18s %8s   of no lookup\n", "", "routes", "router", "Mpps");
	while (err >= 0 && (size = strsep(&rest, ",")))
		err = scale_point(scale, size);
	scale->cpus.print = !scale->json;
	if (err >= 0 && scale->cpus.most)
		err = scale_cpus(&scale->cpus, scale->record);
	if (child_is_stopped())
		warnx("bench scale: interrupted");
	if (err >= 0 && scale->json)
		return record_print(stdout, scale->record);
	json_decref(scale->record);
	return err;
}

static unsigned int scale_all_cpus(void)
{
	cpu_set_t allowed;
	unsigned int count;

	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	count = CPU_COUNT(&allowed);
	return count < SCALE_CPUS ? count : SCALE_CPUS;
}

static int scale_help(int status)
{
	fprintf(status ? stderr : stdout,
		"Usage: penstock bench scale [OPTION]...\n"
		"Rates against the size of the table: `penstock bench forward` with one size after the "
		"other. "
		"As root.\n\n"
		"  --routes A,B,...   sizes, as of bench forward (" SCALE_SIZES ")\n"
		"  --cpus N           up to so many CPUs at once, 0: only the above (all)\n"
		"  --cpu-routes WHAT  the table for that (1)\n"
		"  --rounds N         how often each router is measured with each (" SCALE_ROUNDS ")\n"
		"  --seconds S        how long each time (" SCALE_SECONDS ")\n"
		"  --json             one record with the figures of all\n");
	return status;
}

int bench_scale(int argc, char **argv)
{
	static const struct option options[] = { { "routes", required_argument, NULL, 't' },
						 { "rounds", required_argument, NULL, 'r' },
						 { "seconds", required_argument, NULL, 's' },
						 { "cpus", required_argument, NULL, 'c' },
						 { "cpu-routes", required_argument, NULL, 'R' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	struct scale scale = { SCALE_SIZES, SCALE_ROUNDS, SCALE_SECONDS, false, { .routes = "1" }, NULL };
	unsigned int all = scale_all_cpus();
	int option, err = 0;

	scale.cpus.most = all;
	optind = 0;
	while (err >= 0 && (option = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (option == 'c')
			err = option_number("scale", "--cpus", optarg, 0, all, &scale.cpus.most);
		else if (option == 'R')
			scale.cpus.routes = optarg;
		else if (option == 't')
			scale.sizes = optarg;
		else if (option == 'r')
			scale.rounds = optarg;
		else if (option == 's')
			scale.seconds = optarg;
		else if (option == 'j')
			scale.json = true;
		else
			return scale_help(option == 'h' ? EXIT_SUCCESS : SCALE_USAGE);
	}
	if (err < 0 || optind < argc ||
	    option_number("scale", "--rounds", scale.rounds, 1, 100, &scale.cpus.rounds) < 0 ||
	    option_seconds("scale", "--seconds", scale.seconds, &scale.cpus.seconds) < 0)
		return scale_help(SCALE_USAGE);
	child_catch_signals();
	return scale_all(&scale) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
