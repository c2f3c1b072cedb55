// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_report.h"

#include "bench/record.h"
#include "bench/statistics.h"

#include <string.h>

static const char *const fib_report_kinds[2] = { "independent", "dependent" };

// The entry that others of its place (eBPF or memory) are compared with: the first one that finds something.
static unsigned int fib_report_reference(const struct fib_family *family, unsigned int index, bool dependent)
{
	bool ebpf = family->entries[index].subject->ebpf;
	unsigned int i;

	for (i = 0; i < family->entry_count; i++) {
		const struct fib_entry *entry = &family->entries[i];

		if (entry->subject->ebpf == ebpf && entry->structure && fib_entry_can(entry, dependent))
			break;
	}
	return i < family->entry_count ? i : index;
}

// Is the reference ours: what is the first of its place when nothing is left out?
static bool fib_report_is_ours(const struct fib_family *family, unsigned int index, bool dependent)
{
	const struct fib_subject *reference =
		family->entries[fib_report_reference(family, index, dependent)].subject;
	const struct fib_subject *subjects;
	unsigned int i, count;

	subjects = fib_subject_list(&count);
	for (i = 0; i < count; i++) {
		const struct fib_entry entry = { .subject = &subjects[i] };

		if (subjects[i].ebpf == reference->ebpf && subjects[i].structure &&
		    fib_entry_can(&entry, dependent))
			break;
	}
	return i < count && reference == &subjects[i];
}

// What the entry takes, in times of what the reference takes, each round by itself.
static void fib_report_ratios(const struct fib_family *family, unsigned int stream, unsigned int index,
			      bool dependent, double ratios[FIB_ROUNDS_MAX])
{
	unsigned int reference = fib_report_reference(family, index, dependent);

	for (unsigned int i = 0; i < family->plan->rounds; i++)
		ratios[i] = family->times[stream][index].ns[dependent][i] /
			    family->times[stream][reference].ns[dependent][i];
}

static struct statistics fib_report_ratio(const struct fib_family *family, unsigned int stream,
					  unsigned int index, bool dependent)
{
	double ratios[FIB_ROUNDS_MAX];

	fib_report_ratios(family, stream, index, dependent, ratios);
	return statistics_of(ratios, family->plan->rounds);
}

static void fib_report_cell(FILE *out, const struct fib_family *family, unsigned int stream,
			    unsigned int index, bool dependent)
{
	struct statistics ns =
		statistics_of(family->times[stream][index].ns[dependent], family->plan->rounds);
	struct statistics ratio = fib_report_ratio(family, stream, index, dependent);

	fprintf(out, " %7.1f ±%-5.1f", ns.median, (ns.high - ns.low) / 2);
	if (family->entries[index].structure)
		fprintf(out, " %6.2f", ratio.median);
	else
		fprintf(out, " %6s", "");
}

static void fib_report_lookups(FILE *out, const struct fib_family *family, bool dependent)
{
	fprintf(out, "%-16s", fib_report_kinds[dependent]);
	for (unsigned int stream = 0; stream < FIB_STREAMS; stream++)
		fprintf(out, " %21s", family->streams[stream]->name);
	fputc('\n', out);
	for (unsigned int i = 0; i < family->entry_count; i++) {
		if (!fib_entry_can(&family->entries[i], dependent))
			continue;
		fprintf(out, "%-16s", family->entries[i].subject->name);
		for (unsigned int stream = 0; stream < FIB_STREAMS; stream++)
			fib_report_cell(out, family, stream, i, dependent);
		fputc('\n', out);
	}
	fputc('\n', out);
}

static void fib_report_megabytes(FILE *out, size_t bytes)
{
	if (bytes)
		fprintf(out, " %9.1f", bytes / 1e6);
	else
		fprintf(out, " %9s", "-");
}

static void fib_report_cost(FILE *out, const struct fib_cost *cost)
{
	if (cost->count)
		fprintf(out, "  %8.2f %8.2f %8.1f", cost->mean / 1e3, cost->p99 / 1e3, cost->max / 1e3);
}

static size_t fib_report_count(const struct fib_family *family, bool trace)
{
	const struct fib_built *built = &family->built[0];

	return family->built_count ? (trace ? built->trace.count : built->changes.count) : 0;
}

static void fib_report_build(FILE *out, double seconds)
{
	if (seconds > 0)
		fprintf(out, " %8.3f", seconds);
	else
		fprintf(out, " %8s", "-");
}

