// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/equal.h"

#include "bench/collect.h"
#include "bench/equal_replay.h"
#include "bench/generator.h"
#include "bench/machine.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/scenario.h"
#include "bench/stop.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EQUAL_REPLAY   "replay"
#define EQUAL_MOST     17
// Packets that are still under way: so long nothing comes any more.
#define EQUAL_QUIET_NS 150000000ull
#define EQUAL_POLL_NS  500000

// What one mode made of the capture.
struct equal_result {
	const char *name;
	struct why skipped;    // why it could not be had; text "": it was
	struct recording *out; // sorted
	__u32 lacks, extra;    // against the first mode
	__u32 left;            // to Linux, by replay
	__u32 fragments;       // that were not sent
};

struct equal {
	const char *pcap, *keep;
	struct load load;
	bool json, with_replay;
	const struct subject *subjects[OPTION_SUBJECTS];
	unsigned int subject_count;
	struct scenario scenario;
	struct recording *recording, *whole; // whole: without fragments
	struct topology topology;
	struct generate *generate;
	struct subject_bed *beds;
	struct generator_bed generator_bed;
	struct generator *generator;
	struct collect *collect;
	struct equal_result results[EQUAL_MOST];
	unsigned int result_count;
};

// --- sending ---

// Sends the capture once, and takes what comes of it.
static int equal_send(struct equal *equal)
{
	const struct timespec pause = { .tv_nsec = EQUAL_POLL_NS };
	struct generator_counts counts;
	struct why why = { 0 };
	unsigned int quiet = 0;
	int taken = 0, err = generator_start(equal->generator, &equal->load, &why);

	if (err < 0) {
		warnx("bench equal: %s", why.text[0] ? why.text : strerror(-err));
		return err;
	}
	while (taken >= 0 && !stop_asked && quiet < EQUAL_QUIET_NS / EQUAL_POLL_NS) {
		nanosleep(&pause, NULL);
		generator_counts(equal->generator, &counts);
		taken = collect_take(equal->collect);
		quiet = counts.done && !taken ? quiet + 1 : 0;
	}
	err = generator_stop(equal->generator, &counts);
	if (err >= 0 && collect_lost(equal->collect))
		warnx("bench equal: more arrives than can be kept; give a lower --rate");
	return stop_asked ? -EINTR : err < 0 ? err : taken < 0 ? taken : 0;
}

static int equal_attached(struct equal *equal, const struct subject *subject, struct equal_result *result)
{
	const struct lane_port *egress, *usual = &equal->topology.subject.r1;
	int err = subject_prepare(equal->beds, subject, &egress);

	if (err >= 0 && egress != usual)
		err = scenario_lead(&equal->scenario, egress);
	if (err >= 0)
		err = subject_attach(equal->beds, subject);
	collect_take(equal->collect); // of the set-up
	collect_clear(equal->collect);
	// DPDK's packet sockets put fragments together before they hand them out.
	if (subject->kind == SUBJECT_DEVICES) {
		equal->generator_bed.recording = equal->whole;
		result->fragments = equal->recording->count - equal->whole->count;
	}
	equal->load.packets = equal->generator_bed.recording->count;
	if (err >= 0 && equal->load.packets)
		err = equal_send(equal);
	equal->generator_bed.recording = equal->recording;
	if (err >= 0)
		result->out = collect_give(equal->collect);
	if (egress != usual)
		scenario_lead(&equal->scenario, usual);
	subject_detach(equal->beds);
	if (err < 0 && !stop_asked)
		warnx("bench equal: cannot send through %s: %s", subject->name, strerror(-err));
	return err;
}

static int equal_keep(const struct equal *equal, const struct equal_result *result)
{
	char path[PATH_MAX];
	FILE *out;
	int err;

	if (!equal->keep)
		return 0;
	snprintf(path, sizeof(path), "%s/%s.pcap", equal->keep, result->name);
	out = fopen(path, "we");
	err = out ? recording_write(result->out, out) : -errno;
	if (out && fclose(out) == EOF)
		err = -EIO;
	if (err < 0)
		warnx("bench equal: cannot write %s: %s", path, strerror(-err));
	return err;
}

static int equal_finish(struct equal *equal, struct equal_result *result)
{
	const struct recording *first = equal->results[0].out;
	struct recording *whole = NULL;
	int err = equal_keep(equal, result);

	recording_sort(result->out);
	if (result->fragments)
		first = whole = recording_whole(first);
	if (!first)
		return -ENOMEM;
	recording_compare(first, result->out, &result->lacks, &result->extra);
	recording_free(whole);
	equal->result_count++;
	return err;
}

