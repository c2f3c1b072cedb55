// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_text.h"

#include "bench/workload/prefix.h"
#include "bench/workload/table_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Two kinds of line, one kind per file:
//   PREFIX ID                                            ids are kept as they are
//   [TYPE] PREFIX [nhid N] [via GATEWAY] [dev NAME] ...  each gateway gets an id
// A multipath route of "ip route" has no hop on its own line; the "nexthop via ..." lines that follow name
// them, and the first one gives the route its id. Routes of the local table (type local, broadcast, ...) do
// not forward: skipped.

#define TEXT_BLANK " \t\\"

enum text_kind { TEXT_UNKNOWN, TEXT_IDS, TEXT_IP_ROUTE };

struct text {
	struct stream *stream;
	struct gateways *gateways;
	struct table *table;
	enum text_kind kind;
	bool pending;    // route waits for its first "nexthop" line
	bool of_default; // the family of route is to be found out
	struct table_route route;
};

struct text_hop {
	const char *type, *nhid, *via, *via_family, *dev;
	bool pref; // printed with IPv6 routes only
};

static bool text_is_one_of(const char *word, const char *const *list)
{
	while (*list && strcmp(*list, word))
		list++;
	return *list;
}

// Which of two ways to name the family counts: "via inet6 X" is an IPv4 route with an IPv6 gateway.
static __u8 text_default_family(const struct text_hop *hop)
{
	if (hop->via_family)
		return strcmp(hop->via_family, "inet6") ? AF_INET6 : AF_INET;
	if (hop->via)
		return strchr(hop->via, ':') ? AF_INET6 : AF_INET;
	return hop->pref ? AF_INET6 : AF_INET;
}

static void text_via(struct text_hop *hop, char **rest)
{
	const char *word = strtok_r(NULL, TEXT_BLANK, rest);

	if (word && (!strcmp(word, "inet") || !strcmp(word, "inet6"))) {
		hop->via_family = word;
		word = strtok_r(NULL, TEXT_BLANK, rest);
	}
	hop->via = word;
}

// Reads what follows the prefix; the first hop counts.
static void text_hop_read(struct text_hop *hop, char *rest)
{
	const char *word;

	while ((word = strtok_r(NULL, TEXT_BLANK, &rest))) {
		if (!strcmp(word, "via") && !hop->via)
			text_via(hop, &rest);
		else if (!strcmp(word, "dev") && !hop->dev)
			hop->dev = strtok_r(NULL, TEXT_BLANK, &rest);
		else if (!strcmp(word, "nhid") && !hop->nhid)
			hop->nhid = strtok_r(NULL, TEXT_BLANK, &rest);
		else if (!strcmp(word, "pref"))
			hop->pref = true;
	}
}

static int text_finish(struct text *text, const struct text_hop *hop)
{
	char name[STREAM_LINE_MAX];
	int id;

	if (hop->nhid)
		snprintf(name, sizeof(name), "nhid %s", hop->nhid);
	else if (hop->via && !strncasecmp(hop->via, "fe80:", 5)) // means nothing without its link
		snprintf(name, sizeof(name), "%s%%%s", hop->via, hop->dev ? hop->dev : "");
	else if (hop->via)
		snprintf(name, sizeof(name), "%s", hop->via);
	else
		snprintf(name, sizeof(name), "%s", hop->dev ? hop->dev : hop->type);
	id = table_read_gateway(text->stream, gateways_id(text->gateways, name));
	if (id < 0)
		return id;
	text->pending = false;
	text->route.nexthop = id;
	if (text->of_default)
		text->route.family = text_default_family(hop);
	return table_read_append(text->stream, text->table, &text->route);
}

static int text_prefix(struct text *text, const char *word)
{
	int r;

	text->of_default = !strcmp(word, "default");
	if (text->of_default) {
		text->route = (struct table_route){ .family = AF_INET };
		return 0;
	}
	r = prefix_parse(word, &text->route);
	return r < 0 ? stream_fail(text->stream, r, "'%.60s' %s", word, prefix_cause(r)) : 0;
}

