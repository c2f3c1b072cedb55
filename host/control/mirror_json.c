// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/mirror_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config.h"
#include "host/control/api.h"
#include "host/control/leaf_json.h"
#include "host/mirror/audit.h"
#include "host/mirror/mirror.h"
#include "host/router.h"

#define AUDIT_SAMPLES     10000
#define AUDIT_SAMPLES_MAX 10000000

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

/* One sentence for `status`. */
static json_t *summary(const struct mirror *mirror, const struct mirror_stats *stats)
{
	char text[256];
	int length;

	if (!mirror_ready(mirror))
		return json_string("reads the kernel's tables for the first time");
	length = snprintf(text, sizeof(text),
			  "%s, %.1f ms behind the kernel (at most %.1f so far), %llu events",
			  stats->resyncing ? "reads tables again" : "in step", stats->lag_us / 1000.0,
			  stats->lag_max_us / 1000.0, (unsigned long long)stats->events);
	if (stats->resyncs)
		snprintf(text + length, sizeof(text) - (size_t)length, ", read again %llu times (last: %s)",
			 (unsigned long long)stats->resyncs, stats->resync_cause ? stats->resync_cause : "?");
	return json_string(text);
}

/* What audits found so far. */
static json_t *count_json(const struct audit_count *count)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "samples", (json_int_t)count->samples, "same",
			 (json_int_t)count->same, "left", (json_int_t)count->left, "skipped",
			 (json_int_t)count->skipped, "passing", (json_int_t)count->passing, "differences",
			 (json_int_t)count->differences);
}

json_t *mirror_json(const struct mirror *mirror)
{
	struct audit_result audit;
	struct mirror_stats stats;

	if (!mirror)
		return json_pack("{s:b, s:s}", "ready", 0, "summary", "is not there yet");
	mirror_stats(mirror, &stats);
	audit_result(mirror_audit(mirror), &audit);
	return json_pack("{s:b, s:b, s:o, s:I, s:I, s:I, s:I, s:o, s:i, s:i, s:i, s:I, s:i, s:I, s:I, s:i, "
			 "s:i, s:i, s:o}",
			 "ready", mirror_ready(mirror), "resyncing", stats.resyncing, "summary",
			 summary(mirror, &stats), "events", (json_int_t)stats.events, "overruns",
			 (json_int_t)stats.overruns, "malformed", (json_int_t)stats.malformed, "resyncs",
			 (json_int_t)stats.resyncs, "resync_cause", text_or_null(stats.resync_cause),
			 "resync_ms", (int)stats.resync_ms, "lag_us", (int)stats.lag_us, "lag_max_us",
			 (int)stats.lag_max_us, "moves", (json_int_t)stats.moves, "links", (int)stats.links,
			 "routes4", (json_int_t)stats.rib.routes[0], "routes6",
			 (json_int_t)stats.rib.routes[1], "neighbours", (int)stats.neighbours.known, "rules",
			 (int)stats.rules, "punting_rules", (int)stats.punting_rules, "audit",
			 count_json(&audit.total));
}

json_t *mirror_json_netfilter(const struct mirror *mirror)
{
	const struct netfilter_state *state = mirror ? mirror_netfilter(mirror) : NULL;

	if (!state)
		return json_null();
	return json_pack("{s:b, s:o, s:b, s:o, s:i}", "rules", state->rules, "why_rules",
			 text_or_null(state->why_rules), "xfrm", state->xfrm, "why_xfrm",
			 text_or_null(state->why_xfrm), "devices", (int)state->device_count);
}

json_t *mirror_json_hold(const struct mirror *mirror, __u32 ifindex)
{
	const struct link *link = mirror ? links_find(mirror_links(mirror), ifindex) : NULL;
	struct why detail = { "" };
	enum reason reason;

	if (!link)
		return json_null();
	reason = mirror_punt(mirror, link, &detail);
	if (reason == REASON_FORWARDED)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "reason", leaf_json_reason(reason), "text",
			 leaf_json_text(reason), "detail", text_or_null(detail.text));
}

bool mirror_json_holds(const struct mirror *mirror, __u32 ifindex)
{
	const struct link *link = mirror ? links_find(mirror_links(mirror), ifindex) : NULL;

	return link && mirror_punt(mirror, link, NULL) != REASON_FORWARDED;
}

/* --- rules --- */

