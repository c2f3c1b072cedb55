// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/compare.h"
#include "bench/record.h"

#define ROUNDS 9

// Rounds around a value that differ by some thousandths.
static const double steady[ROUNDS] = { 1.000, 1.003, 0.998, 1.001, 0.997, 1.002, 0.999, 1.004, 1.000 };

static void scale(double values[ROUNDS], double by)
{
	for (int i = 0; i < ROUNDS; i++)
		values[i] = steady[i] * by;
}

static enum compare_verdict judge(const double *old, const double *new, enum record_better better,
				  bool relative)
{
	struct record_figure before = { "a", "", better, relative, old, ROUNDS };
	struct record_figure after = { "a", "", better, relative, new, ROUNDS };
	struct compare_change change;

	compare_figures(&before, &after, &change);
	return change.verdict;
}

Test(compare, tells_better_from_worse)
{
	double up[ROUNDS], down[ROUNDS];

	scale(up, 1.05);
	scale(down, 0.95);
	cr_assert_eq(judge(steady, up, RECORD_MORE, true), COMPARE_BETTER);
	cr_assert_eq(judge(steady, up, RECORD_LESS, true), COMPARE_WORSE);
	cr_assert_eq(judge(steady, down, RECORD_MORE, true), COMPARE_WORSE);
	cr_assert_eq(judge(steady, down, RECORD_LESS, true), COMPARE_BETTER);
}

Test(compare, wants_evidence)
{
	double close[ROUNDS], wide[ROUNDS] = { 0.8, 1.3, 1.1, 0.9, 1.2, 1.05, 0.85, 1.25, 1.15 };

	scale(close, 1.01); // apart, but no more than two runs of the same program may be
	cr_assert_eq(judge(steady, close, RECORD_MORE, true), COMPARE_NO_EVIDENCE);
	cr_assert_eq(judge(steady, wide, RECORD_MORE, true), COMPARE_NO_EVIDENCE);
	cr_assert_eq(judge(steady, steady, RECORD_MORE, true), COMPARE_NO_EVIDENCE);
}

Test(compare, does_not_judge_what_moves_with_the_machine)
{
	double twice[ROUNDS];

	scale(twice, 2);
	cr_assert_eq(judge(steady, twice, RECORD_MORE, false), COMPARE_NOT_JUDGED);
}

Test(compare, counts_judge_by_their_only_value)
{
	double none = 0, some = 3;
	struct record_figure before = { "lost", "packets", RECORD_LESS, true, &none, 1 };
	struct record_figure after = { "lost", "packets", RECORD_LESS, true, &some, 1 };
	struct compare_change change;

	compare_figures(&before, &after, &change);
	cr_assert_eq(change.verdict, COMPARE_WORSE);
	compare_figures(&before, &before, &change);
	cr_assert_eq(change.verdict, COMPARE_NO_EVIDENCE);
}

static void write_file(char path[32], const char *text)
{
	int fd = mkstemp(strcpy(path, "/tmp/penstock-unit-XXXXXX"));

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

Test(record, comes_back_as_it_was_written)
{
	double values[RECORD_VALUES];
	struct record_figure figure;
	json_t *record = record_new("test"), *back;
	char path[32];
	FILE *file;

	cr_assert_not_null(record_add(
		record, &(struct record_figure){ "a b", "ns", RECORD_LESS, true, steady, ROUNDS }));
	write_file(path, "");
	file = fopen(path, "w");
	cr_assert_eq(record_print(file, record), 0);
	fclose(file);
	cr_assert_eq(record_read(path, &back), 0);
	unlink(path);
	cr_assert_null(record_find(back, "a"));
	cr_assert(record_figure(record_find(back, "a b"), &figure, values));
	cr_assert_str_eq(figure.unit, "ns");
	cr_assert_eq(figure.better, RECORD_LESS);
	cr_assert(figure.relative);
	cr_assert_eq(figure.count, ROUNDS);
	cr_assert_arr_eq(values, steady, sizeof(steady));
	json_decref(back);
}

Test(record, refuses_what_is_none)
{
	static const char *const texts[] = { "",
					     "[]",
					     "{}",
					     "{\"figures\": 1}",
					     "{\"figures\": []}",
					     "{\"figures\": [], \"version\": 77}",
					     "{\"figures\": [" };
	json_t *record = NULL;
	char path[32];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(path, texts[i]);
		cr_assert_lt(record_read(path, &record), 0, "%s", texts[i]);
		unlink(path);
	}
	cr_assert_lt(record_read("/nonexistent", &record), 0);
	cr_assert_null(record);
}

Test(record, knows_a_figure_from_anything_else)
{
	static const char *const texts[] = {
		"{}", "{\"name\": \"a\", \"unit\": \"\", \"better\": \"more\", \"values\": []}",
		"{\"name\": 1, \"unit\": \"\", \"better\": \"more\", \"values\": [1]}",
		"{\"name\": \"a\", \"unit\": \"\", \"better\": \"more\", \"values\": [\"1\"]}",
		"{\"name\": \"a\", \"unit\": \"\", \"values\": [1]}"
	};
	double values[RECORD_VALUES];
	struct record_figure figure;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *entry = json_loads(texts[i], 0, NULL);

		cr_assert_not(record_figure(entry, &figure, values), "%s", texts[i]);
		json_decref(entry);
	}
}
