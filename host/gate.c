// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "host/changes.h"
#include "host/engine/kernel_maps.h"
#include "host/engine/pins.h"
#include "host/fib/fib.h"
#include "host/fib/grace.h"
#include "host/log.h"
#include "host/loop.h"
#include "host/modes/tags.h"
#include "host/modes/veth_peer.h"
#include "host/modes/xdp_features.h"

#define RATE_PERIOD   900     /* ms that a rate is the mean of, at least */
#define RETRY_AFTER   5000    /* ms from one attempt to attach to the next */
#define FORGIVE_FIRST 30000   /* ms until an engine that failed is tried again; each time twice as long */
#define FORGIVE_LAST  3600000 /* ms; at most */

enum action gate_action(unsigned int reason)
{
	switch (reason) {
#define X(number, name, action, string, text)                                                                \
	case REASON_##name:                                                                                  \
		return ACTION_##action;
		REASONS(X)
#undef X
	default:
		return ACTION_PUNT;
	}
}

static void enter(struct gate *gate, enum gate_state state, const char *why)
{
	bool changed = gate->state != state || strcmp(gate->why.text, why) != 0;

	gate->state = state;
	(void)why_set(&gate->why, 0, "%s", why);
	if (!changed)
		return;
	gate->since = time(NULL);
	if (state == GATE_RUNNING)
		log_info("%s: runs in mode %s: %s", gate->name, gate_mode(gate), why);
	else
		log_info("%s: the kernel forwards: %s", gate->name, why);
}

/* Whether others can send to it; where they could, the engine must let them, too. */
static void probe_start(struct gate *gate, struct probe *able)
{
	struct why why = { "" };

	if (!able->possible || gate->started)
		return;
	if (gate->ops->start(gate->engine, &gate->here, &why) < 0)
		probe_no(able, "%.180s", why.text);
	else
		gate->started = true;
}

static void set_egress(struct gate *gate, const struct gate_place *place, const struct engine_state *state)
{
	struct probe able = state->able;
	bool changed;

	probe_start(gate, &able);
	changed = able.possible != gate->egress.possible || strcmp(able.reason, gate->egress.reason) != 0;
	fib_port_egress(place->fib, gate->here.id, able.possible, able.possible && state->frames);
	/* Next hops punt already; whoever read the image before that is through by the next review. */
	if (!able.possible && gate->started && !gate->egress.possible) {
		gate->ops->stop(gate->engine, &gate->here);
		gate->started = false;
	}
	gate->egress = able;
	gate->frames = state->frames;
	snprintf(gate->how, sizeof(gate->how), "%s", state->how);
	if (changed && !able.possible)
		log_warning("%s: packets that would leave here go to the kernel: %s%s%s", gate->name,
			    able.reason, *able.fix ? "; fix: " : "", able.fix);
	else if (changed)
		log_info("%s: takes packets from other ports", gate->name);
}

/* The other end of a veth, if it is in our own namespace, is told to leave tags in the frames. */
static void quieten(struct gate *gate, const struct gate_place *place, struct capability *peer)
{
	bool first = gate->peer != peer->ifindex;
	struct why why = { "" };

	if (gate->facts.lower_namespace >= 0 || !ethtool_hides_sent(&peer->ethtool))
		return;
	gate->peer = peer->ifindex;
	if (changes_txvlan_off(place->changes, peer->name, peer->ifindex, &why) == 0)
		peer->ethtool.txvlan = peer->ethtool.txvlan_service = false;
	else if (first)
		log_warning("%s: %s", gate->name, why.text);
}

/* Whether VLAN tags are in the frames. Without sub-interfaces it does not matter, and nobody looks. */
static void look_at_tags(struct gate *gate, const struct gate_place *place, struct probe *ret)
{
	if (!tags_doubtful(&gate->facts) || gate->tags_promised) {
		tags_probe(&gate->facts, NULL, gate->tags_promised, ret);
	} else if (!fib_port_tagged(place->fib, gate->here.id)) {
		probe_yes(ret, "no VLAN sub-interfaces");
	} else if (gate->other_error < 0) {
		tags_probe(&gate->facts, NULL, false, ret);
	} else {
		quieten(gate, place, &gate->other);
		tags_probe(&gate->facts, &gate->other, false, ret);
	}
}

