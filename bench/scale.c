// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/scale.h"

#include "bench/child.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/scale_cpus.h"
#include "bench/stop.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_CPUS 64 // at most

struct scale {
	const char *sizes;
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
	char rounds[16], seconds[32], text[200];
	const char *const words[] = { "forward", "--routes",  size,    "--rounds",
				      rounds,    "--seconds", seconds, NULL };
	json_t *record;

	snprintf(rounds, sizeof(rounds), "%u", scale->cpus.rounds);
	snprintf(seconds, sizeof(seconds), "%g", scale->cpus.seconds);
	child_print(text, sizeof(text), words);
	fprintf(stderr, "%s\n", text);
	record = child_run(words);
	if (!record)
		return stop_asked ? -EINTR : -EIO;
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
	if (stop_asked)
		warnx("bench scale: interrupted");
	if (err >= 0 && scale->json)
		return record_end("scale", record_print(stdout, scale->record));
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

int bench_scale(int argc, char **argv)
{
	struct scale scale = { 0 };
	unsigned int all = scale_all_cpus();
	const struct option_line lines[] = {
		{ "routes", "A,B,...", "sizes, as of bench forward", "1,1000,10000,100000,full",
		  .text = &scale.sizes },
		{ "cpus", "N", "up to so many CPUs at once; 0: only the above (all)",
		  .number = &scale.cpus.most, .least = 0, .most = all },
		{ "cpu-routes", "WHAT", "the table for that", "1", .text = &scale.cpus.routes },
		{ "rounds", "N", "how often each router is measured with each", "3",
		  .number = &scale.cpus.rounds, .least = 1, .most = 100 },
		{ "seconds", "S", "how long each time", "0.3", .seconds = &scale.cpus.seconds, .least = 0.01,
		  .most = 3600 },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "scale",
		.about = "Rates against the size of the table: `penstock bench\n"
			 "forward` with one size after the other. As root.\n",
		.json = &scale.json,
		.lines = lines,
	};
	int err;

	scale.cpus.most = all;
	err = option_parse(&set, argc, argv);
	if (err != 0)
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	stop_catch();
	return scale_all(&scale) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
