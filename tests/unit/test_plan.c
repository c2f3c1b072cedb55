// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Fact sets in tests/unit/plan/, one file each: what a box and a card say, and the decision table that must
 * come of it, as `penstock plan` prints it. To add one: `penstock plan --facts IF` on the box, its lines into
 * a new file with a line that says what is special, then PENSTOCK_BLESS=1 writes the table; read it before it
 * is committed.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/engine.h"
#include "host/modes/choose.h"
#include "host/modes/explain.h"
#include "host/modes/fact.h"

#define FILES_LEAST 60
#define PATH_SIZE   512

struct sample {
	char path[PATH_SIZE];
	struct platform platform;
	struct capability port;
	char wish[16];
	bool native_peers;
	char *head, *table; /* the file up to the empty line, and what follows it */
};

/* The file's lines up to an empty one, and all that follows. */
static void read_parts(struct sample *sample)
{
	FILE *stream = fopen(sample->path, "re");
	size_t size[2] = { 0 };
	FILE *parts[2] = { open_memstream(&sample->head, &size[0]),
			   open_memstream(&sample->table, &size[1]) };
	char *line = NULL;
	size_t room = 0;
	int part = 0;

	cr_assert_not_null(stream, "%s", sample->path);
	while (getline(&line, &room, stream) >= 0) {
		if (!part && *line == '\n')
			part = 1;
		else
			fputs(line, parts[part]);
	}
	free(line);
	fclose(parts[0]);
	fclose(parts[1]);
	fclose(stream);
}

/* How a decision is asked for is no fact. */
static bool set_question(struct sample *sample, const char *name, const char *value)
{
	if (strcmp(name, "wish") == 0)
		snprintf(sample->wish, sizeof(sample->wish), "%s", value);
	else if (strcmp(name, "native_peers") == 0)
		sample->native_peers = strcmp(value, "no") != 0;
	else
		return false;
	return true;
}

static void set_line(struct sample *sample, char *line)
{
	char *value = strchr(line, ':');
	int error;

	if (*line == '#' || !*line)
		return;
	cr_assert_not_null(value, "%s: '%s' is no 'name: value'", sample->path, line);
	*value++ = 0;
	value += strspn(value, " ");
	if (set_question(sample, line, value))
		return;
	error = fact_set(fact_platform, &sample->platform, line, value);
	if (error)
		error = fact_set(fact_port, &sample->port, line, value);
	cr_assert_eq(error, 0, "%s: no fact '%s', or not a value for it: '%s'", sample->path, line, value);
}

static void read_sample(const char *name, struct sample *ret)
{
	char *copy, *state = NULL;

	*ret = (struct sample){ .wish = "auto", .native_peers = true };
	snprintf(ret->path, sizeof(ret->path), "%s/%s", PLAN_DIRECTORY, name);
	fact_default_platform(&ret->platform);
	fact_default_port(&ret->port);
	read_parts(ret);
	copy = strdup(ret->head);
	for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		set_line(ret, line);
	free(copy);
	ret->platform.version = platform_version(ret->platform.release);
}

static void bless(const struct sample *sample, const char *table)
{
	FILE *stream = fopen(sample->path, "we");

	cr_assert_not_null(stream);
	fprintf(stream, "%s\n%s", sample->head, table);
	fclose(stream);
}

static bool is_command(const char *fix)
{
	static const char *const starts[] = { "ip ",       "ethtool ", "sysctl ", "use ", "dpdk-devbind.py ",
					      "penstock ", "a " };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(fix, starts[i], strlen(starts[i])) == 0)
			return true;
	return !*fix;
}

/* What every decision must be, whatever the table says. */
static void check_sense(const struct sample *sample, const struct decision *decision)
{
	cr_expect_leq(decision->chosen, decision->count - 1);
	cr_expect_str_eq(decision->option[decision->count - 1].mode, CHOOSE_KERNEL, "%s", sample->path);
	cr_expect_gt(strlen(decision->reason), 0, "%s", sample->path);
	cr_expect_str_eq(decision->tier[0], decision->option[decision->chosen].mode, "%s", sample->path);
	cr_expect_str_eq(decision->tier[decision->tiers - 1], CHOOSE_KERNEL, "%s", sample->path);
	for (unsigned int i = 0; i < decision->count; i++) {
		const struct probe *probe = &decision->option[i].probe;

		cr_expect_gt(strlen(probe->reason), 0, "%s", sample->path);
		cr_expect(is_command(probe->fix), "%s: '%s' is no command", sample->path, probe->fix);
		cr_expect(strcmp(sample->wish, "auto") != 0 || i >= decision->chosen || !probe->possible ||
				  probe->asked || strncmp(decision->reason, "measured", 8) == 0,
			  "%s: %s is possible and better", sample->path, decision->option[i].mode);
	}
	cr_expect(decision->refused || decision->chosen == decision->count - 1 ||
			  decision->option[decision->chosen].probe.possible,
		  "%s", sample->path);
}

static void check_sample(const char *name, const char *mode_seen[], unsigned int *modes)
{
	struct decision decision;
	struct sample sample;
	char *table = NULL;
	size_t size = 0;
	unsigned int i = 0;
	FILE *stream = open_memstream(&table, &size);

	read_sample(name, &sample);
	choose(engine_list, &sample.platform, &sample.port, sample.wish, sample.native_peers, &decision);
	explain_port(&sample.port, &decision, stream);
	fclose(stream);
	check_sense(&sample, &decision);
	if (getenv("PENSTOCK_BLESS"))
		bless(&sample, table);
	else
		cr_expect_str_eq(table, sample.table, "%s\n--- expected\n%s--- is\n%s", sample.path,
				 sample.table, table);
	while (i < *modes && strcmp(mode_seen[i], decision.option[decision.chosen].mode) != 0)
		i++;
	if (i == *modes)
		mode_seen[(*modes)++] = decision.option[decision.chosen].mode;
	free(table);
	free(sample.head);
	free(sample.table);
}

static int is_text(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end && strcmp(end, ".txt") == 0;
}

Test(plan, fact_sets_give_the_tables_beside_them)
{
	const char *modes[CHOOSE_OPTIONS];
	struct dirent **entries;
	unsigned int count = 0;
	int files = scandir(PLAN_DIRECTORY, &entries, is_text, alphasort);

	cr_assert_geq(files, FILES_LEAST, "%s holds %d files", PLAN_DIRECTORY, files);
	for (int i = 0; i < files; i++) {
		check_sample(entries[i]->d_name, modes, &count);
		free(entries[i]);
	}
	free(entries);
	cr_expect_geq(count, 3, "each mode is chosen by some");
}
