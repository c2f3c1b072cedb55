// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/updates_trace.h"

#include "bench/workload/bgp.h"
#include "bench/workload/mrt.h"
#include "bench/workload/prefix.h"
#include "bench/workload/table_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// A BGP message holds many updates: they wait in pending until the caller has taken them.

struct trace {
	struct updates updates;
	struct stream *stream;
	struct gateways *gateways, *own_gateways;
	struct mrt *mrt; // NULL: text
	struct update *pending;
	size_t count, room, next;
	double first, last; // seconds
	bool any;
};

#define TRACE_BLANK " \t"

// A clock that was set back, or the jitter of several peers, must not make a replay wait backwards.
static double trace_time(struct trace *trace, double seconds)
{
	if (!trace->any)
		trace->first = trace->last = seconds;
	trace->any = true;
	if (seconds > trace->last)
		trace->last = seconds;
	return trace->last - trace->first;
}

static int trace_push(struct trace *trace, const struct update *update)
{
	if (trace->count == trace->room) {
		size_t room = trace->room ? trace->room * 2 : 64;
		struct update *pending = reallocarray(trace->pending, room, sizeof(*pending));

		if (!pending)
			return stream_fail(trace->stream, -ENOMEM, "no memory for its updates");
		trace->pending = pending;
		trace->room = room;
	}
	trace->pending[trace->count++] = *update;
	return 1;
}

static int trace_text_nexthop(struct trace *trace, const char *word)
{
	unsigned long id;

	if (word[strspn(word, "0123456789")])
		return table_read_gateway(trace->stream, gateways_id(trace->gateways, word));
	errno = 0;
	id = strtoul(word, NULL, 10);
	if (errno || id < 1 || id > TABLE_NEXTHOP_MAX)
		return stream_fail(trace->stream, -ERANGE,
				   "next-hop id '%.40s' is not within 1 to %u; renumber the ids", word,
				   TABLE_NEXTHOP_MAX);
	return id;
}

// Digits with at most one dot; no sign, exponent, infinity.
static bool trace_is_seconds(const char *word)
{
	size_t digits = strspn(word, "0123456789");

	if (!digits || digits > 15)
		return false;
	word += digits;
	return !*word || (*word == '.' && !word[1 + strspn(word + 1, "0123456789")]);
}

static int trace_text_line(struct trace *trace, char *line)
{
	char *rest = NULL, *seconds = strtok_r(line, TRACE_BLANK, &rest);
	char *kind = strtok_r(NULL, TRACE_BLANK, &rest), *prefix = strtok_r(NULL, TRACE_BLANK, &rest);
	char *nexthop = strtok_r(NULL, TRACE_BLANK, &rest);
	struct update update;
	int r;

	if (!prefix || !trace_is_seconds(seconds) || (strcmp(kind, "a") && strcmp(kind, "w")))
		return stream_fail(trace->stream, -EINVAL,
				   "is no update; write 'SECONDS a|w PREFIX NEXTHOP'");
	r = prefix_parse(prefix, &update.route);
	if (r < 0)
		return stream_fail(trace->stream, r, "'%.60s' %s", prefix, prefix_cause(r));
	update.withdraw = kind[0] == 'w';
	if (!update.withdraw) {
		if (!nexthop)
			return stream_fail(trace->stream, -EINVAL,
					   "no next hop; write 'SECONDS a PREFIX NEXTHOP'");
		r = trace_text_nexthop(trace, nexthop);
		if (r < 0)
			return r;
		update.route.nexthop = r;
	}
	update.seconds = trace_time(trace, strtod(seconds, NULL));
	return trace_push(trace, &update);
}

static int trace_text_next(struct trace *trace)
{
	char *line;
	int r;

	do {
		r = stream_line(trace->stream, &line);
		if (r <= 0)
			return r;
		line += strspn(line, TRACE_BLANK);
	} while (!*line || *line == '#');
	return trace_text_line(trace, line);
}

// Prefixes of one field of a message.
struct trace_field {
	struct wire prefixes;
	__u8 family; // 0: none
	bool path_id;
	bool withdraw;
	const struct bgp_nexthop *nexthop;
	__u32 origin_as;
};

static int trace_field(struct trace *trace, struct trace_field field, double seconds)
{
	struct update update = { .seconds = seconds, .withdraw = field.withdraw };
	const char *cause;
	int id = 0;

	if (!field.family || !field.prefixes.left)
		return 0;
	if (!field.withdraw)
		id = table_read_gateway(trace->stream,
					gateways_bgp_id(trace->gateways, field.nexthop, field.origin_as));
	if (id < 0)
		return id;
	while (field.prefixes.left) {
		int r = bgp_prefix_read(&field.prefixes, field.family, field.path_id, &update.route, &cause);

		if (r < 0)
			return mrt_bad(trace->mrt, cause);
		update.route.nexthop = id;
		r = trace_push(trace, &update);
		if (r < 0)
			return r;
	}
	return 0;
}