static void set_tags(struct gate *gate, const struct gate_place *place)
{
	bool tagged = fib_port_tagged(place->fib, gate->here.id);
	bool doubtful = tags_doubtful(&gate->facts) && !gate->tags_promised;
	struct probe tags;
	bool changed;

	if (tagged && doubtful && gate->other_error == -EAGAIN) {
		fib_port_tags(place->fib, gate->here.id, true); /* until somebody has looked */
		return;
	}
	look_at_tags(gate, place, &tags);
	/* not yet asked: the first sub-interface must not find tags trusted */
	fib_port_tags(place->fib, gate->here.id, !tags.possible || (!tagged && doubtful));
	changed = tags.possible != gate->tags.possible || strcmp(tags.reason, gate->tags.reason) != 0;
	gate->tags = tags;
	if (changed && !tags.possible)
		log_warning("%s: as it has VLAN sub-interfaces, packets that come in here go to the kernel: "
			    "%s; fix: %s",
			    gate->name, tags.reason, tags.fix);
	else if (changed && tagged)
		log_info("%s: %s", gate->name, tags.reason);
}

/* --- the card on top --- */

static void leave_card(struct gate *gate)
{
	if (!gate->card.ops)
		return;
	gate->card.ops->stop(gate->card.engine, &gate->here);
	gate->card.ops->detach(gate->card.engine, &gate->here);
	if (gate->card.state.attached)
		log_info("%s: the card forwards no longer", gate->name);
	gate->card.ops = NULL;
	gate->card.state = (struct engine_state){ .attached = false };
	gate->card.since = time(NULL);
}

static void take_card(struct gate *gate, const struct gate_place *place)
{
	const struct engine_ops *ops = gate->decision.card;
	struct why why = { "" };

	if (loop_now() < gate->card.retry_at)
		return;
	if (place->engine(place->arg, ops, &gate->card.engine, &why) < 0 ||
	    ops->attach(gate->card.engine, &gate->here, &why) < 0) {
		gate->card.retry_at = loop_now() + RETRY_AFTER;
		log_warning("%s: the card is not used: %s", gate->name, why.text);
		return;
	}
	gate->card.ops = gate->card.counts = ops;
	gate->card.queues = gate->here.queues;
	gate->card.since = time(NULL);
	log_info("%s: the card is made ready; until then it is in mode %s", gate->name, gate->ops->name);
}

/* Says once what the card came to. Whether the figures in the text change does not matter. */
static void note_card(struct gate *gate, const struct engine_state *before)
{
	const struct engine_state *now = &gate->card.state;
	bool trouble = !now->attached && now->failed && strcmp(now->why.text, before->why.text) != 0;

	if (now->attached != before->attached)
		gate->card.since = gate->since = time(NULL);
	if (now->attached && !before->attached)
		log_info("%s: runs in mode %s, and %s behind it", gate->name, gate->card.ops->name,
			 gate->ops->name);
	else if (trouble || before->attached != now->attached)
		log_warning("%s: the card does not forward: %s; mode %s goes on", gate->name, now->why.text,
			    gate->ops->name);
}

/* Behind the review of the engine below. Returns true if the card's part changed. */
static void review_card(struct gate *gate, const struct gate_place *place)
{
	struct engine_state before = gate->card.state;

	if (gate->card.ops &&
	    (gate->card.ops != gate->decision.card || gate->card.queues != gate->here.queues))
		leave_card(gate);
	if (!gate->card.ops && gate->decision.card)
		take_card(gate, place);
	if (!gate->card.ops)
		return;
	if (gate->card.ops->state(gate->card.engine, &gate->here, &gate->facts, &gate->card.state) < 0)
		leave_card(gate);
	else
		note_card(gate, &before);
}

/* --- the engine below --- */

/* Engines count for themselves, and some of them in the same memory. */
static int count_below(struct gate *gate)
{
	struct image_counters now;
	int error = gate->ops->counters(gate->engine, gate->here.id, &now);

	for (unsigned int i = 0; error == 0 && i < REASON_MAX; i++) {
		gate->below.reason[i].packets = gate->before.reason[i].packets + now.reason[i].packets;
		gate->below.reason[i].bytes = gate->before.reason[i].bytes + now.reason[i].bytes;
	}
	return error;
}

/* The port had this number under the last daemon: what was counted then is its own. */
static bool had_number(const struct gate *gate, const struct gate_place *place)
{
	__u16 number = 0;
	int fd = pins_link_get(place->pins, gate->here.ifindex, &number);

	if (fd < 0)
		return false;
	close(fd);
	return number == gate->here.id;
}

