// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Captures through routers that were written down as text, against the naive router: drawn worlds, all kinds
// of packets, the bytes of the output.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/replay/capture.h"
#include "host/replay/explain.h"
#include "host/replay/session.h"
#include "tests/conformance/world_ip.h"
#include "tests/oracle/packets.h"
#include "tests/oracle/router.h"

#define PACKETS     6000
#define WORLDS      4
#define PORTS       4
#define BIT(reason) (1ull << (reason))

static volatile sig_atomic_t stop;

// What was made of one packet.
struct outcome {
	bool seen, sent;
	int action; // -1: cut too short
	unsigned int reason;
	char port[16]; // it left by
	__u32 captured, length;
	__u8 frame[DRAFT_FRAME + 16];
};

struct bed {
	char directory[64], config[96], input[96], output[96];
	struct world *world;
	struct packet_drawn *packet;
	struct outcome *outcome;
	__u32 snap; // bytes of each packet that the capture keeps
};

/* --- a capture, written by hand --- */

static void put(FILE *file, const void *bytes, size_t count)
{
	cr_assert_eq(fwrite(bytes, 1, count, file), count);
}

static void put_interface(FILE *file, const char *name)
{
	__u32 length = strlen(name), padded = (length + 3) & ~3u, size = 32 + padded;
	__u32 head[] = { 1, size, 1, 262144, 2 | length << 16 };
	char text[16] = "";

	strcpy(text, name);
	put(file, head, sizeof(head));
	put(file, text, padded);
	put(file, (__u32[]){ 0, 0, size }, 12);
}

// The time stamp is the number of the packet, in microseconds.
static void put_packet(FILE *file, __u32 interface, __u32 number, const __u8 *frame, __u32 captured,
		       __u32 length)
{
	__u32 padding = -captured & 3, size = 32 + captured + padding;
	__u32 head[] = { 6, size, interface, 0, number, captured, length };

	put(file, head, sizeof(head));
	put(file, frame, captured);
	put(file, "\0\0\0", padding);
	put(file, &size, 4);
}

static void write_capture(const struct bed *bed)
{
	FILE *file = fopen(bed->input, "wb");
	const __u32 section[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28 };

	cr_assert(file);
	put(file, section, sizeof(section));
	for (__u32 i = 0; i < bed->world->interface_count; i++)
		put_interface(file, bed->world->interface[i].name);
	for (__u32 i = 0; i < PACKETS; i++) {
		const struct packet_drawn *packet = &bed->packet[i];
		__u32 captured = packet->length < bed->snap ? packet->length : bed->snap;

		put_packet(file, packet->port->ifindex - WORLD_FIRST_IFINDEX, i, packet->frame, captured,
			   packet->length);
	}
	cr_assert_eq(fclose(file), 0);
}

/* --- a bed --- */

static void write_config(const struct bed *bed)
{
	FILE *file = fopen(bed->config, "w");

	cr_assert(file);
	world_ip_write(file, bed->world);
	cr_assert_eq(fclose(file), 0);
}

static void open_bed(struct bed *bed, __u64 seed)
{
	struct world_options options = {
		.ports = PORTS, .sub_interfaces = 6, .vrfs = 2, .routes = 200, .live = true
	};
	struct packets *packets;

	memset(bed, 0, sizeof(*bed));
	cr_log_info("seed %llu", (unsigned long long)seed);
	strcpy(bed->directory, "/tmp/penstock-replay-XXXXXX");
	cr_assert(mkdtemp(bed->directory));
	snprintf(bed->config, sizeof(bed->config), "%s/router.txt", bed->directory);
	snprintf(bed->input, sizeof(bed->input), "%s/in.pcapng", bed->directory);
	snprintf(bed->output, sizeof(bed->output), "%s/out.pcapng", bed->directory);
	bed->world = world_random(seed, &options);
	bed->packet = calloc(PACKETS, sizeof(*bed->packet));
	bed->outcome = calloc(PACKETS, sizeof(*bed->outcome));
	packets = packets_new(bed->world, seed);
	for (__u32 i = 0; i < PACKETS; i++)
		packets_next(packets, &bed->packet[i]);
	packets_free(packets);
	bed->snap = DRAFT_FRAME;
	write_config(bed);
}