static int trace_update(struct trace *trace, struct wire wire, unsigned int as_bytes, bool path_id,
			double seconds)
{
	struct wire withdrawn, attributes;
	struct bgp_attributes a;
	const char *cause;
	__u16 length;

	if (!wire_u16(&wire, &length) || !wire_part(&wire, length, &withdrawn) || !wire_u16(&wire, &length) ||
	    !wire_part(&wire, length, &attributes))
		return mrt_bad(trace->mrt, "a field runs over its message");
	if (bgp_attributes_read(attributes, as_bytes, &a, &cause) < 0)
		return mrt_bad(trace->mrt, cause);

	const struct trace_field fields[] = {
		{ withdrawn, AF_INET, path_id, true, NULL, 0 },
		{ a.unreach, a.unreach_family, path_id, true, NULL, 0 },
		{ wire, AF_INET, path_id, false, &a.nexthop, a.origin_as },
		{ a.reach, a.reach_family, path_id, false, &a.mp_nexthop, a.origin_as },
	};
	for (unsigned int i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		int r = trace_field(trace, fields[i], seconds);

		if (r < 0)
			return r;
	}
	return 0;
}

// RFC 6396, 4.4 and RFC 8050, 3: whether AS numbers have 4 bytes, and whether prefixes have path ids.
static bool trace_subtype(__u16 subtype, unsigned int *as_bytes, bool *path_id)
{
	switch (subtype) {
	case 1:  // MESSAGE
	case 6:  // MESSAGE_LOCAL
	case 8:  // MESSAGE_ADDPATH
	case 10: // MESSAGE_LOCAL_ADDPATH
		*as_bytes = 2;
		break;
	case 4:  // MESSAGE_AS4
	case 7:  // MESSAGE_AS4_LOCAL
	case 9:  // MESSAGE_AS4_ADDPATH
	case 11: // MESSAGE_AS4_LOCAL_ADDPATH
		*as_bytes = 4;
		break;
	default: // state changes
		return false;
	}
	*path_id = subtype >= 8;
	return true;
}

static int trace_message(struct trace *trace, const struct mrt_record *record)
{
	struct wire wire = record->body, message;
	__u16 afi, length;
	unsigned int as_bytes;
	bool path_id;
	__u8 type;

	if (record->type != MRT_BGP4MP || !trace_subtype(record->subtype, &as_bytes, &path_id))
		return 0;
	// Peer and local AS, interface, address family, then peer and local address.
	if (!wire_skip(&wire, as_bytes * 2 + 2) || !wire_u16(&wire, &afi) ||
	    !wire_skip(&wire, afi == BGP_AFI_IPV6 ? 32 : 8))
		return mrt_bad(trace->mrt, "it is too short");
	// RFC 4271, 4.1: marker, length of all, type.
	if (!wire_skip(&wire, 16) || !wire_u16(&wire, &length) || !wire_u8(&wire, &type) || length < 19 ||
	    !wire_part(&wire, length - 19, &message))
		return mrt_bad(trace->mrt, "a BGP message runs over its record");
	if (type != 2) // UPDATE
		return 0;
	return trace_update(trace, message, as_bytes, path_id, trace_time(trace, record->seconds));
}

static int trace_mrt_next(struct trace *trace)
{
	struct mrt_record record;
	int r;

	do {
		r = mrt_next(trace->mrt, &record);
		if (r > 0)
			r = trace_message(trace, &record);
		else if (r == 0)
			return 0;
	} while (r >= 0 && !trace->count);
	return r < 0 ? r : 1;
}

static int trace_next(struct updates *updates, struct update *ret_update)
{
	struct trace *trace = (struct trace *)updates;
	int r;

	if (trace->next == trace->count) {
		trace->next = trace->count = 0;
		r = trace->mrt ? trace_mrt_next(trace) : trace_text_next(trace);
		if (r <= 0) {
			trace->count = 0; // nothing of a message that is wrong further on
			return r;
		}
	}
	*ret_update = trace->pending[trace->next++];
	return 1;
}

static void trace_free(struct updates *updates)
{
	struct trace *trace = (struct trace *)updates;

	mrt_free(trace->mrt);
	gateways_free(trace->own_gateways);
	stream_close(trace->stream);
	free(trace->pending);
	free(trace);
}

// Has the trace a first update? An empty one, or a table taken for a trace, is told at once and not at the
// first replay.
static int trace_prepare(struct trace *trace, struct gateways *gateways)
{
	const __u8 *first = NULL;
	int r = stream_peek(trace->stream, 16, &first);

	if (r < 0)
		return r;
	if (!gateways)
		gateways = trace->own_gateways = gateways_new();
	trace->gateways = gateways;
	if (mrt_is(first, r))
		trace->mrt = mrt_new(trace->stream);
	if (!gateways || (mrt_is(first, r) && !trace->mrt))
		return stream_fail(trace->stream, -ENOMEM, "no memory to read it");
	r = trace->mrt ? trace_mrt_next(trace) : trace_text_next(trace);
	if (r == 0)
		return stream_fail(
			trace->stream, -ENODATA,
			"holds no update; give lines 'SECONDS a|w PREFIX NEXTHOP' or MRT BGP4MP messages");
	return r < 0 ? r : 0;
}

int updates_trace_start(struct stream *stream, struct gateways *gateways, struct updates **ret_updates)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	int r;

	if (!trace) {
		r = stream_fail(stream, -ENOMEM, "no memory to read it");
		stream_close(stream);
		return r;
	}
	trace->updates = (struct updates){ trace_next, trace_free };
	trace->stream = stream;
	r = trace_prepare(trace, gateways);
	if (r < 0)
		trace_free(&trace->updates);
	else
		*ret_updates = &trace->updates;
	return r;
}

int updates_trace_open(const char *path, struct gateways *gateways, struct stream_error *error,
		       struct updates **ret_updates)
{
	struct stream *stream;
	int r = stream_open(path, error, &stream);

	return r < 0 ? r : updates_trace_start(stream, gateways, ret_updates);
}