static void fib_report_structures(FILE *out, const struct fib_family *family)
{
	size_t changes = fib_report_count(family, false), trace = fib_report_count(family, true);

	fprintf(out, "%-22s %7s %8s %9s %9s", "structure", "load, s", "build, s", "read, MB", "all, MB");
	if (changes)
		fprintf(out, "  %8s %8s %8s", "mean, us", "p99, us", "max, us");
	if (trace)
		fprintf(out, "  %8s %8s %8s", "mean, us", "p99, us", "max, us");
	fputc('\n', out);
	for (unsigned int i = 0; i < family->built_count; i++) {
		const struct fib_built *built = &family->built[i];

		fprintf(out, "%-22s %7.2f", built->structure->kind->name, built->load_seconds);
		fib_report_build(out, built->structure->build_seconds);
		fib_report_megabytes(out, built->memory.lookup);
		fib_report_megabytes(out, built->memory.all);
		fib_report_cost(out, &built->changes);
		fib_report_cost(out, &built->trace);
		fputs(built->structure->lost ? "  gave up\n" : "\n", out);
	}
	if (changes)
		fprintf(out, "Updates: %zu routes that go and come back at random", changes);
	if (trace)
		fprintf(out, "%s%zu of the trace", changes ? "; then " : "Updates: ", trace);
	fputs(changes || trace ? ".\n\n" : "\n", out);
}

static json_t *fib_report_json_statistics(struct statistics statistics)
{
	return json_pack("{s:f, s:f, s:f}", "median", statistics.median, "low", statistics.low, "high",
			 statistics.high);
}

static json_t *fib_report_json_times(const struct fib_family *family, unsigned int stream, unsigned int index,
				     bool dependent)
{
	const double *ns = family->times[stream][index].ns[dependent];
	const struct fib_entry *reference = &family->entries[fib_report_reference(family, index, dependent)];
	json_t *rounds = json_array();

	for (unsigned int i = 0; i < family->plan->rounds; i++)
		json_array_append_new(rounds, json_real(ns[i]));
	return json_pack("{s:o, s:o, s:s, s:o}", "ns",
			 fib_report_json_statistics(statistics_of(ns, family->plan->rounds)), "times",
			 fib_report_json_statistics(fib_report_ratio(family, stream, index, dependent)),
			 "times_of", reference->subject->name, "rounds", rounds);
}

static json_t *fib_report_json_subject(const struct fib_family *family, unsigned int index)
{
	const struct fib_entry *entry = &family->entries[index];
	json_t *lookups = json_object(), *kind;

	for (unsigned int dependent = 0; dependent < 2; dependent++) {
		if (!fib_entry_can(entry, dependent))
			continue;
		kind = json_object();
		for (unsigned int stream = 0; stream < FIB_STREAMS; stream++)
			json_object_set_new(kind, family->streams[stream]->name,
					    fib_report_json_times(family, stream, index, dependent));
		json_object_set_new(lookups, fib_report_kinds[dependent], kind);
	}
	return json_pack("{s:s, s:s, s:s, s:s*, s:o}", "name", entry->subject->name, "summary",
			 entry->subject->summary, "place", entry->subject->ebpf ? "ebpf" : "memory",
			 "structure", entry->structure ? entry->structure->kind->name : NULL, "lookups",
			 lookups);
}

static json_t *fib_report_json_cost(const struct fib_cost *cost)
{
	if (!cost->count)
		return NULL;
	return json_pack("{s:I, s:f, s:f, s:f}", "count", (json_int_t)cost->count, "mean_ns", cost->mean,
			 "p99_ns", cost->p99, "max_ns", cost->max);
}

static json_t *fib_report_json_bytes(size_t bytes)
{
	return bytes ? json_integer(bytes) : NULL;
}

static json_t *fib_report_json_seconds(double seconds)
{
	return seconds > 0 ? json_real(seconds) : NULL;
}

static json_t *fib_report_json_structure(const struct fib_built *built)
{
	return json_pack("{s:s, s:b, s:f, s:o*, s:o*, s:o*, s:o*, s:o*}", "name",
			 built->structure->kind->name, "gave_up", built->structure->lost, "load_seconds",
			 built->load_seconds, "build_seconds",
			 fib_report_json_seconds(built->structure->build_seconds), "read_bytes",
			 fib_report_json_bytes(built->memory.lookup), "all_bytes",
			 fib_report_json_bytes(built->memory.all), "changes",
			 fib_report_json_cost(&built->changes), "trace", fib_report_json_cost(&built->trace));
}

// "fib IPv4 1171945-routes "
static int fib_report_front(const struct fib_family *family, char name[RECORD_NAME])
{
	return snprintf(name, RECORD_NAME, "fib IPv%u %zu-routes ", fib_family_number(family),
			family->table->count);
}

