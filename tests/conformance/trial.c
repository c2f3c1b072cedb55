// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/decode.h"
#include "tests/oracle/lpm.h"
#include "tests/oracle/router.h"

#define RUNNERS       8
#define BATCH         256
#define REDIRECT_ROOM 18 // Ethernet header and a tag, beyond the MTU
#define SHOWN         6
#define BIT(r)        (1ull << (r))

struct trial {
	const struct world *world;
	struct world_fib *tables;
	const struct runner_ops *ops[RUNNERS];
	void *runner[RUNNERS];
	__u32 runners, take_part; // how many, and their bits
	struct packet_drawn *batch;
	struct runner_outcome *verdict; // of the first runner, for each packet of the batch
	__u32 count, batches;
	struct image_counters *counted;  // [runner * ports + port], up to the last batch
	struct image_counters *expected; // [port], of this batch
	struct lpm *flows;
	struct trial_figures figures;
	__u32 shown;
};

static const enum action actions[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = ACTION_##action,
	REASONS(X)
#undef X
};

static const char *action_name(__u8 action)
{
	static const char *const names[] = { "forward", "punt", "drop" };

	return action < 3 ? names[action] : "?";
}

static bool may_show(struct trial *trial)
{
	return trial->shown++ < SHOWN;
}

static void show(const struct packet_drawn *packet, const struct router_answer *answer, const char *name,
		 const struct runner_outcome *outcome)
{
	char title[96];

	snprintf(title, sizeof(title), "packet %llu (%s) into %s", (unsigned long long)packet->number,
		 packet->kind, packet->port->name);
	decode_print(stdout, title, packet->frame, packet->length);
	printf("    naive router: %s%s", answer->forbids ? "must not be forwarded: " : "forwards",
	       answer->forbids ? router_reasons(answer->forbids) : "");
	printf("%s%s\n", answer->excuses ? "; may be punted: " : "",
	       answer->excuses ? router_reasons(answer->excuses) : "");
	snprintf(title, sizeof(title), "%s: %s %s port %d", name, action_name(outcome->action),
		 outcome->reason == RUNNER_UNKNOWN ? "" : router_reasons(BIT(outcome->reason)),
		 outcome->port);
	decode_print(stdout, title, outcome->frame, outcome->length);
}

/* --- against the naive router --- */

static const struct world_interface *port_interface(const struct trial *trial, __s32 port)
{
	for (__u32 i = 0; i < trial->world->interface_count && port >= 0; i++)
		if (trial->tables->port[i] == port)
			return &trial->world->interface[i];
	return NULL;
}

static void check_flow(struct trial *trial, const struct packet_drawn *packet,
		       const struct router_answer *answer, __u32 member)
{
	const struct router_member *way = &answer->member[member];
	__u32 value = way->mac[5] | way->mac[4] << 8 | way->mac[3] << 16 | way->out->ifindex << 24;
	__u8 key[16] = { 0 };
	__u32 before;

	memcpy(key, &answer->flow, 4);
	memcpy(key + 4, &packet->port->ifindex, 4);
	memcpy(key + 8, packet->frame + 12, 8); // tags: another interface, another table
	if (!lpm_find(trial->flows, key, 128, &before))
		lpm_insert(trial->flows, key, 128, value);
	else if (before != value)
		trial->figures.strayed++;
}

// Why a verdict is wrong; NULL: it is right.
static const char *fault_of(struct trial *trial, const struct packet_drawn *packet,
			    const struct router_answer *answer, const struct runner_outcome *outcome)
{
	__u64 allowed = answer->forbids | answer->excuses;
	int member;

	if (outcome->reason >= REASON_MAX || actions[outcome->reason] != outcome->action)
		return "the reason does not belong to the action";
	if (outcome->action != ACTION_FORWARD) {
		if (outcome->length != packet->length ||
		    memcmp(outcome->frame, packet->frame, packet->length) != 0)
			return "a packet that goes to the kernel was changed";
		if (!(allowed & BIT(outcome->reason)))
			return answer->forbids ? "the reason is not true" : "it must be forwarded";
		if (outcome->action == ACTION_DROP && answer->forbids & ~BIT(REASON_BLACKHOLE))
			return "it must not be dropped: the kernel has more to say";
		return NULL;
	}
	if (answer->forbids)
		return "it must not be forwarded";
	member = router_member(trial->world, answer, port_interface(trial, outcome->port), outcome->frame,
			       outcome->length);
	if (member < 0)
		return "what leaves is wrong";
	if (!port_interface(trial, outcome->port))
		return "the port does not exist";
	if (outcome->length > port_interface(trial, outcome->port)->mtu + REDIRECT_ROOM)
		return "the kernel drops redirected frames that long";
	if (!answer->excuses && answer->path_count > 1)
		check_flow(trial, packet, answer, member);
	return NULL;
}

