// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock offload report`: what the programs of an object would cost on a card, by a model.
 */
#include "offload/lint/report_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "offload/lint/lint.h"
#include "offload/lint/line_sizes.h"
#include "offload/lint/model.h"

static const char *const ways_out[COSTS_WAYS_OUT] = { "aborted", "drop", "pass", "tx" };

struct report {
	const struct profile *profile;
	struct model model;
	bool json, lines;
	json_t *list;
};

static json_t *cost_document(const struct report *report, const struct cost *cost)
{
	return json_pack("{s:i, s:I, s:i, s:i, s:i, s:i, s:I, s:f}", "bpf", (int)cost->instructions, "card",
			 (json_int_t)model_instructions(&report->model, cost), "lookups", (int)cost->lookups,
			 "values", (int)cost->values, "packet", (int)cost->packet, "counts",
			 (int)cost->counts, "cycles", (json_int_t)model_cycles(cost, &report->model),
			 "packets_a_second", model_rate(&report->model, cost));
}

static json_t *model_document(const struct model *model)
{
	json_t *document = json_object();

#define X(name, default, text) json_object_set_new(document, #name, json_integer(model->name));
	MODEL_NUMBERS(X)
#undef X
	return document;
}

static void print_cost(const struct report *report, const char *way, const char *which,
		       const struct cost *cost)
{
	printf("  %-8s %-7s %4u %7llu %8u %7u %7u %7u %8llu %8.1f\n", way, which, cost->instructions,
	       (unsigned long long)model_instructions(&report->model, cost), cost->lookups, cost->values,
	       cost->packet, cost->counts, (unsigned long long)model_cycles(cost, &report->model),
	       model_rate(&report->model, cost) / 1e6);
}

static json_t *range_document(const struct report *report, const struct costs_range *range)
{
	json_t *document = json_pack("{s:o, s:o, s:b}", "least", cost_document(report, &range->least), "most",
				     cost_document(report, &range->most), "open", range->open);

	if (range->typical_found)
		json_object_set_new(document, "typical", cost_document(report, &range->typical));
	return document;
}

static void print_range(const struct report *report, const char *way, const struct costs_range *range)
{
	print_cost(report, way, "least", &range->least);
	if (range->typical_found)
		print_cost(report, "", "typical", &range->typical);
	print_cost(report, "", "most", &range->most);
	if (range->open)
		printf("           a loop on the way has no end that is known: it may be more\n");
}

static void print_model(const struct report *report)
{
	printf("An estimate; no card has been measured. Packets a second = cores * clock / "
	       "max(instructions,\n"
	       "(instructions + waiting) / threads), if all packets take this path. The model, to be changed "
	       "by\n"
	       "name=number:\n");
#define X(name, default, text) printf("  %-10s %6u  %s\n", #name, report->model.name, text);
	MODEL_NUMBERS(X)
#undef X
}

/* What is left of a firmware's elements for routes, if this is a router; 0: it is none. */
static uint32_t elements_for_routes(const struct lint *lint, const struct profile *profile)
{
	uint64_t others = 0;
	int tables = 0;

	for (uint32_t i = 0; i < lint->object->map_count; i++) {
		const struct object_map *map = &lint->object->maps[i];

		if (strcmp(map->name, "node") == 0 || strcmp(map->name, "run") == 0)
			tables++;
		else
			others += map->is.max_entries;
	}
	return tables == 2 && others < profile->entries ? (uint32_t)(profile->entries - others) : 0;
}

static uint64_t routes(uint64_t elements, uint32_t root, uint32_t for_1000)
{
	return elements > root && for_1000 ? (elements - root) * 1000 / for_1000 : 0;
}

static json_t *room_document(const struct report *report, const struct lint *lint)
{
	json_t *list = json_array();

	for (int i = 0; i < PROFILE_COUNT; i++) {
		uint32_t left = elements_for_routes(lint, &profiles[i]);
		json_t *document = json_pack("{s:s, s:i, s:i}", "profile", profiles[i].name, "maps",
					     (int)profiles[i].maps, "entries", (int)profiles[i].entries);

		if (left)
			json_object_update_new(
				document,
				json_pack("{s:i, s:I, s:I}", "for_routes", (int)left, "ipv4",
					  (json_int_t)routes(left, report->model.root, report->model.ipv4),
					  "ipv6", (json_int_t)routes(left, 0, report->model.ipv6)));
		json_array_append_new(list, document);
	}
	return list;
}

static void print_room(const struct report *report, const struct lint *lint)
{
	for (int i = 0; i < PROFILE_COUNT; i++) {
		uint32_t left = elements_for_routes(lint, &profiles[i]);

		printf("  firmware %-8s %u of %u maps, %llu of %u elements (%.0f %%)\n", profiles[i].name,
		       lint->resources.maps, profiles[i].maps, (unsigned long long)lint->resources.entries,
		       profiles[i].entries, 100.0 * (double)lint->resources.entries / profiles[i].entries);
		if (left)
			printf("                    of these up to %u for routes: about %llu of IPv4 or %llu "
			       "of "
			       "IPv6\n",
			       left, (unsigned long long)routes(left, report->model.root, report->model.ipv4),
			       (unsigned long long)routes(left, 0, report->model.ipv6));
	}
}