static void fib_report_figures_entry(const struct fib_family *family, unsigned int index, json_t *record)
{
	unsigned int rounds = family->plan->rounds;
	double ratios[FIB_ROUNDS_MAX];
	char name[RECORD_NAME];
	int front = fib_report_front(family, name);

	for (unsigned int kind = 0; kind < 2 * FIB_STREAMS; kind++) {
		unsigned int stream = kind / 2;
		bool dependent = kind % 2;
		const double *ns = family->times[stream][index].ns[dependent];

		if (!fib_entry_can(&family->entries[index], dependent))
			continue;
		snprintf(name + front, sizeof(name) - front, "%s %s %s ns", fib_report_kinds[dependent],
			 family->streams[stream]->name, family->entries[index].subject->name);
		record_add(record, &(struct record_figure){ name, "ns", RECORD_LESS, false, ns, rounds });
		if (!fib_report_is_ours(family, index, dependent))
			continue;
		fib_report_ratios(family, stream, index, dependent, ratios);
		snprintf(name + front, sizeof(name) - front, "%s %s %s times-ours",
			 fib_report_kinds[dependent], family->streams[stream]->name,
			 family->entries[index].subject->name);
		record_add(record, &(struct record_figure){ name, "", RECORD_MORE, rounds >= RECORD_JUDGED,
							    ratios, rounds });
	}
}

static void fib_report_figures_structure(const struct fib_family *family, const struct fib_built *built,
					 json_t *record)
{
	char name[RECORD_NAME];
	int front = fib_report_front(family, name);
	double value = built->memory.lookup;

	front += snprintf(name + front, sizeof(name) - front, "structure %s ", built->structure->kind->name);
	snprintf(name + front, sizeof(name) - front, "load");
	record_add(record, &(struct record_figure){ name, "s", RECORD_LESS, false, &built->load_seconds, 1 });
	if (built->structure->build_seconds > 0) {
		snprintf(name + front, sizeof(name) - front, "build");
		record_add(record, &(struct record_figure){ name, "s", RECORD_LESS, false,
							    &built->structure->build_seconds, 1 });
	}
	if (value > 0) {
		snprintf(name + front, sizeof(name) - front, "read-memory");
		record_add(record, &(struct record_figure){ name, "bytes", RECORD_LESS, true, &value, 1 });
	}
	if (!built->changes.count)
		return;
	snprintf(name + front, sizeof(name) - front, "update-mean");
	record_add(record,
		   &(struct record_figure){ name, "ns", RECORD_LESS, false, &built->changes.mean, 1 });
	snprintf(name + front, sizeof(name) - front, "update-max");
	record_add(record, &(struct record_figure){ name, "ns", RECORD_LESS, false, &built->changes.max, 1 });
}

void fib_report_tables(FILE *out, const struct fib_family *family)
{
	fprintf(out,
		"IPv%u: %zu routes. Nanoseconds of CPU time per lookup: median of %u round%s of %g ms, ± "
		"half of\n"
		"the 95 %% interval, and in times of the first of its place. All agreed on %zu "
		"addresses.\n\n",
		fib_family_number(family), family->table->count, family->plan->rounds,
		family->plan->rounds == 1 ? "" : "s", family->plan->seconds * 1e3, family->checked);
	fib_report_lookups(out, family, false);
	fib_report_lookups(out, family, true);
	fib_report_structures(out, family);
}

json_t *fib_report_json(const struct fib_family *family)
{
	json_t *subjects = json_array(), *structures = json_array();

	for (unsigned int i = 0; i < family->entry_count; i++)
		json_array_append_new(subjects, fib_report_json_subject(family, i));
	for (unsigned int i = 0; i < family->built_count; i++)
		json_array_append_new(structures, fib_report_json_structure(&family->built[i]));
	return json_pack("{s:i, s:I, s:I, s:o, s:o}", "family", fib_family_number(family), "routes",
			 (json_int_t)family->table->count, "checked", (json_int_t)family->checked,
			 "structures", structures, "subjects", subjects);
}

void fib_report_figures(const struct fib_family *family, json_t *record)
{
	for (unsigned int i = 0; i < family->entry_count; i++)
		fib_report_figures_entry(family, i, record);
	for (unsigned int i = 0; i < family->built_count; i++)
		fib_report_figures_structure(family, &family->built[i], record);
}

int fib_report_json_print(FILE *out, const struct fib_plan *plan, unsigned int cpu, json_t *record,
			  json_t *families)
{
	json_object_update_new(record, json_pack("{s:i, s:f, s:i, s:o}", "rounds", plan->rounds, "seconds",
						 plan->seconds, "cpu", cpu, "families", families));
	return record_print(out, record);
}
