// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/option.h"

#include "bench/traffic.h"

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_TEXT      512
#define OPTION_FCS       4
#define OPTION_VLAN_LAST 4094
#define OPTION_LARGEST   (LOAD_LARGEST + OPTION_FCS)
#define OPTION_FIRST     0x100

int option_refuse(const char *bench, const char *option, const char *value, const char *want)
{
	warnx("bench %s: %s %s: want %s", bench, option, value, want);
	return -EINVAL;
}

int option_number(const char *bench, const char *option, const char *value, unsigned int least,
		  unsigned int most, unsigned int *ret_number)
{
	char *end, want[64];
	unsigned long number = strtoul(value, &end, 10);

	if (end == value || *end || *value == '-' || number < least || number > most) {
		snprintf(want, sizeof(want), "a number from %u to %u", least, most);
		return option_refuse(bench, option, value, want);
	}
	*ret_number = number;
	return 0;
}

// How long something lasts.
static int option_seconds(const char *bench, const char *option, const char *value, double least, double most,
			  double *ret_seconds)
{
	char *end, want[64];
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= least && seconds <= most)) {
		snprintf(want, sizeof(want), "a number from %g to %g", least, most);
		return option_refuse(bench, option, value, want);
	}
	*ret_seconds = seconds;
	return 0;
}

// A CPU that this process may run on.
static int option_cpu(const char *bench, const char *value, unsigned int *ret_cpu)
{
	char *end;
	unsigned long cpu = strtoul(value, &end, 10);
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	if (end == value || *end || cpu >= TRAFFIC_CPUS || !CPU_ISSET(cpu, &allowed))
		return option_refuse(bench, "--cpu", value,
				     "the number of a CPU that this process may run on");
	*ret_cpu = cpu;
	return 0;
}

// 0: the value is none.
static unsigned int option_each_family(const char *value, __u8 families[OPTION_FAMILIES])
{
	bool both = strcmp(value, "both") == 0;
	unsigned int count = 0;

	if (both || strcmp(value, "4") == 0)
		families[count++] = AF_INET;
	if (both || strcmp(value, "6") == 0)
		families[count++] = AF_INET6;
	return count;
}

int option_families(const char *bench, const char *value, __u8 families[OPTION_FAMILIES],
		    unsigned int *ret_count)
{
	unsigned int count = option_each_family(value, families);

	if (strcmp(value, "mix") == 0)
		families[count++] = AF_UNSPEC;
	if (!count)
		return option_refuse(bench, "--family", value, "4, 6, both or mix");
	*ret_count = count;
	return 0;
}

int option_subjects(const char *bench, const char *option, const char *value,
		    bool (*fits)(const struct subject *subject), const char *which,
		    const struct subject *subjects[OPTION_SUBJECTS], unsigned int *ret_count)
{
	char copy[OPTION_TEXT], *rest = copy, *name;
	unsigned int count = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((name = strsep(&rest, ","))) {
		const struct subject *subject = subject_find(name);

		if (!subject || !fits(subject))
			return option_refuse(bench, option, name, which);
		if (count == OPTION_SUBJECTS)
			return option_refuse(bench, option, value, "16 names at most");
		subjects[count++] = subject;
	}
	*ret_count = count;
	return 0;
}

static bool option_size(const char *text, struct load *load)
{
	static const struct load imix = { .sizes = { 60, 566, 1514 }, .weights = { 28, 16, 4 } };
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	if (strcmp(text, "imix") == 0) {
		*load = imix;
		return true;
	}
	*load = (struct load){ .sizes = { size - OPTION_FCS }, .weights = { 1 } };
	return end != text && !*end && size >= 64 && size <= OPTION_LARGEST;
}

int option_sizes(const char *bench, const char *value, struct load loads[OPTION_SIZES],
		 unsigned int *ret_count)
{
	char copy[OPTION_TEXT], *rest = copy, *text;
	unsigned int count = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((text = strsep(&rest, ","))) {
		if (count == OPTION_SIZES || !option_size(text, &loads[count]))
			return option_refuse(bench, "--size", text, "up to 4 of 64 to 9018 and imix");
		count++;
	}
	*ret_count = count;
	return 0;
}

// Not one of those that are there already.
static bool option_vlan(const struct lane_vlans *vlans, const char *text, __u16 *ret_vlan)
{
	char *end;
	unsigned long vid = strtoul(text, &end, 10);

	for (unsigned int i = 0; i < vlans->count; i++)
		if (vlans->in[i] == vid)
			return false;
	*ret_vlan = vid;
	return *text >= '0' && *text <= '9' && !*end && vid <= OPTION_VLAN_LAST;
}

int option_vlans(const char *bench, const char *value, struct lane_vlans *ret_vlans)
{
	char copy[OPTION_TEXT], *rest = copy, *out, *text;
	struct lane_vlans vlans = { 0 };

	snprintf(copy, sizeof(copy), "%s", value);
	out = strchr(copy, ':');
	if (out)
		*out++ = 0;
	while ((text = strsep(&rest, ","))) {
		if (vlans.count == LANE_VLANS || !option_vlan(&vlans, text, &vlans.in[vlans.count]))
			return option_refuse(bench, "--vlans", value, "up to 8 of 0 to 4094, each once");
		vlans.count++;
	}
	if (out && (!option_vlan(&vlans, out, &vlans.out) || !vlans.out))
		return option_refuse(bench, "--vlans", value, "another one of 1 to 4094 behind the colon");
	*ret_vlans = vlans;
	return 0;
}