static void close_bed(struct bed *bed)
{
	unlink(bed->config);
	unlink(bed->input);
	unlink(bed->output);
	cr_assert_eq(rmdir(bed->directory), 0, "something was left behind in %s", bed->directory);
	world_free(bed->world);
	free(bed->packet);
	free(bed->outcome);
}

static int number_of(const char *(*name)(unsigned int), unsigned int count, const char *text)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(name(i), text) == 0)
			return i;
	return -1;
}

static void explained(void *arg, const json_t *packet)
{
	struct bed *bed = arg;
	__u32 number = json_integer_value(json_object_get(packet, "number")) - 1;
	const char *verdict = json_string_value(json_object_get(packet, "verdict"));
	const char *reason = json_string_value(json_object_get(packet, "reason"));

	cr_assert_lt(number, PACKETS);
	cr_assert_not(bed->outcome[number].seen);
	bed->outcome[number].seen = true;
	bed->outcome[number].action = number_of(explain_action, 3, verdict);
	if (bed->outcome[number].action >= 0)
		bed->outcome[number].reason = number_of(explain_reason, REASON_MAX, reason);
}

// Puts what was written into the outcomes; the time stamp says which packet it was.
static void read_output(struct bed *bed)
{
	struct capture_packet packet;
	struct capture *capture;
	struct why why = { "" };
	__u64 last = 0;
	int r;

	cr_assert_eq(capture_open(bed->output, &capture, &why), 0, "%s", why.text);
	while ((r = capture_next(capture, &packet, &why)) > 0) {
		__u64 number = packet.time / 1000;
		struct outcome *outcome = &bed->outcome[number];

		cr_assert_lt(number, PACKETS);
		cr_assert_not(outcome->sent, "packet %llu left twice", (unsigned long long)number);
		cr_assert_geq(number, last, "packets changed places");
		last = number;
		outcome->sent = true;
		strcpy(outcome->port, capture_interface(capture, packet.interface));
		outcome->captured = packet.captured;
		outcome->length = packet.length;
		cr_assert_leq(packet.captured, sizeof(outcome->frame));
		memcpy(outcome->frame, packet.bytes, packet.captured);
	}
	cr_assert_eq(r, 0, "%s", why.text);
	capture_close(capture);
}

static json_t *run(struct bed *bed)
{
	const char *config[] = { bed->config, NULL }, *in[] = { NULL };
	struct session_options options = { .input = bed->input,
					   .output = bed->output,
					   .config = config,
					   .in = in,
					   .explain_from = 1,
					   .explain_to = PACKETS,
					   .stop = &stop,
					   .explained = explained,
					   .arg = bed };
	struct why why = { "" };
	json_t *report;

	memset(bed->outcome, 0, PACKETS * sizeof(*bed->outcome));
	write_capture(bed);
	cr_assert_eq(session_run(&options, &report, &why), 0, "%s", why.text);
	read_output(bed);
	return report;
}

/* --- what is right --- */

static const struct world_interface *port_named(const struct world *world, const char *name)
{
	for (__u32 i = 0; i < world->interface_count; i++)
		if (strcmp(world->interface[i].name, name) == 0)
			return &world->interface[i];
	return NULL;
}

static void check(const struct bed *bed, __u32 number)
{
	const struct packet_drawn *packet = &bed->packet[number];
	const struct outcome *outcome = &bed->outcome[number];
	struct router_answer answer;

	router_answer(bed->world, packet->port, packet->frame, packet->length, &answer);
	cr_assert(outcome->seen);
	cr_assert_eq(outcome->sent, outcome->action == ACTION_FORWARD);
	if (!outcome->sent) {
		cr_assert((answer.forbids | answer.excuses) & BIT(outcome->reason),
			  "packet %u (%s) must not be kept back for %s, but for: %s", number, packet->kind,
			  explain_reason(outcome->reason), router_reasons(answer.forbids | answer.excuses));
		cr_assert(outcome->action == ACTION_PUNT || answer.forbids == BIT(REASON_BLACKHOLE));
		return;
	}
	cr_assert_eq(answer.forbids, 0, "packet %u (%s) must not be forwarded: %s", number, packet->kind,
		     router_reasons(answer.forbids));
	cr_assert_geq(router_member(bed->world, &answer, port_named(bed->world, outcome->port),
				    outcome->frame, outcome->length),
		      0, "packet %u (%s) left by %s as no router would send it", number, packet->kind,
		      outcome->port);
}