static int text_id_line(struct text *text, const char *word)
{
	char *end;
	unsigned long id;

	errno = 0;
	id = strtoul(word, &end, 10);
	if (errno || id < 1 || id > TABLE_NEXTHOP_MAX)
		return stream_fail(text->stream, -ERANGE,
				   "next-hop id '%.40s' is not within 1 to %u; renumber the ids", word,
				   TABLE_NEXTHOP_MAX);
	text->route.nexthop = id;
	if (text->of_default)
		return stream_fail(text->stream, -EINVAL,
				   "'default' names no family; write 0.0.0.0/0 or ::/0");
	return table_read_append(text->stream, text->table, &text->route);
}

static int text_set_kind(struct text *text, enum text_kind kind)
{
	if (text->kind != TEXT_UNKNOWN && text->kind != kind)
		return stream_fail(
			text->stream, -EINVAL,
			"'PREFIX ID' and 'PREFIX via GATEWAY' lines are mixed; use one kind per file");
	text->kind = kind;
	return 0;
}

static int text_next_hop_line(struct text *text, char *rest)
{
	struct text_hop hop = { 0 };

	if (!text->pending)
		return 0;
	text_hop_read(&hop, rest);
	if (!hop.via && !hop.dev)
		return stream_fail(text->stream, -EINVAL, "names no gateway; write 'nexthop via GATEWAY'");
	return text_finish(text, &hop);
}

static int text_route_line(struct text *text, const char *word, char *rest)
{
	static const char *const dead[] = { "blackhole", "unreachable", "prohibit", "throw", NULL };
	struct text_hop hop = { 0 };
	int r;

	if (text_is_one_of(word, dead))
		hop.type = word;
	if (hop.type || !strcmp(word, "unicast"))
		word = strtok_r(NULL, TEXT_BLANK, &rest);
	r = text_prefix(text, word ? word : "");
	if (r < 0)
		return r;
	rest += strspn(rest, TEXT_BLANK);
	if (rest[0] && !rest[strspn(rest, "0123456789")] && !hop.type) {
		r = text_set_kind(text, TEXT_IDS);
		return r < 0 ? r : text_id_line(text, rest);
	}
	if (!rest[0] && !hop.type)
		return stream_fail(text->stream, -EINVAL,
				   "no next hop; write 'PREFIX ID' or 'PREFIX via GATEWAY'");
	r = text_set_kind(text, TEXT_IP_ROUTE);
	if (r < 0)
		return r;
	text_hop_read(&hop, rest);
	text->pending = !hop.type && !hop.nhid && !hop.via && !hop.dev;
	return text->pending ? 0 : text_finish(text, &hop);
}

static int text_check_pending(struct text *text)
{
	return text->pending ? stream_fail(text->stream, -EINVAL,
					   "the route before names no gateway; write 'PREFIX via GATEWAY'")
			     : 0;
}

static int text_line(struct text *text, char *line)
{
	static const char *const local[] = { "local", "broadcast", "multicast", "anycast", NULL };
	char *rest = NULL;
	const char *word = strtok_r(line, TEXT_BLANK, &rest);
	int r;

	if (!word || word[0] == '#')
		return 0;
	if (!strcmp(word, "nexthop"))
		return text_next_hop_line(text, rest);
	r = text_check_pending(text);
	if (r < 0 || text_is_one_of(word, local))
		return r;
	return text_route_line(text, word, rest);
}

int table_text_read(struct stream *stream, struct gateways *gateways, struct table *table)
{
	struct text text = { .stream = stream, .gateways = gateways, .table = table };
	char *line;
	int r;

	while ((r = stream_line(stream, &line)) > 0) {
		r = text_line(&text, line);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : text_check_pending(&text);
}