/* Before an engine is attached: the port's counters go on from what they are, whatever it has counted already
 * for the number. */
static void count_on(struct gate *gate, const struct gate_place *place, const struct engine_ops *ops)
{
	struct image_counters start = { 0 };

	if (gate->counted || !had_number(gate, place))
		(void)ops->counters(gate->engine, gate->here.id, &start);
	for (unsigned int i = 0; i < REASON_MAX; i++) {
		gate->before.reason[i].packets = gate->below.reason[i].packets - start.reason[i].packets;
		gate->before.reason[i].bytes = gate->below.reason[i].bytes - start.reason[i].bytes;
	}
}

/* *ret_refused: it is the engine that failed, or the device refused it. */
static int take(struct gate *gate, const struct gate_place *place, const struct engine_ops *ops,
		bool *ret_refused, struct why *why)
{
	int error = place->engine(place->arg, ops, &gate->engine, why);

	*ret_refused = error < 0;
	if (error < 0)
		return error;
	gate->here.ifindex = gate->facts.ifindex;
	snprintf(gate->here.name, sizeof(gate->here.name), "%s", gate->name);
	error = fib_port_add(place->fib, gate->here.ifindex, &gate->here.id);
	if (error == -ENOENT)
		return why_set(why, EAGAIN, "the tables do not have it yet");
	if (error < 0)
		return why_set(why, -error, "the tables do not take it as a port: %s", strerror(-error));
	fib_port_tags(place->fib, gate->here.id,
		      tags_doubtful(&gate->facts)); /* until they have been looked at */
	if (*gate->decision.change) {
		error = changes_rxvlan_off(place->changes, gate->name, gate->here.ifindex, why);
		if (error < 0)
			goto undo_changes; /* one of the two may be off */
	}
	count_on(gate, place, ops);
	if (place->coming)
		place->coming(place->arg, gate, ops);
	error = ops->attach(gate->engine, &gate->here, why);
	/* It may have gone since it was looked at: that is not the engine's failure. */
	if (error < 0 && if_nametoindex(gate->name) != gate->here.ifindex)
		error = why_set(why, EAGAIN, "the interface has just gone");
	*ret_refused = error < 0;
	if (error < 0)
		goto undo_changes;
	gate->ops = ops;
	gate->counted = true;
	return 0;
undo_changes:
	changes_undo(place->changes, gate->here.ifindex);
	fib_port_delete(place->fib, gate->here.id);
	return error;
}

bool gate_pause_egress(struct gate *gate, const struct gate_place *place)
{
	bool open = gate->ops && gate->egress.possible;

	if (open)
		fib_port_egress(place->fib, gate->here.id, false, false);
	return open;
}

bool gate_close_egress(struct gate *gate, const struct gate_place *place)
{
	bool open = gate_pause_egress(gate, place);

	gate->egress.possible = false;
	return open;
}

static void leave(struct gate *gate, const struct gate_place *place)
{
	leave_card(gate);
	if (gate_close_egress(gate, place))
		grace_wait_kernel();
	gate->ops->stop(gate->engine, &gate->here);
	gate->ops->detach(gate->engine, &gate->here);
	(void)count_below(gate); /* to the last packet */
	fib_port_delete(place->fib, gate->here.id);
	changes_undo(place->changes, gate->here.ifindex);
	if (gate->peer)
		changes_undo(place->changes, gate->peer);
	gate->peer = 0;
	gate->tags = (struct probe){ .possible = true };
	gate->ops = NULL;
	gate->started = false;
	gate->egress = (struct probe){ .possible = false };
	gate->how[0] = 0;
	gate->rate_at = 0;
	gate->forwarded_rate = gate->punted_rate = 0;
	memset(gate->reason_rate, 0, sizeof(gate->reason_rate));
}

static void decide(struct gate *gate, const struct gate_place *place)
{
	bool native = !place->maps || place->maps->native_ports > 0;

	choose(engine_list, place->platform, &gate->facts, gate->wish, native, &gate->decision);
}

