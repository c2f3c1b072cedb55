// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/status.h"

#include <time.h>
#include <unistd.h>

#include "host/control/leaf_json.h"
#include "host/control/mirror_json.h"
#include "host/control/port_json.h"
#include "host/engine/pins.h"
#include "host/fib/fib.h"
#include "host/gates.h"
#include "host/instance.h"
#include "host/log.h"
#include "host/router.h"

#define SCHEMA 1

/* --- status --- */

static json_t *netfilter_json(const struct router_state *state)
{
	bool bypass = state->config->netfilter == CONFIG_NETFILTER_BYPASS;

	return json_pack("{s:s, s:o}", "policy", bypass ? "bypass" : "respect", "found",
			 mirror_json_netfilter(state->mirror));
}

/* The last errors and warnings, oldest first. */
static json_t *log_json(void)
{
	struct log_entry entries[LOG_RECENT];
	unsigned int count = log_recent(entries, LOG_RECENT);
	json_t *list = json_array();

	for (unsigned int i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:I, s:s, s:s}", "time", (json_int_t)entries[i].time,
						      "level", log_level_name(entries[i].level), "text",
						      entries[i].text));
	return list;
}

static const char *overall(const struct router_state *state)
{
	const char *answer = "kernel";

	if (!state->ready)
		return "starting";
	for (unsigned int i = 0; i < state->gates->count; i++) {
		const struct gate *gate = &state->gates->gate[i];

		if (gate->state != GATE_RUNNING)
			continue;
		if (!mirror_json_holds(state->mirror, gate->here.ifindex))
			return "forwarding";
		answer = "held";
	}
	return answer;
}

/* --- image --- */

static json_t *fill_json(const struct fib_stats *stats)
{
	struct fib_part parts[FIB_PARTS];
	json_t *list = json_array();

	fib_parts(stats, parts);
	for (unsigned int i = 0; i < FIB_PARTS; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:I, s:I, s:f}", "part", parts[i].name, "used",
				  (json_int_t)parts[i].used, "total", (json_int_t)parts[i].total, "percent",
				  parts[i].total ? 100.0 * parts[i].used / parts[i].total : 0.0));
	return list;
}

static json_t *image_json(const struct fib *fib)
{
	struct fib_stats stats;

	fib_stats(fib, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:o}", "routes4", (json_int_t)stats.routes[0],
			 "routes6", (json_int_t)stats.routes[1], "punted_routes",
			 (json_int_t)stats.punted_routes, "changes", (json_int_t)stats.changes, "leaves",
			 (int)stats.leaves, "groups", (int)stats.groups, "neighbours", (int)stats.neighbours,
			 "image", fill_json(&stats));
}

int status_answer(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	const struct router_state *state = router_state(router);
	json_t *ports = json_array();

	router_sample(router); /* as of now, not of the last second */
	for (unsigned int i = 0; i < state->gates->count; i++)
		json_array_append_new(ports, port_json(state->mirror, &state->gates->gate[i]));
	*ret = json_pack(
		"{s:i, s:s, s:s, s:s, s:i, s:s, s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "schema", SCHEMA,
		"state", overall(state), "penstock", PENSTOCK_VERSION, "name", instance_name(state->instance),
		"pid", (int)getpid(), "kernel", state->platform->release, "started",
		(json_int_t)state->started, "ready", state->ready ? json_integer(state->ready) : json_null(),
		"pins", pins_directory(state->pins), "mirror", mirror_json(state->mirror), "netfilter",
		netfilter_json(state), "tables", image_json(state->fib), "ports", ports, "log", log_json());
	return 0;
}

int status_image(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	*ret = image_json(router_state(router)->fib);
	return 0;
}

/* --- counters --- */

static void add_counters(json_t *list, const struct gate *gate)
{
	for (unsigned int reason = 0; reason < REASON_MAX; reason++) {
		const struct image_counter *counter = &gate->counters.reason[reason];

		if (!counter->packets)
			continue;
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "interface", gate->name, "reason",
					leaf_json_reason(reason), "text", leaf_json_text(reason), "action",
					leaf_json_action(gate_action(reason)), "packets",
					(json_int_t)counter->packets, "bytes", (json_int_t)counter->bytes));
	}
}

int status_counters(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	const struct router_state *state = router_state(router);
	json_t *list = json_array();

	router_sample(router);
	for (unsigned int i = 0; i < state->gates->count; i++)
		add_counters(list, &state->gates->gate[i]);
	*ret = json_pack("{s:o}", "counters", list);
	return 0;
}

int status_version(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	*ret = json_pack("{s:s, s:i, s:i}", "penstock", PENSTOCK_VERSION, "image", IMAGE_VERSION, "schema",
			 SCHEMA);
	return 0;
}
