// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock offload check`: would the driver take these objects? With --device the driver of that interface
 * is asked, here and now. Without, offload/nfpcheck/ boots a machine with a stand-in for a card, in which
 * this same command runs with --device, once for each profile; its documents come back by a pipe, a line
 * each.
 */
#include "offload/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "offload/device_load.h"
#include "offload/nfpcheck.h"
#include "offload/profile.h"

static json_t *ask_device(const struct cli *cli, int count, char **paths)
{
	json_t *objects = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(objects, device_load(paths[i], cli->device, cli->attach));
	return objects;
}

static const char *text_of(const json_t *document, const char *key)
{
	const char *text = json_string_value(json_object_get(document, key));

	return text ? text : "";
}

static json_int_t sum(const json_t *list, const char *key)
{
	json_int_t total = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		total += json_integer_value(json_object_get(json_array_get(list, i), key));
	return total;
}

/* Whether the driver has decided at all. */
static bool was_asked(const json_t *object)
{
	const char *step = text_of(object, "step");

	return strcmp(step, "open") != 0 && strcmp(step, "device") != 0 && strcmp(step, "time") != 0;
}

static void print_accepted(const json_t *object, const json_t *limits)
{
	const json_t *programs = json_object_get(object, "programs"), *maps = json_object_get(object, "maps");
	json_int_t nfp = sum(programs, "nfp"), entries = sum(maps, "entries");
	double store = (double)json_integer_value(json_object_get(limits, "program_length"));
	double budget = (double)json_integer_value(json_object_get(limits, "entries"));

	printf("accepted  %lld BPF and %lld NFP instructions", sum(programs, "bpf"), nfp);
	if (store > 0)
		printf(", %.1f %% of %.0f", (double)nfp * 100 / store, store);
	printf("; %zu maps, %lld entries", json_array_size(maps), entries);
	if (budget > 0)
		printf(", %.1f %% of %.0f", (double)entries * 100 / budget, budget);
	putchar('\n');
}

static void print_object(const json_t *report, const json_t *object)
{
	const json_t *words = json_object_get(object, "words");
	const char *name = text_of(report, "profile");

	printf("    %-9s ", *name ? name : text_of(report, "device"));
	if (json_is_true(json_object_get(object, "accepted")))
		print_accepted(object, json_object_get(report, "limits"));
	else
		printf("%s %s: %s\n", was_asked(object) ? "refused  " : "no answer", text_of(object, "step"),
		       text_of(object, "error"));
	for (size_t i = 0; i < json_array_size(words); i++)
		printf("              %s\n", json_string_value(json_array_get(words, i)));
}

/* By object, the answers of all reports. */
static void print_reports(const json_t *reports, int count)
{
	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < json_array_size(reports); k++) {
			const json_t *report = json_array_get(reports, k);
			const json_t *object = json_array_get(json_object_get(report, "objects"), (size_t)i);

			if (k == 0)
				printf("%s\n", text_of(object, "object"));
			print_object(report, object);
		}
}

static int status_of(const json_t *reports)
{
	int status = CLI_DONE;

	for (size_t k = 0; k < json_array_size(reports); k++) {
		const json_t *objects = json_object_get(json_array_get(reports, k), "objects");

		for (size_t i = 0; i < json_array_size(objects); i++) {
			const json_t *object = json_array_get(objects, i);

			if (json_is_true(json_object_get(object, "accepted")))
				continue;
			if (!was_asked(object))
				return CLI_USAGE;
			status = CLI_FAILED;
		}
	}
	return status;
}

static json_t *limits_document(const struct profile *profile)
{
	json_t *document = json_object();

#define X(name, open, shipped, text) json_object_set_new(document, #name, json_integer(profile->name));
	NFP_LIMITS(X)
#undef X
	return document;
}

/* The profiles of a list "name,file,...", or all that are known. Returns how many, or a negative errno. */
static int find_profiles(char *names, struct profile *ret_list, struct why *why)
{
	int count = 0;

	if (!names) {
		memcpy(ret_list, profiles, sizeof(profiles));
		return PROFILE_COUNT;
	}
	for (char *name; (name = strsep(&names, ","));) {
		int error;

		if (count == NFPCHECK_PROFILES)
			return why_set(why, E2BIG, "more than %d profiles at once", NFPCHECK_PROFILES);
		error = profile_find(name, &ret_list[count++], why);
		if (error < 0)
			return error;
	}
	return count;
}

static json_t *report_document(const struct profile *profile, const json_t *answer)
{
	return json_pack("{s:s, s:o, s:O}", "profile", profile->name, "limits", limits_document(profile),
			 "objects", json_object_get(json_array_get(answer, 0), "objects"));
}

/* What the stand-in says under each profile. NULL: nothing; why is on stderr. */
static json_t *check_profiles(const struct cli *cli, int count, char **paths)
{
	struct profile list[NFPCHECK_PROFILES];
	json_t *answers[NFPCHECK_PROFILES] = { NULL }, *reports = NULL;
	char *names = cli->profile ? strdup(cli->profile) : NULL;
	struct why why = { "" };
	int profile_count = find_profiles(names, list, &why);

	free(names);
	if (profile_count < 0) {
		cli_usage("%s", why.text);
		return NULL;
	}
	if (nfpcheck_ask(list, profile_count, count, paths, answers)) {
		reports = json_array();
		for (int i = 0; i < profile_count; i++)
			json_array_append_new(reports, report_document(&list[i], answers[i]));
	}
	for (int i = 0; i < profile_count; i++)
		json_decref(answers[i]);
	return reports;
}

static json_t *check_device(const struct cli *cli, int count, char **paths)
{
	return json_pack("[{s:s, s:o}]", "device", cli->device, "objects", ask_device(cli, count, paths));
}

/* Whole paths, the guest starts elsewhere. Those that were resolved are the caller's to free. */
static int resolve(int count, char **words, char **ret_paths)
{
	for (int i = 0; i < count; i++) {
		ret_paths[i] = realpath(words[i], NULL);
		if (!ret_paths[i])
			return cli_usage("%s: %s", words[i], strerror(errno));
	}
	return CLI_DONE;
}

static int check_objects(const struct cli *cli, int count, char **paths)
{
	json_t *reports = cli->device ? check_device(cli, count, paths) : check_profiles(cli, count, paths);
	int status;

	if (!reports)
		return CLI_USAGE;
	status = status_of(reports);
	if (!cli->json) {
		print_reports(reports, count);
		json_decref(reports);
		return status;
	}
	return cli_print_json(cli, reports) ? CLI_FAILED : status;
}

int check_command(int argc, char **argv)
{
	char *paths[NFPCHECK_OBJECTS] = { NULL };
	int first, count, status;
	struct cli cli;

	first = cli_parse(argc, argv, "jpFD", &cli);
	if (first < 0)
		return -first;
	count = argc - first;
	if (count == 0)
		return cli_usage("check which object? give files that clang -target bpf wrote");
	if (count > NFPCHECK_OBJECTS)
		return cli_usage("%d objects are too many at once, %d are not", count, NFPCHECK_OBJECTS);
	if (cli.device && cli.profile)
		return cli_usage("a device has its own limits: --device goes without --profile");
	status = resolve(count, argv + first, paths);
	if (status == CLI_DONE)
		status = check_objects(&cli, count, paths);
	for (int i = 0; i < count; i++)
		free(paths[i]);
	return status;
}
