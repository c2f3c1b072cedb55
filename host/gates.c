// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/gates.h"

#include <errno.h>
#include <string.h>

#include "host/config.h"
#include "host/engine/pins.h"
#include "host/fib/grace.h"
#include "host/survey.h"

static bool configured(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->port_count; i++)
		if (strcmp(config->ports[i].interface, name) == 0)
			return true;
	return false;
}

static void swap(struct gate *a, struct gate *b)
{
	struct gate gate = *a;

	*a = *b;
	*b = gate;
}

static int check_gate(const struct gate *gate, struct why *why)
{
	const struct decision *decision = &gate->decision;
	const struct probe *best = &decision->option[0].probe;

	if (!gate->facts.ifindex)
		return why_set(why, ENODEV, "%s: there is no such interface here; see: ip link", gate->name);
	if (gate->facts.program.id && !gate->facts.program.ours && strcmp(gate->wish, CHOOSE_KERNEL) != 0)
		return why_set(why, EBUSY, "%s: %s; fix: %s", gate->name, best->reason, best->fix);
	if (decision->refused)
		return why_set(why, EOPNOTSUPP, "%s: %s", gate->name, decision->reason);
	return 0;
}

void gates_make(struct gates *gates, const struct config *config, const struct gate_place *place)
{
	for (uint32_t i = 0; i < config->port_count && gates->count < IMAGE_PORTS; i++) {
		struct gate *gate = &gates->gate[gates->count++];

		gate_init(gate, &config->ports[i]);
		gate_plan_now(gate, place);
	}
}

int gates_check(const struct gates *gates, struct why *why)
{
	if (!gates->count)
		return why_set(why, EINVAL, "no port is named; say which interfaces: penstock run IF...");
	for (unsigned int i = 0; i < gates->count; i++) {
		int error = check_gate(&gates->gate[i], why);

		if (error < 0)
			return error;
	}
	return 0;
}

void gates_order(struct gates *gates, struct pins *pins)
{
	struct pins_link links[IMAGE_PORTS];
	size_t count = pins_links(pins, links, IMAGE_PORTS);
	unsigned int next = 0;

	if (count > IMAGE_PORTS)
		count = IMAGE_PORTS;
	for (__u16 port = 0; port < IMAGE_PORTS; port++)
		for (size_t i = 0; i < count; i++)
			for (unsigned int k = next; links[i].port == port && k < gates->count; k++)
				if (gates->gate[k].facts.ifindex == links[i].ifindex)
					swap(&gates->gate[k], &gates->gate[next++]);
}

bool gates_review(struct gates *gates, const struct gate_place *place, const struct survey *survey,
		  bool attach)
{
	bool changed = false;

	for (unsigned int i = 0; i < gates->count; i++) {
		const struct gate_sight *sight = survey_sight(survey, gates->gate[i].name);

		if (!sight) /* nobody has looked at it yet */
			continue;
		gate_plan(&gates->gate[i], place, sight);
		changed = gate_review(&gates->gate[i], place, attach && !changed) || changed;
	}
	return changed;
}

void gates_make_way(struct gates *gates, const struct gate *coming, const struct engine_ops *ops,
		    const struct gate_place *place)
{
	bool wait = false;

	for (unsigned int i = 0; i < gates->count; i++)
		if (&gates->gate[i] != coming && gates->gate[i].ops != ops)
			wait = gate_pause_egress(&gates->gate[i], place) || wait;
	if (wait)
		grace_wait_kernel();
}

const struct gate *gates_hopeless(const struct gates *gates)
{
	const struct gate *hopeless = NULL;

	for (unsigned int i = 0; i < gates->count; i++) {
		const struct gate *gate = &gates->gate[i];

		if (gate->ops)
			return NULL;
		if (gate->retry_at && gate->decision.host)
			hopeless = gate;
	}
	return hopeless;
}

bool gates_waiting(const struct gates *gates)
{
	for (unsigned int i = 0; i < gates->count; i++) {
		const struct gate *gate = &gates->gate[i];

		if (!gate->ops && gate->facts.ifindex && !gate->retry_at && gate->decision.host)
			return true;
	}
	return false;
}

void gates_release(struct gates *gates, const struct gate_place *place)
{
	bool wait = false;

	for (unsigned int i = 0; i < gates->count; i++)
		wait = gate_close_egress(&gates->gate[i], place) || wait;
	if (wait)
		grace_wait_kernel();
	for (unsigned int i = 0; i < gates->count; i++)
		gate_release(&gates->gate[i], place);
}

void gates_sample(struct gates *gates)
{
	for (unsigned int i = 0; i < gates->count; i++)
		gate_sample(&gates->gate[i]);
}

struct gate *gates_named(struct gates *gates, const char *name)
{
	for (unsigned int i = 0; i < gates->count; i++)
		if (strcmp(gates->gate[i].name, name) == 0)
			return &gates->gate[i];
	return NULL;
}

void gates_follow(struct gates *gates, const struct config *config, const struct gate_place *place)
{
	for (unsigned int i = gates->count; i-- > 0;) {
		if (configured(config, gates->gate[i].name))
			continue;
		gate_release(&gates->gate[i], place);
		gates->gate[i] = gates->gate[--gates->count];
	}
	for (uint32_t i = 0; i < config->port_count; i++) {
		const char *mode = config_mode_name(config->ports[i].mode);
		struct gate *gate = gates_named(gates, config->ports[i].interface);

		if (gate) {
			gate->tags_promised = config->ports[i].tags == CONFIG_TAGS_IN_FRAME;
			gate->wish = mode;
			gate_forgive(gate);
		} else if (gates->count < IMAGE_PORTS) {
			gate_init(&gates->gate[gates->count++], &config->ports[i]);
		}
	}
}

const struct gate *gates_find(const struct gates *gates, __u32 ifindex)
{
	for (unsigned int i = 0; i < gates->count; i++)
		if (gates->gate[i].ops && gates->gate[i].here.ifindex == ifindex)
			return &gates->gate[i];
	return NULL;
}
