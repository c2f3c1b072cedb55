// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/replay.h"
#include "host/engine/replay_memory.h"
#include "host/mirror/links.h"
#include "host/replay/capture.h"
#include "host/replay/capture_out.h"
#include "host/replay/explain.h"
#include "host/replay/site.h"
#include "host/replay/site_kernel.h"
#include "host/replay/site_text.h"

#define TRIES    5 /* to read the kernel's tables while they change */
#define PROGRESS 0x10000
#define UNKNOWN  0xfffe /* a port that has not been looked for yet */

struct session {
	const struct session_options *options;
	struct why *why;
	struct site *site;
	struct capture *capture;
	struct capture_out *out;
	struct replay *replay;
	struct replay_memory *memory;
	struct replay_speed *speed;
	const char *name[IMAGE_PORTS];
	__u16 *port; /* by interface of the capture */
	__u32 interfaces;
	__u64 packets, outbound, cut, cut_bytes;
	__u64 sent[IMAGE_PORTS], sent_bytes[IMAGE_PORTS];
};

/* --- the router --- */

static int read_texts(struct session *session)
{
	struct site_text *text;
	int r = site_text_new(session->site, &text);

	if (r)
		return why_set(session->why, -r, "out of memory");
	for (const char *const *path = session->options->config; *path && !r; path++)
		r = site_text_read(text, *path, session->why);
	if (!r)
		r = site_text_end(text, session->why);
	site_text_free(text);
	return r;
}

static int read_kernel(struct session *session)
{
	int r = site_kernel_read(session->site, session->why);

	for (int i = 1; r == -EINTR && i < TRIES; i++) {
		site_free(session->site);
		session->site = NULL;
		r = site_new(&session->site);
		r = r ? r : site_kernel_read(session->site, session->why);
	}
	return r;
}

static int open_site(struct session *session)
{
	int r = site_new(&session->site);

	if (r)
		return why_set(session->why, -r, "out of memory for the tables");
	r = session->options->kernel ? read_kernel(session) : read_texts(session);
	if (!r)
		r = site_open(session->site, session->why);
	if (r)
		return r;
	for (__u16 i = 0; i < site_ports(session->site); i++)
		session->name[i] = site_port_name(session->site, i);
	return 0;
}

/* --- which port a packet came in by --- */

static int port_named(const struct session *session, const char *name, __u16 *ret)
{
	const struct link *link = site_link_named(session->site, name);
	const struct link *below = link ? site_link_of(session->site, link->below) : NULL;

	if (!link)
		return why_set(session->why, ENODEV, "%s: the router has no such interface", name);
	*ret = site_port(session->site, link);
	if (*ret != SITE_NO_PORT)
		return 0;
	if (strcmp(link->kind, "vlan") == 0 && below)
		return why_set(session->why, EINVAL,
			       "%s is a VLAN: its frames come in by %s, with tags; give --in %s", name,
			       below->name, below->name);
	return why_set(session->why, EINVAL, "%s is not an Ethernet port; nothing comes in by it", name);
}

/* What `--in` says about an interface of the capture; NULL: nothing. */
static const char *given_port(const struct session *session, const char *name, __u32 interface)
{
	const char *all = NULL;

	for (const char *const *in = session->options->in; *in; in++) {
		const char *equals = strchr(*in, '=');
		char *end;

		if (!equals) {
			all = *in;
			continue;
		}
		if (strlen(name) == (size_t)(equals - *in) && strncmp(*in, name, strlen(name)) == 0)
			return equals + 1;
		if (!*name && strtoul(*in, &end, 10) == interface && end == equals)
			return equals + 1;
	}
	return all;
}

static int find_port(struct session *session, __u32 interface, __u16 *ret)
{
	const char *name = capture_interface(session->capture, interface);
	const char *given = given_port(session, name, interface);

	if (given)
		return port_named(session, given, ret);
	if (!*name)
		return why_set(session->why, EINVAL,
			       "%s does not say by which interface its packets came in; give --in INTERFACE",
			       session->options->input);
	if (!site_link_named(session->site, name))
		return why_set(
			session->why, ENODEV,
			"%s has packets of interface %s, which the router has not; give --in INTERFACE, or "
			"--in %s=INTERFACE",
			session->options->input, name, name);
	return port_named(session, name, ret);
}