static json_int_t count_of(const json_t *report, const char *key)
{
	return json_integer_value(json_object_get(report, key));
}

static void check_report(const struct bed *bed, const json_t *report)
{
	json_int_t forwarded = 0, kernel = 0, dropped = 0;

	for (__u32 i = 0; i < PACKETS; i++) {
		forwarded += bed->outcome[i].action == ACTION_FORWARD;
		kernel += bed->outcome[i].action == ACTION_PUNT;
		dropped += bed->outcome[i].action == ACTION_DROP;
	}
	cr_assert_eq(count_of(report, "packets"), PACKETS);
	cr_assert_eq(count_of(report, "forwarded"), forwarded);
	cr_assert_eq(count_of(report, "kernel"), kernel);
	cr_assert_eq(count_of(report, "dropped"), dropped);
	cr_assert_gt(forwarded, PACKETS / 4);
}

Test(replay, does_what_a_router_does)
{
	struct bed bed;

	for (__u64 seed = 1; seed <= WORLDS; seed++) {
		json_t *report;

		open_bed(&bed, seed);
		report = run(&bed);
		for (__u32 i = 0; i < PACKETS; i++)
			check(&bed, i);
		check_report(&bed, report);
		json_decref(report);
		close_bed(&bed);
	}
}

// A capture that holds only the beginnings of packets gives the same verdicts, and the beginnings of the same
// packets.
Test(replay, of_packets_that_were_cut)
{
	struct outcome *whole;
	json_t *report;
	struct bed bed;

	open_bed(&bed, 5);
	json_decref(run(&bed));
	whole = bed.outcome;
	bed.outcome = calloc(PACKETS, sizeof(*bed.outcome));
	bed.snap = 70;
	report = run(&bed);
	cr_assert_eq(count_of(report, "cut"), 0);
	for (__u32 i = 0; i < PACKETS; i++) {
		const struct outcome *cut = &bed.outcome[i];
		__u32 missing = bed.packet[i].length > 70 ? bed.packet[i].length - 70 : 0;

		cr_assert_eq(cut->action, whole[i].action);
		cr_assert_eq(cut->reason, whole[i].reason);
		cr_assert_eq(cut->length, whole[i].length);
		cr_assert_eq(cut->captured, cut->sent ? cut->length - missing : 0);
		cr_assert_arr_eq(cut->frame, whole[i].frame, cut->captured);
	}
	json_decref(report);
	free(whole);
	close_bed(&bed);
}

Test(replay, of_packets_that_were_cut_too_short)
{
	json_int_t cut = 0;
	json_t *report;
	struct bed bed;

	open_bed(&bed, 6);
	bed.snap = 40;
	report = run(&bed);
	for (__u32 i = 0; i < PACKETS; i++) {
		bool short_one = bed.packet[i].length > 40;

		cut += short_one;
		cr_assert_eq(bed.outcome[i].action < 0, short_one);
		cr_assert(!short_one || !bed.outcome[i].sent);
	}
	cr_assert_eq(count_of(report, "cut"), cut);
	cr_assert_gt(cut, 0);
	json_decref(report);
	close_bed(&bed);
}

// From memory, over and over, the same happens so many times.
Test(replay, from_memory)
{
	json_t *once, *often;
	struct bed bed;
	const char *config[] = { bed.config, NULL }, *in[] = { NULL };
	struct session_options options = {
		.input = bed.input, .config = config, .in = in, .repeat = 3, .stop = &stop
	};
	struct why why = { "" };

	open_bed(&bed, 7);
	once = run(&bed);
	cr_assert_eq(session_run(&options, &often, &why), 0, "%s", why.text);
	cr_assert_eq(count_of(often, "forwarded"), 3 * count_of(once, "forwarded"));
	cr_assert_eq(count_of(often, "kernel"), 3 * count_of(once, "kernel"));
	cr_assert_eq(count_of(often, "dropped"), 3 * count_of(once, "dropped"));
	json_decref(once);
	json_decref(often);
	close_bed(&bed);
}
