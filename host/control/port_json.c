// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/port_json.h"

#include "host/control/leaf_json.h"
#include "host/control/mirror_json.h"
#include "host/control/remedy.h"
#include "host/gate.h"
#include "host/modes/decision_json.h"
#include "host/modes/fact.h"

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

/* Why packets of this port went to the kernel, those of most packets first. */
static json_t *punts_json(const struct gate *gate)
{
	json_t *list = json_array();

	for (unsigned int reason = 1; reason < REASON_MAX; reason++) {
		const struct image_counter *counter = &gate->counters.reason[reason];
		size_t index = 0;

		if (!counter->packets || gate_action(reason) != ACTION_PUNT)
			continue;
		while (index < json_array_size(list) &&
		       json_integer_value(json_object_get(json_array_get(list, index), "packets")) >=
			       (json_int_t)counter->packets)
			index++;
		json_array_insert_new(list, index,
				      json_pack("{s:s, s:s, s:I, s:f, s:s?}", "reason",
						leaf_json_reason(reason), "text", leaf_json_text(reason),
						"packets", (json_int_t)counter->packets, "rate",
						gate->reason_rate[reason], "todo", remedy_text(reason)));
	}
	return list;
}

static json_t *egress_json(const struct gate *gate)
{
	json_t *document = decision_json_probe(&gate->egress);

	json_object_set_new(document, "frames", json_boolean(gate->frames));
	return document;
}

static json_t *tags_json(const struct gate *gate)
{
	return json_pack("{s:b, s:s, s:o}", "in_frame", gate->tags.possible, "reason", gate->tags.reason,
			 "fix", text_or_null(gate->tags.fix));
}

/* What the engine itself counts. */
static json_t *engine_json(const struct gate *gate)
{
	struct engine_fact facts[ENGINE_FACTS];
	unsigned int count = 0;
	json_t *document;

	if (gate->ops && gate->ops->facts)
		count = gate->ops->facts(gate->engine, &gate->here, facts);
	if (!count)
		return json_null();
	document = json_object();
	for (unsigned int i = 0; i < count; i++)
		json_object_set_new(document, facts[i].name, json_integer((json_int_t)facts[i].value));
	return document;
}

static json_t *reasons_json(const struct image_counters *counters)
{
	json_t *document = json_object();

	for (unsigned int reason = 0; reason < REASON_MAX; reason++)
		if (counters->reason[reason].packets)
			json_object_set_new(document, leaf_json_reason(reason),
					    json_integer((json_int_t)counters->reason[reason].packets));
	return document;
}

/* What the card on top does, and what it has of the tables; null: there is none. */
static json_t *card_json(const struct gate *gate)
{
	const struct engine_state *state = &gate->card.state;
	uint64_t packets[ACTION_DROP + 1] = { 0 };
	struct engine_fact facts[ENGINE_FACTS];
	json_t *document;
	unsigned int count;

	if (!gate->card.ops)
		return json_null();
	for (unsigned int reason = 0; reason < REASON_MAX; reason++)
		packets[gate_action(reason)] += gate->card.counters.reason[reason].packets;
	document = json_pack("{s:s, s:s, s:s, s:b, s:o, s:I, s:I, s:I, s:I}", "mode", gate->card.ops->name,
			     "name", state->how, "behind", gate->ops->name, "running", state->attached, "why",
			     text_or_null(state->why.text), "since", (json_int_t)gate->card.since,
			     "forwarded", (json_int_t)packets[ACTION_FORWARD], "passed_on",
			     (json_int_t)packets[ACTION_PUNT], "dropped", (json_int_t)packets[ACTION_DROP]);
	json_object_set_new(document, "reasons", reasons_json(&gate->card.counters));
	count = gate->card.ops->facts(gate->card.engine, &gate->here, facts);
	for (unsigned int i = 0; i < count; i++)
		json_object_set_new(document, facts[i].name, json_integer((json_int_t)facts[i].value));
	return document;
}

static json_t *plan_json(const struct gate *gate)
{
	const struct decision *decision = &gate->decision;

	if (!decision->count) /* not looked at yet */
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s?, s:o}", "wish", gate->wish, "mode",
			 decision->option[decision->chosen].mode, "reason", decision->reason, "tiers",
			 decision_json_tiers(decision), "options", decision_json_options(decision), "effect",
			 decision->effect, "change", text_or_null(decision->change));
}

json_t *port_json(struct mirror *mirror, const struct gate *gate)
{
	json_t *document = json_pack(
		"{s:s, s:i, s:o, s:s, s:o, s:s, s:s, s:I, s:o, s:o, s:b, s:b, s:f, s:f, s:I, s:I}",
		"interface", gate->name, "ifindex", (int)gate->facts.ifindex, "port",
		gate->ops ? json_integer(gate->here.id) : json_null(), "mode", gate_mode(gate), "how",
		text_or_null(gate->how), "state", gate_state_name(gate->state), "why", gate->why.text,
		"since", (json_int_t)gate->since, "hold", mirror_json_hold(mirror, gate->facts.ifindex),
		"egress", egress_json(gate), "up", gate->facts.up, "carrier", gate->facts.carrier,
		"forwarded_rate", gate->forwarded_rate, "punted_rate", gate->punted_rate, "forwarded",
		(json_int_t)gate_packets(gate, ACTION_FORWARD), "punted",
		(json_int_t)gate_packets(gate, ACTION_PUNT));

	if (!document)
		return NULL;
	json_object_set_new(document, "dropped", json_integer((json_int_t)gate_packets(gate, ACTION_DROP)));
	json_object_set_new(document, "tags", tags_json(gate));
	json_object_set_new(document, "punts", punts_json(gate));
	json_object_set_new(document, "engine", engine_json(gate));
	json_object_set_new(document, "card", card_json(gate));
	json_object_set_new(document, "plan", plan_json(gate));
	json_object_set_new(document, "facts", fact_json(fact_port, &gate->facts));
	return document;
}