static int port_of(struct session *session, __u32 interface, __u16 *ret)
{
	__u16 *larger;
	int r;

	if (interface >= session->interfaces) {
		larger = realloc(session->port, (interface + 16) * sizeof(*larger));
		if (!larger)
			return why_set(session->why, ENOMEM, "out of memory");
		session->port = larger;
		while (session->interfaces < interface + 16)
			session->port[session->interfaces++] = UNKNOWN;
	}
	if (session->port[interface] == UNKNOWN) {
		r = find_port(session, interface, &session->port[interface]);
		if (r) {
			session->port[interface] = UNKNOWN;
			return r;
		}
	}
	*ret = session->port[interface];
	return 0;
}

/* --- packets --- */

static void tell_progress(struct session *session)
{
	__u64 at, size;

	if (session->packets % PROGRESS || !session->options->progress)
		return;
	capture_progress(session->capture, &at, &size);
	session->options->progress(session->options->arg, session->packets, at, size);
}

static int next(void *arg, struct replay_frame *ret)
{
	struct session *session = arg;
	struct capture_packet packet;
	int r;

	do {
		if (*session->options->stop)
			return why_set(session->why, EINTR, "interrupted; nothing is written");
		r = capture_next(session->capture, &packet, session->why);
		if (r < 0 && *session->options->stop) /* it was that which broke off the reading */
			continue;
		if (r <= 0)
			return r;
		session->packets++;
		session->outbound += packet.outbound;
	} while (r < 0 || packet.outbound);
	tell_progress(session);
	r = port_of(session, packet.interface, &ret->port);
	if (r)
		return r;
	ret->number = session->packets;
	ret->time = packet.time;
	ret->captured = packet.captured;
	ret->length = packet.length;
	ret->bytes = packet.bytes;
	return 1;
}

static void explain(struct session *session, const struct replay_frame *frame)
{
	const struct session_options *options = session->options;
	json_t *packet;

	if (frame->number < options->explain_from || frame->number > options->explain_to)
		return;
	packet = explain_json(session->site, frame);
	options->explained(options->arg, packet);
	json_decref(packet);
}

static int done(void *arg, const struct replay_frame *frame)
{
	struct session *session = arg;

	explain(session, frame);
	if (frame->cut) {
		session->cut++;
		session->cut_bytes += frame->length;
		return 0;
	}
	if (frame->verdict.action != ACTION_FORWARD)
		return 0;
	session->sent[frame->verdict.port]++;
	session->sent_bytes[frame->verdict.port] += frame->out_length;
	return session->out ? capture_out_write(session->out, frame->verdict.port, frame->time, frame->out,
						frame->out_captured, frame->out_length, session->why)
			    : 0;
}

static int replay_once(struct session *session)
{
	static const struct replay_io io = { next, done };
	const char *output = session->options->output;
	int r = replay_new(site_store(session->site), &session->replay);

	if (r)
		return why_set(session->why, -r, "out of memory");
	if (output)
		r = capture_out_open(output, session->name, site_ports(session->site), &session->out,
				     session->why);
	if (!r)
		r = replay_run(session->replay, &io, session);
	if (!r && session->out) {
		r = capture_out_finish(session->out, session->why);
		session->out = NULL;
	}
	return r;
}

/* --- from memory --- */

static int keep(struct session *session)
{
	struct replay_frame frame;
	int r;

	while ((r = next(session, &frame)) > 0) {
		if (frame.captured < frame.length && frame.captured < REPLAY_LEAST) {
			session->cut++;
			session->cut_bytes += frame.length;
			continue;
		}
		r = replay_memory_add(session->memory, frame.port, frame.bytes, frame.captured, frame.length);
		if (r)
			return why_set(session->why, -r, "%s: is too large to be kept in memory",
				       session->options->input);
	}
	return r;
}

static int replay_repeated(struct session *session)
{
	int r = replay_memory_new(&session->memory);

	session->speed = calloc(1, sizeof(*session->speed));
	if (r || !session->speed)
		return why_set(session->why, ENOMEM, "out of memory");
	r = keep(session);
	if (r)
		return r;
	r = replay_memory_run(session->memory, site_store(session->site), session->options->repeat,
			      session->options->stop, session->speed);
	return r ? why_set(session->why, -r, "out of memory") : 0;
}