static json_t *lines_document(const struct line_size *lines, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:i, s:s, s:i, s:i}", "function",
						lines[i].function->name, "file", lines[i].place.file, "line",
						(int)lines[i].place.line, "text", lines[i].place.text, "bpf",
						(int)lines[i].bpf, "card", (int)lines[i].card));
	return list;
}

static void print_lines(const struct line_size *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *slash = strrchr(lines[i].place.file, '/');

		if (!i || lines[i].function != lines[i - 1].function) {
			uint32_t bpf = 0, card = 0;

			for (size_t j = i; j < count && lines[j].function == lines[i].function; j++) {
				bpf += lines[j].bpf;
				card += lines[j].card;
			}
			printf("  %-27s %5u %7u\n", lines[i].function->name, bpf, card);
		}
		printf("    %20.20s:%-4u %5u %7u  %.70s\n", slash ? slash + 1 : lines[i].place.file,
		       lines[i].place.line, lines[i].bpf, lines[i].card, lines[i].place.text);
	}
}

/* Appended to the program's last document, or printed. */
static int report_lines(struct report *report, const struct lint *lint, const struct lint_program *program)
{
	struct line_size *lines;
	size_t count;
	int error = line_sizes(lint->object, program, &lines, &count);

	if (error)
		return error;
	if (report->json)
		json_object_set_new(json_array_get(report->list, json_array_size(report->list) - 1), "lines",
				    lines_document(lines, count));
	else
		print_lines(lines, count);
	free(lines);
	return 0;
}

static int report_ranges(struct report *report, const struct costs *costs, json_t *ways)
{
	for (uint32_t way = COSTS_WAYS_OUT; way--;) {
		struct costs_range range;
		int error =
			costs_range(costs, way, model_cycles, &report->model, report->model.typical, &range);

		if (error)
			return error;
		if (!range.found)
			continue;
		if (ways)
			json_object_set_new(ways, ways_out[way], range_document(report, &range));
		else
			print_range(report, ways_out[way], &range);
	}
	return 0;
}

static int report_program(struct report *report, const struct lint *lint, const struct lint_program *program)
{
	json_t *ways = report->json ? json_object() : NULL;
	int error;

	model_fit(&report->model, program->card);
	if (!ways)
		printf("%s: %s, %u instructions of BPF, %s%u of the card's; there is room for %u\n"
		       "                    BPF  card's  lookups  values  packet  counts   cycles     Mpps\n",
		       lint->object->label, program->function->name, program->instructions,
		       report->model.length ? "" : "about ",
		       report->model.length ? report->model.length : program->card,
		       report->profile->program_length);
	error = report_ranges(report, &program->costs, ways);
	if (ways)
		json_array_append_new(
			report->list,
			json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:i, s:I, s:i}", "object",
				  lint->object->label, "program", program->function->name, "instructions",
				  (int)program->instructions, "card", (int)program->card, "ways", ways,
				  "model", model_document(&report->model), "firmware",
				  room_document(report, lint), "maps", (int)lint->resources.maps, "entries",
				  (json_int_t)lint->resources.entries, "findings",
				  (int)lint->findings.count));
	if (report->lines && !error)
		error = report_lines(report, lint, program);
	return error;
}

static int report_object(struct report *report, const char *path)
{
	struct why why = { "" };
	struct lint lint;
	int error = 0;

	if (lint_file(path, report->profile, true, &lint, &why) < 0)
		return cli_usage("%s", why.text);
	for (uint32_t i = 0; i < lint.program_count && !error; i++)
		error = report_program(report, &lint, &lint.programs[i]);
	if (!report->json) {
		print_room(report, &lint);
		if (lint.findings.count)
			printf("  a card would not have it as it is: penstock offload lint %s\n", path);
		print_model(report);
	}
	lint_close(&lint);
	return error ? cli_fail("%s: out of memory", path) : CLI_DONE;
}

int report_command(int argc, char **argv)
{
	struct profile profile = profiles[0];
	struct report report = { .profile = &profile, .model = model_default };
	const char *path = NULL;
	struct why why = { "" };
	struct cli cli;
	int first = cli_parse(argc, argv, "jpFL", &cli), status;

	if (first < 0)
		return -first;
	if (cli.profile && profile_find(cli.profile, &profile, &why) < 0)
		return cli_usage("%s", why.text);
	for (int i = first; i < argc; i++) {
		if (!strchr(argv[i], '=') && !path)
			path = argv[i];
		else if (model_set(&report.model, argv[i], &why) < 0)
			return cli_usage("%s", why.text);
	}
	if (!path)
		return cli_usage("report on which object? give a file that clang -target bpf wrote");
	report.json = cli.json;
	report.lines = cli.lines;
	report.list = json_array();
	status = report_object(&report, path);
	if (status == CLI_DONE && cli.json)
		return cli_print_json(&cli, report.list);
	json_decref(report.list);
	return status;
}