static void check_right(struct trial *trial, const struct packet_drawn *packet,
			const struct runner_outcome *outcome)
{
	struct router_answer answer;
	const char *fault;

	router_answer(trial->world, packet->port, packet->frame, packet->length, &answer);
	trial->figures.must += !(answer.forbids | answer.excuses);
	trial->figures.forwarded += outcome->action == ACTION_FORWARD;
	trial->figures.reasons[outcome->reason & (REASON_MAX - 1)]++;
	fault = fault_of(trial, packet, &answer, outcome);
	if (!fault)
		return;
	trial->figures.wrong++;
	if (!may_show(trial))
		return;
	printf("wrong: %s\n", fault);
	show(packet, &answer, trial->ops[0]->name, outcome);
}

/* --- builds against each other --- */

static bool same(const struct runner_outcome *one, const struct runner_outcome *two)
{
	return one->action == two->action && (two->reason == RUNNER_UNKNOWN || one->reason == two->reason) &&
	       (two->port < 0 || one->port == two->port) && one->length == two->length &&
	       memcmp(one->frame, two->frame, one->length) == 0;
}

static void show_unequal(struct trial *trial, const struct packet_drawn *packet,
			 const struct runner_outcome *one, __u32 runner, const struct runner_outcome *two)
{
	struct router_answer answer;

	if (!may_show(trial))
		return;
	router_answer(trial->world, packet->port, packet->frame, packet->length, &answer);
	printf("unequal:\n");
	show(packet, &answer, trial->ops[0]->name, one);
	show(packet, &answer, trial->ops[runner]->name, two);
}

static __u16 number_of(const struct trial *trial, const struct packet_drawn *packet)
{
	return trial->tables->port[packet->port->ifindex - WORLD_FIRST_IFINDEX];
}

// With this port taken out of the map of ports, exactly the packets for it must be dropped, or go to the
// kernel: so a build shows which port it means. Once in 16 batches.
static void check_closed(struct trial *trial, __u32 runner, __u16 closed)
{
	static struct runner_outcome outcome;

	trial->ops[runner]->egress(trial->runner[runner], closed, false);
	for (__u32 i = 0; i < trial->count; i++) {
		const struct packet_drawn *packet = &trial->batch[i];
		const struct runner_outcome *first = &trial->verdict[i];
		__u8 action = first->port == closed ? trial->ops[runner]->closed : first->action;

		if (trial->ops[runner]->run(trial->runner[runner], number_of(trial, packet), packet->frame,
					    packet->length, &outcome) < 0 ||
		    outcome.action != action) {
			trial->figures.unequal++;
			show_unequal(trial, packet, first, runner, &outcome);
		}
	}
	trial->ops[runner]->egress(trial->runner[runner], closed, true);
	for (__u32 port = 0; port < trial->tables->ports; port++)
		trial->ops[runner]->counters(trial->runner[runner], port,
					     &trial->counted[runner * IMAGE_PORTS + port]);
}

static bool counters_match(struct trial *trial, __u32 runner, struct image_counters *ret_now, __u16 port)
{
	struct image_counters *before = &trial->counted[runner * IMAGE_PORTS + port];

	if (trial->ops[runner]->counters(trial->runner[runner], port, ret_now) < 0)
		return false;
	for (int reason = 0; reason < REASON_MAX; reason++) {
		const struct image_counter *expected = &trial->expected[port].reason[reason];

		if (ret_now->reason[reason].packets - before->reason[reason].packets != expected->packets ||
		    ret_now->reason[reason].bytes - before->reason[reason].bytes != expected->bytes)
			return false;
	}
	return true;
}

static void show_counters(struct trial *trial, __u32 runner, const struct image_counters *now, __u16 port)
{
	const struct image_counters *before = &trial->counted[runner * IMAGE_PORTS + port];

	if (!may_show(trial))
		return;
	printf("miscounted: %s, port %u, in a batch of %u packets\n", trial->ops[runner]->name, port,
	       trial->count);
	for (int reason = 0; reason < REASON_MAX; reason++) {
		const struct image_counter *expected = &trial->expected[port].reason[reason];
		__u64 packets = now->reason[reason].packets - before->reason[reason].packets;
		__u64 bytes = now->reason[reason].bytes - before->reason[reason].bytes;

		if (packets != expected->packets || bytes != expected->bytes)
			printf("  %s: %llu packets, %llu bytes; must be %llu, %llu\n",
			       router_reasons(BIT(reason)), (unsigned long long)packets,
			       (unsigned long long)bytes, (unsigned long long)expected->packets,
			       (unsigned long long)expected->bytes);
	}
}