/* What may have mattered to the attempt, and only a person changes: offloads also change by attaching. */
static bool same_facts(const struct capability *a, const struct capability *b)
{
	const struct ethtool_facts *ours = &a->ethtool, *theirs = &b->ethtool;

	return a->ifindex == b->ifindex && a->mtu == b->mtu && ours->queues == theirs->queues &&
	       ours->rx_queues == theirs->rx_queues && ours->combined == theirs->combined &&
	       ours->rx_ring == theirs->rx_ring && ours->tx_ring == theirs->tx_ring &&
	       strcmp(ours->firmware, theirs->firmware) == 0;
}

static bool will_pass(int error)
{
	return error == -EAGAIN || error == -EBUSY || error == -EINTR || error == -ENODEV ||
	       error == -ENOENT || error == -ENOBUFS;
}

/* An engine that fails where it should not is passed over for the next best, until the port is another one, a
 * person asks for it, or some time later: whatever is done in its place is not what should be. One that was
 * asked for by name is tried again and again. Returns whether it is passed over.
 */
static bool note_failure(struct gate *gate, int error, const struct engine_ops *ops, const struct why *why)
{
	char(*failed)[CAPABILITY_FAILURE] = gate->facts.failed;
	int next = 0;

	if (will_pass(error) || strcmp(gate->wish, "auto") != 0)
		return false;
	while (next < CAPABILITY_FAILED && failed[next][0])
		next++;
	if (next == CAPABILITY_FAILED)
		return false;
	snprintf(failed[next], CAPABILITY_FAILURE, "%s: %.140s", ops->name, why->text);
	gate->tried = gate->facts;
	if (next == 0) /* the best of them */
		gate->forgive_after = gate->forgive_after ? 2 * gate->forgive_after : FORGIVE_FIRST;
	if (gate->forgive_after > FORGIVE_LAST)
		gate->forgive_after = FORGIVE_LAST;
	gate->forgive_at = loop_now() + gate->forgive_after;
	log_warning("%s: mode %s fails, the next best is taken: %s", gate->name, ops->name, why->text);
	return true;
}

static void try_attach(struct gate *gate, const struct gate_place *place)
{
	const struct engine_ops *ops = gate->decision.host;
	struct why why = { "" };
	bool refused;
	int error;

	if (!ops) {
		enter(gate, GATE_KERNEL, gate->decision.reason);
		return;
	}
	if (loop_now() < gate->retry_at) {
		if (gate->state == GATE_RUNNING)
			enter(gate, GATE_KERNEL,
			      "what ran here has just ended; another attempt follows in seconds");
		return;
	}
	error = take(gate, place, ops, &refused, &why);
	if (refused && note_failure(gate, error, ops, &why)) {
		decide(gate, place);
		try_attach(gate, place); /* one engine less: it ends */
		return;
	}
	if (error != -EAGAIN) /* the next review is soon enough for that */
		gate->retry_at = loop_now() + RETRY_AFTER;
	if (error < 0) {
		enter(gate, GATE_KERNEL, why.text);
		return;
	}
	if (!gate->facts.failed[0][0])
		gate->forgive_after = 0;
	enter(gate, GATE_RUNNING, gate->decision.reason);
}

/* Whether what the port is attached to is still there, and the mode still the wanted one. */
static bool still_good(struct gate *gate, const struct gate_place *place, struct engine_state *ret_state)
{
	const struct engine_ops *host = gate->decision.host;
	struct why why = { "" };

	if (gate->facts.ifindex != gate->here.ifindex) {
		log_info("%s: the interface was replaced or is gone", gate->name);
		gate->retry_at = 0;
		return false;
	}
	/* Somebody turned on what hides tags: without them packets go by the wrong tables. */
	if (*gate->decision.change &&
	    changes_rxvlan_off(place->changes, gate->name, gate->here.ifindex, &why) < 0) {
		log_warning("%s: %s", gate->name, why.text);
		return false;
	}
	if (host != gate->ops) {
		log_info("%s: %s is due now: %s", gate->name, host ? host->name : CHOOSE_KERNEL,
			 gate->decision.reason);
		return false;
	}
	if (gate->ops->state(gate->engine, &gate->here, &gate->facts, ret_state) < 0)
		return false;
	if (!ret_state->attached)
		log_warning("%s: somebody took our XDP program away", gate->name);
	return ret_state->attached;
}

