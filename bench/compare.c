// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/compare.h"

#include "bench/option.h"
#include "bench/statistics.h"

#include <err.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPARE_VERDICTS (COMPARE_NOT_JUDGED + 1)

struct compare {
	json_t *before, *after;
	json_t *changes; // for --json
	unsigned int counts[COMPARE_VERDICTS];
	unsigned int alone; // figures that only one of them has
};

static const char *const compare_verdicts[COMPARE_VERDICTS] = {
	[COMPARE_NO_EVIDENCE] = "no evidence",
	[COMPARE_BETTER] = "better",
	[COMPARE_WORSE] = "worse",
	[COMPARE_NOT_JUDGED] = "not judged",
};

void compare_figures(const struct record_figure *before, const struct record_figure *after,
		     struct compare_change *ret_change)
{
	struct statistics old = statistics_of(before->values, before->count);
	struct statistics new = statistics_of(after->values, after->count);
	bool apart = new.low > old.high || new.high < old.low;
	bool more = new.median > old.median;

	ret_change->before = old.median;
	ret_change->after = new.median;
	ret_change->change = old.median != 0 ? new.median / old.median - 1 : 0;
	if (!before->relative || !after->relative)
		ret_change->verdict = COMPARE_NOT_JUDGED;
	else if (!apart || fabs(new.median - old.median) < COMPARE_LEAST * fabs(old.median))
		ret_change->verdict = COMPARE_NO_EVIDENCE;
	else
		ret_change->verdict = more == (after->better == RECORD_MORE) ? COMPARE_BETTER : COMPARE_WORSE;
}

static void compare_entry(struct compare *compare, const json_t *entry, bool json)
{
	static double old[RECORD_VALUES], new[RECORD_VALUES];
	struct record_figure before, after;
	struct compare_change change;
	const json_t *other;

	if (!record_figure(entry, &before, old))
		return;
	other = record_find(compare->after, before.name);
	if (!other || !record_figure(other, &after, new)) {
		compare->alone++;
		return;
	}
	compare_figures(&before, &after, &change);
	compare->counts[change.verdict]++;
	if (json)
		json_array_append_new(compare->changes,
				      json_pack("{s:s, s:s, s:f, s:f, s:f, s:s}", "name", before.name, "unit",
						before.unit, "before", change.before, "after", change.after,
						"change", change.change, "verdict",
						compare_verdicts[change.verdict]));
	else
		printf("%-56s %12.5g %12.5g %-8s %+6.1f %%  %s\n", before.name, change.before, change.after,
		       before.unit, 100 * change.change, compare_verdicts[change.verdict]);
}

// What only the second one has.
static void compare_new(struct compare *compare)
{
	const json_t *figures = json_object_get(compare->after, "figures"), *entry;
	static double values[RECORD_VALUES];
	struct record_figure figure;
	size_t i;

	json_array_foreach(figures, i, entry) if (record_figure(entry, &figure, values)) compare->alone +=
		!record_find(compare->before, figure.name);
}

static bool compare_has(const json_t *value, const char *name, const json_t *other)
{
	return json_equal(json_object_get(value, name), json_object_get(other, name));
}

// What makes the comparison one of more than penstock.
static void compare_machines(const struct compare *compare)
{
	const json_t *before = json_object_get(compare->before, "machine");
	const json_t *after = json_object_get(compare->after, "machine");

	if (!compare_has(before, "cpu", after) || !compare_has(before, "kernel", after) ||
	    !compare_has(before, "mitigations", after))
		warnx("bench compare: the two were measured on different machines or kernels");
}

static int compare_all(struct compare *compare, bool json)
{
	const json_t *figures = json_object_get(compare->before, "figures"), *entry;
	size_t i;
	int err = 0;

	compare_machines(compare);
	if (!json)
		printf("%-56s %12s %12s\n", "", "before", "after");
	json_array_foreach(figures, i, entry) compare_entry(compare, entry, json);
	compare_new(compare);
	if (json)
		err = json_dumpf(compare->changes, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? -EIO
												       : 0;
	else
		printf("%u better, %u worse, %u no evidence; %u not judged, they move with the machine; %u "
		       "in only one "
		       "of the two\n",
		       compare->counts[COMPARE_BETTER], compare->counts[COMPARE_WORSE],
		       compare->counts[COMPARE_NO_EVIDENCE], compare->counts[COMPARE_NOT_JUDGED],
		       compare->alone);
	if (record_end("compare", err) < 0)
		return -EIO;
	return compare->counts[COMPARE_WORSE] ? 1 : 0;
}

int bench_compare(int argc, char **argv)
{
	bool json = false;
	const struct option_set set = {
		.bench = "compare",
		.usage = "[OPTION]... BEFORE AFTER",
		.about =
			"Compares two results that `penstock bench ... --json` wrote, figure by figure. One\n"
			"of them may be -. Judged is what was measured against something else in the same\n"
			"moments; the rest moves with the machine. Exit status 1: something became worse.\n",
		.json = &json,
		.arguments = 2,
	};
	struct compare compare = { 0 };
	int result = option_parse(&set, argc, argv);

	if (result == 0 && argc - optind < 2) {
		warnx("bench compare: want two results; see --help");
		result = -EINVAL;
	}
	if (result != 0)
		return result > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	compare.changes = json_array();
	if (record_read(argv[optind], &compare.before) < 0 ||
	    record_read(argv[optind + 1], &compare.after) < 0)
		result = OPTION_USAGE;
	else
		result = compare_all(&compare, json);
	json_decref(compare.before);
	json_decref(compare.after);
	json_decref(compare.changes);
	return result < 0 ? EXIT_FAILURE : result;
}