/* --- the report --- */

static const struct image_counters *counters_of(const struct session *session, __u16 port)
{
	return session->speed ? &session->speed->counters[port] : replay_counters(session->replay, port);
}

static struct image_counter sum_of(const struct session *session, unsigned int reason)
{
	struct image_counter sum = { 0 };

	for (__u16 port = 0; port < site_ports(session->site); port++) {
		sum.packets += counters_of(session, port)->reason[reason].packets;
		sum.bytes += counters_of(session, port)->reason[reason].bytes;
	}
	return sum;
}

static enum action action_of(unsigned int reason)
{
	static const __u8 actions[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = ACTION_##action,
		REASONS(X)
#undef X
	};

	return actions[reason];
}

static json_t *reason_row(const char *verdict, const char *reason, const struct image_counter *counter,
			  const char *text)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:s}", "verdict", verdict, "reason", reason, "packets",
			 (json_int_t)counter->packets, "bytes", (json_int_t)counter->bytes, "text", text);
}

static json_t *reason_rows(const struct session *session, __u64 *by_action)
{
	struct image_counter cut = { session->cut, session->cut_bytes };
	json_t *rows = json_array();

	for (unsigned int reason = 0; reason < REASON_MAX; reason++) {
		struct image_counter sum = sum_of(session, reason);

		if (!sum.packets)
			continue;
		by_action[action_of(reason)] += sum.packets;
		json_array_append_new(rows,
				      reason_row(explain_action(action_of(reason)), explain_reason(reason),
						 &sum, explain_reason_text(reason)));
	}
	if (cut.packets)
		json_array_append_new(
			rows, reason_row("unknown", "cut", &cut, "the capture cut them too short to tell"));
	return rows;
}

static json_t *port_rows(const struct session *session)
{
	json_t *rows = json_array();

	for (__u16 port = 0; port < site_ports(session->site); port++) {
		const struct image_counters *counters = counters_of(session, port);
		__u64 in = 0;

		for (unsigned int reason = 0; reason < REASON_MAX; reason++)
			in += counters->reason[reason].packets;
		if (in || session->sent[port])
			json_array_append_new(
				rows, json_pack("{s:s, s:I, s:I, s:I}", "port", session->name[port], "in",
						(json_int_t)in, "out", (json_int_t)session->sent[port],
						"out_bytes", (json_int_t)session->sent_bytes[port]));
	}
	return rows;
}

static json_t *speed_json(const struct replay_speed *speed)
{
	double ns = speed->packets ? (double)speed->cpu_ns / (double)speed->packets : 0;

	return json_pack("{s:I, s:f, s:f, s:f}", "packets", (json_int_t)speed->packets, "seconds",
			 (double)speed->cpu_ns / 1e9, "ns_per_packet", ns, "mpps", ns > 0 ? 1e3 / ns : 0.0);
}

static json_t *report_of(const struct session *session)
{
	__u64 by_action[ACTION_DROP + 1] = { 0 };
	json_t *reasons = reason_rows(session, by_action);
	json_t *report =
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "packets", (json_int_t)session->packets,
			  "forwarded", (json_int_t)by_action[ACTION_FORWARD], "kernel",
			  (json_int_t)by_action[ACTION_PUNT], "dropped", (json_int_t)by_action[ACTION_DROP],
			  "cut", (json_int_t)session->cut, "outbound", (json_int_t)session->outbound,
			  "reasons", reasons, "ports", port_rows(session));

	if (session->speed)
		json_object_set_new(report, "speed", speed_json(session->speed));
	return report;
}

int session_run(const struct session_options *options, json_t **ret_report, struct why *why)
{
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return why_set(why, ENOMEM, "out of memory");
	session->options = options;
	session->why = why;
	r = capture_open(options->input, &session->capture, why);
	if (!r)
		r = open_site(session);
	if (!r)
		r = options->repeat ? replay_repeated(session) : replay_once(session);
	if (!r)
		*ret_report = report_of(session);
	capture_out_abandon(session->out);
	replay_free(session->replay);
	replay_memory_free(session->memory);
	free(session->speed);
	capture_close(session->capture);
	site_free(session->site);
	free(session->port);
	free(session);
	return r;
}