static int equal_modes(struct equal *equal)
{
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < equal->subject_count; i++) {
		struct equal_result *result = &equal->results[equal->result_count];

		result->name = equal->subjects[i]->name;
		if (subject_provide(equal->beds, equal->subjects[i], 0, 0, &result->skipped) < 0) {
			equal->result_count++;
			continue;
		}
		err = equal_attached(equal, equal->subjects[i], result);
		if (err >= 0)
			err = equal_finish(equal, result);
	}
	if (err >= 0 && equal->with_replay) {
		struct equal_result *result = &equal->results[equal->result_count];

		result->name = EQUAL_REPLAY;
		err = equal_replay(&equal->topology.subject, equal->recording, &result->out, &result->left);
		if (err >= 0)
			err = equal_finish(equal, result);
	}
	return err;
}

// --- results ---

// What replay leaves to Linux, Linux may forward.
static bool equal_is(const struct equal_result *result)
{
	return !result->extra && result->lacks <= result->left;
}

static void equal_table(const struct equal *equal)
{
	const struct equal_result *first = &equal->results[0];

	printf("%s: %u packets\n\n%-18s %10s %12s\n", equal->pcap, equal->recording->count, "mode",
	       "forwarded", "bytes");
	for (unsigned int i = 0; i < equal->result_count; i++) {
		const struct equal_result *result = &equal->results[i];

		if (result->skipped.text[0]) {
			printf("%-18s not here: %s\n", result->name, result->skipped.text);
			continue;
		}
		printf("%-18s %10u %12llu  ", result->name, result->out->count, result->out->used);
		if (!equal_is(result))
			printf("differs from %s: %u of its packets are missing, %u are others\n", first->name,
			       result->lacks, result->extra);
		else if (result->left)
			printf("equal, but for what it leaves to Linux: %u packets\n", result->left);
		else if (result->fragments)
			printf("equal, without %u fragments, which DPDK's packet sockets reassemble\n",
			       result->fragments);
		else
			printf("%s\n", i ? "equal" : "");
	}
}

static int equal_json(const struct equal *equal)
{
	json_t *record = record_new("equal"), *modes = json_array();

	json_object_set_new(record, "packets", json_integer(equal->recording->count));
	json_object_set_new(record, "modes", modes);
	for (unsigned int i = 0; i < equal->result_count; i++) {
		const struct equal_result *result = &equal->results[i];
		json_t *mode = json_pack("{s:s}", "mode", result->name);

		if (result->skipped.text[0])
			json_object_set_new(mode, "skipped", json_string(result->skipped.text));
		else
			json_object_update_new(mode, json_pack("{s:i, s:I, s:i, s:i, s:i, s:i, s:b}",
							       "forwarded", result->out->count, "bytes",
							       (json_int_t)result->out->used, "missing",
							       result->lacks, "others", result->extra, "left",
							       result->left, "fragments", result->fragments,
							       "equal", equal_is(result)));
		json_array_append_new(modes, mode);
	}
	return record_print(stdout, record);
}

static int equal_report(const struct equal *equal)
{
	int err = 0;

	if (equal->json)
		err = equal_json(equal);
	else
		equal_table(equal);
	err = record_end("equal", err);
	if (err < 0)
		return err;
	for (unsigned int i = 0; i < equal->result_count; i++)
		if (!equal->results[i].skipped.text[0] && !equal_is(&equal->results[i]))
			return -EBADMSG;
	return 0;
}

// --- set-up ---

static int equal_load(struct equal *equal)
{
	static const __u8 families[] = { AF_INET, AF_INET6 };
	struct scenario_bed bed = { &equal->topology, equal->generate, equal->beds, false };
	size_t routes;
	int err = 0;

	for (unsigned int i = 0; i < equal->subject_count; i++)
		bed.own_table |= equal->subjects[i]->own_table;
	for (unsigned int i = 0; err >= 0 && i < 2; i++)
		if (scenario_has(&equal->scenario, families[i]))
			err = scenario_load(&equal->scenario, &bed, families[i], &routes);
	return err;
}

static int equal_set_up(struct equal *equal)
{
	struct why why = { 0 };
	int err = generate_open(&equal->topology, &equal->generate);

	equal->generator_bed = (struct generator_bed){ .lane = &equal->topology.subject,
						       .generate = equal->generate,
						       .recording = equal->recording };
	if (err >= 0)
		err = subject_open(&equal->topology, &stop_asked, &equal->beds);
	if (err >= 0)
		err = equal_load(equal);
	if (err >= 0)
		err = generate_sink(equal->generate, GENERATE_SINK_PASSES);
	if (err >= 0)
		err = collect_open(&equal->topology.subject, &equal->collect);
	if (err >= 0)
		err = generator_open(&generator_pcap, &equal->generator_bed, &equal->generator, &why);
	if (err < 0 && !stop_asked)
		warnx("bench equal: cannot set up the sender or the router: %s",
		      why.text[0] ? why.text : strerror(-err));
	return err;
}