// --- the table ---

struct option_table {
	const struct option_set *set;
	struct option_line json;
	const struct option_line *lines[OPTION_MOST];
	bool given[OPTION_MOST];
	unsigned int count;
};

static void option_add(struct option_table *table, const struct option_line *lines)
{
	for (; lines && lines->name; lines++) {
		assert(table->count < OPTION_MOST);
		table->lines[table->count++] = lines;
	}
}

static void option_fill(struct option_table *table, const struct option_set *set)
{
	*table = (struct option_table){ .set = set,
					.json = { "json", NULL, "results as JSON", NULL, .flag = set->json,
						  .letter = 'j' } };
	option_add(table, set->lines);
	option_add(table, set->more);
	if (set->json)
		table->lines[table->count++] = &table->json;
}

// "--rounds N"
static int option_head(const struct option_line *line, char *text, size_t size)
{
	return snprintf(text, size, "--%s%s%s", line->name, line->value ? " " : "",
			line->value ? line->value : "");
}

static void option_print(FILE *out, const struct option_line *line, int width)
{
	const char *help = line->help;
	char head[64];
	int length;

	option_head(line, head, sizeof(head));
	length = (int)strcspn(help, "\n");
	fprintf(out, "  %-*s  %.*s", width, head, length, help);
	if (line->number || line->seconds)
		fprintf(out, ", %.10g to %.10g", line->least, line->most);
	if (line->usual)
		fprintf(out, " (%s)", line->usual);
	fputc('\n', out);
	while (help[length]) {
		help += length + 1;
		length = (int)strcspn(help, "\n");
		fprintf(out, "  %-*s  %.*s\n", width, "", length, help);
	}
}

static void option_help(const struct option_table *table, FILE *out)
{
	const struct option_set *set = table->set;
	char head[64];
	int width = 0;

	fprintf(out, "Usage: penstock bench %s %s\n%s\n", set->bench, set->usage ? set->usage : "[OPTION]...",
		set->about);
	for (unsigned int i = 0; i < table->count; i++) {
		int length = option_head(table->lines[i], head, sizeof(head));

		width = length > width ? length : width;
	}
	for (unsigned int i = 0; i < table->count; i++)
		option_print(out, table->lines[i], width);
	if (set->print_more)
		set->print_more(out);
}

static int option_take(const char *bench, const struct option_line *line, const char *value)
{
	char option[64];

	snprintf(option, sizeof(option), "--%s", line->name);
	if (line->flag)
		*line->flag = true;
	if (line->text)
		*line->text = value;
	if (line->number)
		return option_number(bench, option, value, line->least, line->most, line->number);
	if (line->seconds)
		return option_seconds(bench, option, value, line->least, line->most, line->seconds);
	if (line->cpu)
		return option_cpu(bench, value, line->cpu);
	if (line->scenario)
		return scenario_add(line->scenario, value);
	if (line->families) {
		*line->family_count = option_each_family(value, line->families);
		return *line->family_count ? 0 : option_refuse(bench, option, value, "4, 6 or both");
	}
	return line->take ? line->take(line->into, bench, value) : 0;
}

// What getopt_long() wants; options are numbered from OPTION_FIRST on.
static void option_describe(const struct option_table *table, struct option *options, char *letters)
{
	for (unsigned int i = 0; i < table->count; i++) {
		const struct option_line *line = table->lines[i];

		options[i] = (struct option){ line->name, line->value ? required_argument : no_argument, NULL,
					      OPTION_FIRST + (int)i };
		if (line->letter)
			letters += sprintf(letters, "%c%s", line->letter, line->value ? ":" : "");
	}
	options[table->count] = (struct option){ "help", no_argument, NULL, 'h' };
	strcpy(letters, "h");
}

static unsigned int option_index(const struct option_table *table, int number)
{
	unsigned int i = 0;

	if (number >= OPTION_FIRST)
		return number - OPTION_FIRST;
	while (table->lines[i]->letter != number)
		i++;
	return i;
}

static int option_take_given(struct option_table *table, int argc, char **argv)
{
	struct option options[OPTION_MOST + 2] = { 0 };
	char letters[2 * OPTION_MOST + 2];
	int number, err = 0;

	option_describe(table, options, letters);
	optind = 0;
	while (err >= 0 && (number = getopt_long(argc, argv, letters, options, NULL)) >= 0) {
		unsigned int index;

		if (number == '?')
			return -EINVAL; // getopt_long() has told why
		if (number == 'h')
			return 1;
		index = option_index(table, number);
		table->given[index] = true;
		err = option_take(table->set->bench, table->lines[index], optarg);
	}
	return err < 0 ? -EINVAL : 0;
}

int option_parse(const struct option_set *set, int argc, char **argv)
{
	struct option_table table;
	int err;

	option_fill(&table, set);
	err = option_take_given(&table, argc, argv);
	if (err > 0)
		option_help(&table, stdout);
	if (err != 0)
		return err;
	if (argc - optind > set->arguments) {
		warnx("bench %s: unknown argument %s; see --help", set->bench, argv[optind + set->arguments]);
		return -EINVAL;
	}
	for (unsigned int i = 0; err >= 0 && i < table.count; i++)
		if (!table.given[i] && table.lines[i]->usual)
			err = option_take(set->bench, table.lines[i], table.lines[i]->usual);
	return err < 0 ? -EINVAL : 0;
}