void gate_init(struct gate *gate, const struct config_port *config)
{
	memset(gate, 0, sizeof(*gate));
	snprintf(gate->name, sizeof(gate->name), "%s", config->interface);
	snprintf(gate->device, sizeof(gate->device), "%s", config->device ? config->device : "");
	gate->wish = config_mode_name(config->mode);
	gate->tags_promised = config->tags == CONFIG_TAGS_IN_FRAME;
	gate->tags.possible = true;
	gate->other_error = -EAGAIN;
	gate->since = time(NULL);
	(void)why_set(&gate->why, 0, "the tables are being read");
}

/* Names need rights that we may lack; our own link does not. */
static bool is_ours(struct gate *gate, const struct gate_place *place)
{
	struct engine_state state;

	if (gate->ops && gate->ops->state(gate->engine, &gate->here, &gate->facts, &state) == 0 &&
	    state.attached)
		return true;
	return gate->facts.program.id == pins_link_program(place->pins, gate->facts.ifindex);
}

void gate_forgive(struct gate *gate)
{
	memset(gate->tried.failed, 0, sizeof(gate->tried.failed));
	gate->retry_at = 0;
	gate->forgive_after = 0;
}

void gate_ask(const struct gate *gate, const struct gate_place *place, struct gate_sight *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", gate->name);
	ret->peer_wanted = gate->ops && !gate->tags_promised && fib_port_tagged(place->fib, gate->here.id);
	ret->may_enter = place->platform->capabilities & 1ull << CAP_SYS_ADMIN;
}

void gate_look(struct gate_sight *sight, struct xdp_features *features)
{
	sight->peer_error = -EAGAIN;
	sight->error = capability_read(sight->name, features, &sight->facts);
	if (sight->error < 0 || !sight->peer_wanted || !tags_doubtful(&sight->facts))
		return;
	/* It may be in a namespace that we gave up the right to enter. */
	sight->peer_error = sight->facts.lower_namespace < 0 || sight->may_enter
				    ? veth_peer_read(&sight->facts, &sight->peer)
				    : -EPERM;
	if (sight->peer_error == -EAGAIN)
		sight->peer_error = -EBUSY;
}

void gate_plan(struct gate *gate, const struct gate_place *place, const struct gate_sight *sight)
{
	if (sight->error == 0 || sight->error == -ENODEV) { /* else what was, holds */
		gate->facts = sight->facts;
		gate->other_error = sight->peer_error;
		gate->other = sight->peer;
	}
	snprintf(gate->facts.device, sizeof(gate->facts.device), "%s", gate->device);
	if (gate->facts.program.id && !gate->facts.program.ours)
		gate->facts.program.ours = is_ours(gate, place);
	if (gate->tried.failed[0][0] && loop_now() >= gate->forgive_at)
		memset(gate->tried.failed, 0, sizeof(gate->tried.failed));
	if (same_facts(&gate->facts, &gate->tried))
		memcpy(gate->facts.failed, gate->tried.failed, sizeof(gate->facts.failed));
	decide(gate, place);
}

void gate_plan_now(struct gate *gate, const struct gate_place *place)
{
	struct gate_sight sight;

	gate_ask(gate, place, &sight);
	gate_look(&sight, place->features);
	gate_plan(gate, place, &sight);
}

bool gate_review(struct gate *gate, const struct gate_place *place, bool attach)
{
	struct engine_state state;
	bool changed = false;

	if (gate->ops && !still_good(gate, place, &state)) {
		leave(gate, place);
		changed = true;
	}
	if (!gate->facts.ifindex) {
		enter(gate, GATE_ABSENT, "there is no such interface");
	} else if (!gate->ops && attach) {
		try_attach(gate, place);
		changed = changed || gate->ops;
	}
	/* What was seen before that says nothing of it as it is now; and as to attach takes the kernel's lock
	 * anyway, it is not worth another turn. */
	if (changed && gate->ops)
		gate_plan_now(gate, place);
	if (gate->ops && gate->ops->state(gate->engine, &gate->here, &gate->facts, &state) == 0) {
		gate->here.queues = state.queues;
		set_egress(gate, place, &state);
	}
	if (gate->ops)
		set_tags(gate, place);
	if (gate->ops)
		review_card(gate, place);
	return changed;
}

static void wish(struct gate *gate, const char *mode, const struct gate_place *place)
{
	gate->wish = mode;
	gate_forgive(gate);
	gate_plan_now(gate, place);
}

