// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/control/leaf_json.h"
#include "host/control/mirror_json.h"
#include "host/fib/fib.h"
#include "host/gates.h"
#include "host/log.h"
#include "host/mirror/audit.h"
#include "host/mirror/mirror.h"
#include "host/modes/platform.h"
#include "host/router.h"

#define LABEL_SIZE 128 /* a value, escaped */

/* --- the format --- */

static void family(FILE *stream, const char *name, const char *type, const char *help)
{
	fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Only ASCII gets through; what would end the value is escaped. */
static const char *escape(const char *text, char *ret)
{
	size_t length = 0;

	for (; *text && length + 3 < LABEL_SIZE; text++) {
		if (*text == '"' || *text == '\\')
			ret[length++] = '\\';
		ret[length++] = *text < ' ' || *text > '~' ? '?' : *text;
	}
	ret[length] = 0;
	return ret;
}

static void number(FILE *stream, const char *name, const char *type, const char *help, double value)
{
	family(stream, name, type, help);
	fprintf(stream, "%s %.17g\n", name, value);
}

static void labelled(FILE *stream, const char *name, const char *label, const char *text, double value)
{
	char escaped[LABEL_SIZE];

	fprintf(stream, "%s{%s=\"%s\"} %.17g\n", name, label, escape(text, escaped), value);
}

/* With an interface and one label more. */
static void port_labelled(FILE *stream, const char *name, const struct gate *gate, const char *label,
			  const char *text, double value)
{
	char interface[LABEL_SIZE], escaped[LABEL_SIZE];

	fprintf(stream, "%s{iface=\"%s\",%s=\"%s\"} %.17g\n", name, escape(gate->name, interface), label,
		escape(text, escaped), value);
}

/* --- ports --- */

typedef double gate_value_fn(const struct router_state *state, const struct gate *gate);

static void per_port(FILE *stream, const struct router_state *state, const char *name, const char *help,
		     gate_value_fn *value)
{
	family(stream, name, "gauge", help);
	for (unsigned int i = 0; i < state->gates->count; i++)
		labelled(stream, name, "iface", state->gates->gate[i].name,
			 value(state, &state->gates->gate[i]));
}

static double is_running(const struct router_state *state, const struct gate *gate)
{
	return gate->state == GATE_RUNNING;
}

static double is_held(const struct router_state *state, const struct gate *gate)
{
	return mirror_json_holds(state->mirror, gate->facts.ifindex);
}

static double has_egress(const struct router_state *state, const struct gate *gate)
{
	return gate->egress.possible;
}

static double has_carrier(const struct router_state *state, const struct gate *gate)
{
	return gate->facts.carrier;
}

static double mode_since(const struct router_state *state, const struct gate *gate)
{
	return (double)gate->since;
}

static __u64 sum(const struct gate *gate, enum action action, bool bytes)
{
	__u64 all = 0;

	for (unsigned int reason = 0; reason < REASON_MAX; reason++)
		if (gate_action(reason) == action)
			all += bytes ? gate->counters.reason[reason].bytes
				     : gate->counters.reason[reason].packets;
	return all;
}

static void print_verdicts(FILE *stream, const struct router_state *state, const char *name, const char *help,
			   bool bytes)
{
	family(stream, name, "counter", help);
	for (unsigned int i = 0; i < state->gates->count; i++)
		for (enum action action = ACTION_FORWARD; action <= ACTION_DROP; action++)
			port_labelled(stream, name, &state->gates->gate[i], "verdict",
				      leaf_json_action(action),
				      (double)sum(&state->gates->gate[i], action, bytes));
}

/* Reasons that have occurred: there are too many to name them all for every port. */
static void print_reasons(FILE *stream, const struct router_state *state, const char *name, const char *help,
			  enum action action)
{
	family(stream, name, "counter", help);
	for (unsigned int i = 0; i < state->gates->count; i++) {
		const struct gate *gate = &state->gates->gate[i];

		for (unsigned int reason = 0; reason < REASON_MAX; reason++)
			if (gate_action(reason) == action && gate->counters.reason[reason].packets)
				port_labelled(stream, name, gate, "reason", leaf_json_reason(reason),
					      (double)gate->counters.reason[reason].packets);
	}
}

static void print_engines(FILE *stream, const struct router_state *state)
{
	struct engine_fact facts[2 * ENGINE_FACTS]; /* of the engine, and of the card on top */

	family(stream, "penstock_engine_value", "untyped", "What the engine of a port counts by itself.");
	for (unsigned int i = 0; i < state->gates->count; i++) {
		const struct gate *gate = &state->gates->gate[i];
		unsigned int count = gate->ops && gate->ops->facts
					     ? gate->ops->facts(gate->engine, &gate->here, facts)
					     : 0;

		if (gate->card.ops)
			count += gate->card.ops->facts(gate->card.engine, &gate->here, facts + count);
		for (unsigned int k = 0; k < count; k++)
			port_labelled(stream, "penstock_engine_value", gate, "stat", facts[k].name,
				      (double)facts[k].value);
	}
}

static void print_ports(FILE *stream, const struct router_state *state)
{
	print_verdicts(stream, state, "penstock_packets_total",
		       "Packets received on a port, by what became of them.", false);
	print_verdicts(stream, state, "penstock_bytes_total", "Bytes of these packets.", true);
	print_reasons(stream, state, "penstock_punts_total", "Packets handed to the kernel, by reason.",
		      ACTION_PUNT);
	print_reasons(stream, state, "penstock_drops_total", "Packets dropped, by reason.", ACTION_DROP);
	family(stream, "penstock_mode_info", "gauge", "The mode that a port runs in.");
	for (unsigned int i = 0; i < state->gates->count; i++)
		port_labelled(stream, "penstock_mode_info", &state->gates->gate[i], "mode",
			      gate_mode(&state->gates->gate[i]), 1);
	per_port(stream, state, "penstock_port_running", "1: an engine serves the port; 0: the kernel does.",
		 is_running);
	per_port(stream, state, "penstock_port_held", "1: all packets of the port stay in the kernel.",
		 is_held);
	per_port(stream, state, "penstock_port_egress", "1: other ports can send to it.", has_egress);
	per_port(stream, state, "penstock_port_carrier", "1: the port has carrier.", has_carrier);
	per_port(stream, state, "penstock_port_since_timestamp_seconds",
		 "When state or mode of the port changed.", mode_since);
	print_engines(stream, state);
}

/* --- tables --- */

static void print_slots(FILE *stream, const struct fib_stats *stats)
{
	struct fib_part parts[FIB_PARTS];

	fib_parts(stats, parts);
	family(stream, "penstock_image_used_slots", "gauge", "Slots of the image in use.");
	for (unsigned int i = 0; i < FIB_PARTS; i++)
		labelled(stream, "penstock_image_used_slots", "part", parts[i].name, parts[i].used);
	family(stream, "penstock_image_slots", "gauge", "Slots of the image.");
	for (unsigned int i = 0; i < FIB_PARTS; i++)
		labelled(stream, "penstock_image_slots", "part", parts[i].name, parts[i].total);
}

static void print_tables(FILE *stream, const struct fib *fib)
{
	struct fib_stats stats;

	fib_stats(fib, &stats);
	family(stream, "penstock_fib_routes", "gauge", "Routes in the data plane.");
	labelled(stream, "penstock_fib_routes", "family", "ipv4", (double)stats.routes[0]);
	labelled(stream, "penstock_fib_routes", "family", "ipv6", (double)stats.routes[1]);
	number(stream, "penstock_fib_punted_routes", "gauge", "Routes left to the kernel for want of room.",
	       (double)stats.punted_routes);
	number(stream, "penstock_fib_changes_total", "counter", "Changes of the tables.",
	       (double)stats.changes);
	print_slots(stream, &stats);
}

/* --- mirror --- */

static void print_lag(FILE *stream, const struct mirror_stats *stats)
{
	number(stream, "penstock_lag_seconds", "gauge", "How far the tables are behind the kernel.",
	       stats->lag_us / 1e6);
	number(stream, "penstock_max_lag_seconds", "gauge", "The most since the start.",
	       stats->lag_max_us / 1e6);
	number(stream, "penstock_moves_total", "counter",
	       "Times that the daemon left a CPU that the kernel held while a link's news waited.",
	       (double)stats->moves);
	number(stream, "penstock_resyncs_total", "counter", "Times that the kernel's tables were read again.",
	       (double)stats->resyncs);
	number(stream, "penstock_last_resync_duration_seconds", "gauge", "How long the last of these took.",
	       stats->resync_ms / 1e3);
	number(stream, "penstock_resync_running", "gauge", "1: tables are being read again.",
	       stats->resyncing);
}

static void print_mirror(FILE *stream, struct mirror *mirror)
{
	struct audit_result audit;
	struct mirror_stats stats;

	mirror_stats(mirror, &stats);
	audit_result(mirror_audit(mirror), &audit);
	print_lag(stream, &stats);
	number(stream, "penstock_netlink_events_total", "counter", "Notifications of the kernel.",
	       (double)stats.events);
	family(stream, "penstock_netlink_overruns_total", "counter", "Times that notifications were lost.");
	labelled(stream, "penstock_netlink_overruns_total", "queue", "all", (double)stats.overruns);
	labelled(stream, "penstock_netlink_overruns_total", "queue", "neighbours",
		 (double)stats.neighbour_overruns);
	number(stream, "penstock_netlink_malformed_total", "counter", "Notifications that could not be read.",
	       (double)stats.malformed);
	number(stream, "penstock_audit_samples_total", "counter",
	       "Addresses for which kernel and tables were compared.", (double)audit.total.samples);
	number(stream, "penstock_audit_differences_total", "counter",
	       "Differences that were found and mended.", (double)audit.total.differences);
	number(stream, "penstock_neighbours", "gauge", "Neighbours known.", stats.neighbours.known);
	number(stream, "penstock_usable_neighbours", "gauge", "Those whose link address is known.",
	       stats.neighbours.usable);
	number(stream, "penstock_policy_rules", "gauge", "Policy rules of the kernel.", stats.rules);
	number(stream, "penstock_punting_policy_rules", "gauge", "Those that keep packets in the kernel.",
	       stats.punting_rules);
}

/* --- the process --- */

static double resident_bytes(void)
{
	FILE *stream = fopen("/proc/self/statm", "re");
	unsigned long all, resident = 0;

	if (!stream)
		return 0;
	if (fscanf(stream, "%lu %lu", &all, &resident) != 2)
		resident = 0;
	fclose(stream);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double open_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	double count = -3; /* two dots and the directory itself */

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_process(FILE *stream, const struct router_state *state)
{
	char kernel[LABEL_SIZE];

	family(stream, "penstock_build_info", "gauge", "Versions.");
	fprintf(stream, "penstock_build_info{version=\"%s\",image=\"%d\",kernel=\"%s\"} 1\n",
		PENSTOCK_VERSION, IMAGE_VERSION, escape(state->platform->release, kernel));
	number(stream, "penstock_ready", "gauge", "1: the tables were read completely once.",
	       state->ready != 0);
	family(stream, "penstock_log_messages_total", "counter", "Lines of the log, by level.");
	labelled(stream, "penstock_log_messages_total", "level", "error", (double)log_count(LOG_LEVEL_ERROR));
	labelled(stream, "penstock_log_messages_total", "level", "warning",
		 (double)log_count(LOG_LEVEL_WARNING));
	number(stream, "process_start_time_seconds", "gauge", "When the daemon started.",
	       (double)state->started);
	number(stream, "process_cpu_seconds_total", "counter", "CPU time of the daemon.", cpu_seconds());
	number(stream, "process_resident_memory_bytes", "gauge", "Memory of the daemon.", resident_bytes());
	number(stream, "process_open_fds", "gauge", "Open files of the daemon.", open_fds());
}

int metrics_answer(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	const struct router_state *state = router_state(router);
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return why_set(why, ENOMEM, "out of memory");
	router_sample(router); /* as of now, not of the last second */
	print_process(stream, state);
	print_ports(stream, state);
	print_tables(stream, state->fib);
	print_mirror(stream, state->mirror);
	if (fclose(stream) == 0)
		*ret = json_string(text);
	free(text);
	return *ret ? 0 : why_set(why, ENOMEM, "out of memory");
}