static int equal_run(struct equal *equal)
{
	int err = topology_open_for("bench equal", NULL, &equal->topology);

	if (err < 0)
		return err;
	err = equal_set_up(equal);
	if (err >= 0)
		err = equal_modes(equal);
	if (err >= 0)
		err = equal_report(equal);
	generator_close(equal->generator);
	collect_close(equal->collect);
	subject_close(equal->beds);
	generate_close(equal->generate);
	topology_close(&equal->topology);
	for (unsigned int i = 0; i < EQUAL_MOST; i++)
		recording_free(equal->results[i].out);
	if (stop_asked)
		warnx("bench equal: interrupted");
	return err;
}

// --- options ---

static bool equal_fits(const struct subject *subject)
{
	return subject->delivery != SUBJECT_NOTHING && !subject->remark && subject->kind != SUBJECT_REMOTE;
}

static int equal_take_modes(void *into, const char *bench, const char *value)
{
	size_t length = strlen(value), replay = strlen("," EQUAL_REPLAY);
	struct equal *equal = into;
	char names[512];

	snprintf(names, sizeof(names), "%s", value);
	equal->with_replay = length > replay && length < sizeof(names) &&
			     strcmp(value + length - replay, "," EQUAL_REPLAY) == 0;
	if (equal->with_replay)
		names[length - replay] = 0;
	return option_subjects(bench, "--modes", names, equal_fits,
			       "routers that forward, and replay as the last one", equal->subjects,
			       &equal->subject_count);
}

static int equal_take_rate(void *into, const char *bench, const char *value)
{
	struct equal *equal = into;
	unsigned int rate = 0;
	int err = 0;

	equal->load.timing = strcmp(value, "captured") == 0 ? LOAD_AS_CAPTURED : LOAD_AT_RATE;
	if (equal->load.timing == LOAD_AT_RATE && strcmp(value, "max") != 0)
		err = option_number(bench, "--rate", value, 1, 10000000, &rate);
	equal->load.rate = rate;
	return err;
}

static int equal_parse(struct equal *equal, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "pcap", "FILE", "pcap or pcapng; MACs are rewritten", .text = &equal->pcap },
		{ "routes", "WHAT", "1, full, a number, or a file, as of bench forward", "1",
		  .scenario = &equal->scenario },
		{ "modes", "A,B,...",
		  "which ones\n"
		  "as `penstock bench forward --help` lists them, and replay: `penstock replay`",
		  "kernel,penstock-generic,penstock,penstock-afxdp,penstock-dpdk," EQUAL_REPLAY,
		  .take = equal_take_modes, .into = equal },
		{ "rate", "WHAT", "packets a second, captured: as in the capture, or max", "10000",
		  .take = equal_take_rate, .into = equal },
		{ "keep", "DIRECTORY", "what each mode forwards, as DIRECTORY/MODE.pcap",
		  .text = &equal->keep },
		{ "cpu", "N", "the CPU that sends (the first one)", .cpu = &equal->load.cpu },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "equal",
		.usage = "--pcap FILE [OPTION]...",
		.about = "Sends a capture once through one mode after the other, in network namespaces\n"
			 "of its own: all must make the same bytes of it as the first one. As root.\n",
		.json = &equal->json,
		.lines = lines,
	};
	int err;

	equal->load.cpu = machine_first_cpu();
	err = option_parse(&set, argc, argv);
	if (err == 0 && !equal->pcap) {
		warnx("bench equal: --pcap is missing; see --help");
		err = -EINVAL;
	}
	return err;
}

// Looks at all that the user gave before anything is made.
static int equal_read(struct equal *equal)
{
	struct why why = { 0 };
	int err = recording_read(equal->pcap, &equal->recording, &why);

	if (err < 0)
		warnx("bench equal: %s", why.text[0] ? why.text : strerror(-err));
	if (err >= 0) {
		equal->whole = recording_whole(equal->recording);
		err = equal->whole ? 0 : -ENOMEM;
	}
	return err;
}

int bench_equal(int argc, char **argv)
{
	struct equal *equal = calloc(1, sizeof(*equal));
	int code = EXIT_FAILURE, err;

	if (!equal || scenario_open(&equal->scenario, &stop_asked) < 0) {
		free(equal);
		return EXIT_FAILURE;
	}
	err = equal_parse(equal, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	} else if (equal_read(equal) >= 0) {
		stop_catch();
		code = equal_run(equal) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	recording_free(equal->recording);
	recording_free(equal->whole);
	scenario_close(&equal->scenario);
	free(equal);
	return code;
}