/* Engines that nobody asked for at the start can no longer be had. */
static int check_rights(const char *mode, const struct platform *platform, struct why *why)
{
	for (const struct engine_ops *const *ops = engine_list; *ops; ops++) {
		__u64 missing = platform_rights_missing(platform, (*ops)->rights);

		if (strcmp((*ops)->name, mode) == 0 && missing)
			return why_set(
				why, EPERM,
				"%s needs %s, which was given up at the start as no port needed it; set the "
				"mode in the configuration and restart penstock, which loses no packet",
				mode, platform_right_name(missing));
	}
	return 0;
}

/* What keeps the port from running as it is asked to now. */
static int refuse_wish(const struct gate *gate, struct why *why)
{
	const struct engine_ops *ops = gate->decision.host;

	if (!gate->facts.ifindex)
		return why_set(why, ENODEV, "there is no such interface");
	if (gate->decision.refused)
		return why_set(why, EOPNOTSUPP, "%s", gate->decision.reason);
	if (gate->ops != ops)
		return why_set(why, EIO, "%s", gate->why.text);
	return gate->card.ops == gate->decision.card
		       ? 0
		       : why_set(why, EIO, "the card cannot be used; see the log");
}

int gate_switch(struct gate *gate, const char *mode, const struct gate_place *place, struct why *why)
{
	const char *before = gate->wish;
	int error = check_rights(mode, place->platform, why);

	if (error < 0)
		return error;
	wish(gate, mode, place);
	if (!gate->decision.refused)
		(void)gate_review(gate, place, true);
	error = refuse_wish(gate, why);
	if (error < 0) {
		wish(gate, before, place);
		(void)gate_review(gate, place, true);
		log_warning("%s: stays in mode %s; it was asked to be %s: %s", gate->name, gate_mode(gate),
			    mode, why->text);
	}
	return error;
}

void gate_release(struct gate *gate, const struct gate_place *place)
{
	if (gate->ops)
		leave(gate, place);
	enter(gate, GATE_KERNEL, "given back");
}

/* What the card passed on is counted by who takes it. The card's own figures outlive its being attached. */
static void add_card(struct gate *gate)
{
	struct image_counters *counters = &gate->card.counters;

	if (!gate->card.counts || gate->card.counts->counters(gate->card.engine, gate->here.id, counters) < 0)
		return;
	for (unsigned int i = 0; i < REASON_MAX; i++) {
		if (gate_action(i) == ACTION_PUNT)
			continue;
		gate->counters.reason[i].packets += counters->reason[i].packets;
		gate->counters.reason[i].bytes += counters->reason[i].bytes;
	}
}

void gate_sample(struct gate *gate)
{
	uint64_t now = loop_now(), forwarded, punted;
	double seconds = (double)(now - gate->rate_at) / 1000;

	if (!gate->ops || count_below(gate) < 0)
		return;
	gate->counters = gate->below;
	add_card(gate);
	forwarded = gate_packets(gate, ACTION_FORWARD);
	punted = gate_packets(gate, ACTION_PUNT);
	if (gate->rate_at && now - gate->rate_at < RATE_PERIOD)
		return;
	if (gate->rate_at) {
		gate->forwarded_rate = (double)(forwarded - gate->rate_forwarded) / seconds;
		gate->punted_rate = (double)(punted - gate->rate_punted) / seconds;
		for (unsigned int i = 0; i < REASON_MAX; i++)
			gate->reason_rate[i] =
				(double)(gate->counters.reason[i].packets - gate->rate_reason[i]) / seconds;
	}
	gate->rate_at = now;
	gate->rate_forwarded = forwarded;
	gate->rate_punted = punted;
	for (unsigned int i = 0; i < REASON_MAX; i++)
		gate->rate_reason[i] = gate->counters.reason[i].packets;
}

const char *gate_state_name(enum gate_state state)
{
	switch (state) {
	case GATE_STARTING:
		return "starting";
	case GATE_ABSENT:
		return "absent";
	case GATE_KERNEL:
		return "kernel";
	case GATE_RUNNING:
		return "running";
	}
	return "?";
}

const char *gate_mode(const struct gate *gate)
{
	if (gate->card.state.attached)
		return gate->card.ops->name;
	return gate->ops ? gate->ops->name : CHOOSE_KERNEL;
}

uint64_t gate_packets(const struct gate *gate, enum action action)
{
	uint64_t sum = 0;

	for (unsigned int reason = 0; reason < REASON_MAX; reason++)
		if (gate_action(reason) == action)
			sum += gate->counters.reason[reason].packets;
	return sum;
}