static void check_counters(struct trial *trial, __u32 runner)
{
	for (__u32 port = 0; port < trial->tables->ports; port++) {
		struct image_counters now;

		if (!counters_match(trial, runner, &now, port)) {
			trial->figures.miscounted++;
			show_counters(trial, runner, &now, port);
		}
		trial->counted[runner * IMAGE_PORTS + port] = now;
	}
}

static void run_other(struct trial *trial, __u32 runner)
{
	static struct runner_outcome outcome;

	for (__u32 i = 0; i < trial->count; i++) {
		const struct packet_drawn *packet = &trial->batch[i];
		int error = trial->ops[runner]->run(trial->runner[runner], number_of(trial, packet),
						    packet->frame, packet->length, &outcome);

		if (!error && same(&trial->verdict[i], &outcome))
			continue;
		trial->figures.unequal++;
		if (error)
			printf("%s: cannot run packet %llu of %u bytes: %s\n", trial->ops[runner]->name,
			       (unsigned long long)packet->number, packet->length, strerror(-error));
		else
			show_unequal(trial, packet, &trial->verdict[i], runner, &outcome);
	}
	if (trial->ops[runner]->counters)
		check_counters(trial, runner);
	if (trial->ops[runner]->egress && trial->batches % 16 == 0 && trial->tables->ports)
		check_closed(trial, runner, trial->batches / 16 % trial->tables->ports);
}

static void run_first(struct trial *trial)
{
	memset(trial->expected, 0, trial->tables->ports * sizeof(*trial->expected));
	for (__u32 i = 0; i < trial->count; i++) {
		const struct packet_drawn *packet = &trial->batch[i];
		struct runner_outcome *outcome = &trial->verdict[i];
		struct image_counter *counter;

		trial->ops[0]->run(trial->runner[0], number_of(trial, packet), packet->frame, packet->length,
				   outcome);
		counter =
			&trial->expected[number_of(trial, packet)].reason[outcome->reason & (REASON_MAX - 1)];
		counter->packets++;
		counter->bytes += outcome->length;
		check_right(trial, packet, outcome);
	}
}

static int open_runners(struct trial *trial)
{
	for (__u32 i = 0; runner_list[i] && trial->runners < RUNNERS; i++) {
		int error = runner_list[i]->open(trial->tables->store, trial->tables->ports,
						 &trial->runner[trial->runners]);

		if (error == -EPERM || error == -EOPNOTSUPP)
			continue;
		if (error) {
			fprintf(stderr, "cannot open runner %s: %s\n", runner_list[i]->name,
				strerror(-error));
			return error;
		}
		trial->ops[trial->runners++] = runner_list[i];
		trial->take_part |= 1u << i;
	}
	return 0;
}

int trial_new(const struct world *world, struct world_fib *tables, struct trial **ret_trial)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	int error;

	if (!trial)
		return -ENOMEM;
	trial->world = world;
	trial->tables = tables;
	trial->batch = calloc(BATCH, sizeof(*trial->batch));
	trial->verdict = calloc(BATCH, sizeof(*trial->verdict));
	trial->counted = calloc(RUNNERS * IMAGE_PORTS, sizeof(*trial->counted));
	trial->expected = calloc(IMAGE_PORTS, sizeof(*trial->expected));
	trial->flows = lpm_new(128);
	error = trial->batch && trial->verdict && trial->counted && trial->expected && trial->flows
			? open_runners(trial)
			: -ENOMEM;
	if (error)
		trial_free(trial);
	else
		*ret_trial = trial;
	return error;
}

void trial_free(struct trial *trial)
{
	if (!trial)
		return;
	for (__u32 i = 0; i < trial->runners; i++)
		trial->ops[i]->close(trial->runner[i]);
	free(trial->batch);
	free(trial->verdict);
	free(trial->counted);
	free(trial->expected);
	lpm_free(trial->flows);
	free(trial);
}

void trial_packet(struct trial *trial, const struct packet_drawn *packet)
{
	struct packet_drawn *slot = &trial->batch[trial->count];

	if (number_of(trial, packet) == WORLD_FIB_NO_PORT || packet->length < 14)
		return;
	memcpy(slot, packet, offsetof(struct packet_drawn, frame) + packet->length);
	if (++trial->count == BATCH)
		trial_flush(trial);
}

void trial_flush(struct trial *trial)
{
	run_first(trial);
	for (__u32 runner = 1; runner < trial->runners; runner++)
		run_other(trial, runner);
	trial->figures.packets += trial->count;
	trial->count = 0;
	trial->batches++;
}

void trial_forget_flows(struct trial *trial)
{
	struct lpm *empty = lpm_new(128);

	if (!empty)
		return;
	lpm_free(trial->flows);
	trial->flows = empty;
}

const struct trial_figures *trial_figures(const struct trial *trial)
{
	return &trial->figures;
}

__u32 trial_runners(const struct trial *trial)
{
	return trial->take_part;
}