static void add_row(json_t *list, const char *kind, const char *what, const char *effect)
{
	json_array_append_new(list,
			      json_pack("{s:s, s:s, s:s}", "kind", kind, "what", what, "effect", effect));
}

static int put_prefix(char *text, size_t size, const char *word, __u8 family, const __u8 *address,
		      __u8 length)
{
	char number[INET6_ADDRSTRLEN];

	if (!length || !inet_ntop(family, address, number, sizeof(number)))
		return 0;
	return snprintf(text, size, " %s %s/%u", word, number, length);
}

/* As `ip rule` says it, as far as that matters here. */
static void rule_text(const struct rule_message *rule, char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "%s %u:%s", rule->family == AF_INET6 ? "ipv6" : "ipv4",
					 rule->priority, rule->invert ? " not" : "");

	length += (size_t)put_prefix(text + length, size - length, "from", rule->family, rule->source,
				     rule->source_length);
	length += (size_t)put_prefix(text + length, size - length, "to", rule->family, rule->destination,
				     rule->destination_length);
	if (rule->input[0])
		length += (size_t)snprintf(text + length, size - length, " iif %.16s", rule->input);
	if (rule->output[0])
		length += (size_t)snprintf(text + length, size - length, " oif %.16s", rule->output);
	if (rule->l3mdev)
		length += (size_t)snprintf(text + length, size - length, " l3mdev");
	if (rule->table)
		length += (size_t)snprintf(text + length, size - length, " table %u", rule->table);
	if (rule->narrow)
		(void)snprintf(text + length, size - length, " (and more)");
}

static bool add_rule(void *arg, const struct rule_message *rule, enum rules_effect effect)
{
	char text[256];

	rule_text(rule, text, sizeof(text));
	add_row(arg, "policy rule", text, rules_effect_name(effect));
	return true;
}

static void add_netfilter(json_t *list, const struct netfilter_state *state, bool bypass)
{
	if (state->rules)
		add_row(list, "netfilter", state->why_rules,
			bypass ? "bypassed, as configured" : "forwarded packets go to the kernel");
	for (__u32 i = 0; i < state->device_count && i < NETFILTER_DEVICES; i++)
		add_row(list, "netfilter", state->device[i],
			bypass ? "bypassed, as configured" : "what comes in there goes to the kernel");
	if (state->xfrm)
		add_row(list, "IPsec", state->why_xfrm, "forwarded packets go to the kernel");
}

int mirror_json_rules(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	const struct router_state *state = router_state(router);
	json_t *list = json_array();

	rules_each(mirror_rules(state->mirror), AF_INET, add_rule, list);
	rules_each(mirror_rules(state->mirror), AF_INET6, add_rule, list);
	add_netfilter(list, mirror_netfilter(state->mirror),
		      state->config->netfilter == CONFIG_NETFILTER_BYPASS);
	*ret = json_pack("{s:o}", "rules", list);
	return 0;
}

/* --- audit --- */

static json_t *differences_json(const struct audit_result *result)
{
	json_t *list = json_array();

	for (int i = 0; i < AUDIT_SHOWN && result->text[i][0]; i++)
		json_array_append_new(list, json_string(result->text[i]));
	return list;
}

int mirror_json_audit(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	struct audit_result result;

	audit_result(mirror_audit(router_state(router)->mirror), &result);
	*ret = json_pack("{s:b, s:o, s:o, s:o}", "running", result.running, "run", count_json(&result.run),
			 "total", count_json(&result.total), "differences", differences_json(&result));
	return 0;
}

int mirror_json_audit_start(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	const char *text = api_argument(request, "samples");
	unsigned long samples = AUDIT_SAMPLES;
	int error;

	if (text) {
		char *end;

		samples = strtoul(text, &end, 10);
		if (*text < '0' || *text > '9' || *end || !samples || samples > AUDIT_SAMPLES_MAX)
			return why_set(why, EINVAL, "samples is '%.20s'; allowed: 1 to %d", text,
				       AUDIT_SAMPLES_MAX);
	}
	error = audit_start(mirror_audit(router_state(router)->mirror), (__u32)samples);
	if (error == -ENODATA)
		return why_set(why, EAGAIN, "the tables are still being read; try again in a moment");
	if (error < 0)
		return why_set(why, -error, "cannot begin an audit: %s", strerror(-error));
	*ret = json_pack("{s:I}", "samples", (json_int_t)samples);
	return 0;
}
