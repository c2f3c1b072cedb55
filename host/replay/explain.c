// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/explain.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "host/engine/replay.h"
#include "host/engine/user_program.h"
#include "host/fib/fib.h"
#include "host/fib/image_store.h"
#include "host/fib/view.h"
#include "host/mirror/links.h"
#include "host/replay/site.h"

#define HEADROOM 64
#define LONGEST  131072
#define ETHERNET 14

const char *explain_action(unsigned int action)
{
	static const char *const names[] = {
		[ACTION_FORWARD] = "forward", [ACTION_PUNT] = "kernel", [ACTION_DROP] = "drop"
	};

	return action <= ACTION_DROP ? names[action] : "?";
}

const char *explain_reason(unsigned int reason)
{
	static const char *const names[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = string,
		REASONS(X)
#undef X
	};

	return reason < REASON_MAX && names[reason] ? names[reason] : "?";
}

const char *explain_reason_text(unsigned int reason)
{
	static const char *const texts[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = text,
		REASONS(X)
#undef X
	};

	return reason < REASON_MAX && texts[reason] ? texts[reason] : "?";
}

/* --- the document --- */

static json_t *mac_json(const __u8 *mac)
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static json_t *address_json(__u8 family, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	return inet_ntop(family, address, text, sizeof(text)) ? json_string(text) : json_null();
}

static json_t *prefix_json(const struct fib_prefix *prefix)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(prefix->family, prefix->address, text, sizeof(text)))
		return json_null();
	return json_sprintf("%s/%u", text, prefix->length);
}

static json_t *link_json(const struct site *site, __u32 ifindex)
{
	const struct link *link = site_link_of(site, ifindex);

	return link ? json_string(link->name) : json_null();
}

static json_t *table_json(const struct site *site, __u32 table)
{
	const char *vrf = site_vrf(site, table);

	if (vrf)
		return json_sprintf("%u (vrf %s)", table, vrf);
	if (table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL)
		return json_string(table == RT_TABLE_MAIN ? "main" : "local");
	return json_sprintf("%u", table);
}

/* Addresses and type of a frame of which that much is there. */
static void put_frame(json_t *object, const __u8 *bytes, __u32 captured)
{
	if (captured < ETHERNET)
		return;
	json_object_set_new(object, "source_mac", mac_json(bytes + 6));
	json_object_set_new(object, "destination_mac", mac_json(bytes));
	json_object_set_new(object, "ethertype", json_integer(bytes[12] << 8 | bytes[13]));
}

static void put_ip(json_t *object, const struct user_trace *trace)
{
	__u8 family = trace->ipv6 ? AF_INET6 : AF_INET;
	json_t *ip = json_object();

	json_object_set_new(ip, "family", json_integer(trace->ipv6 ? 6 : 4));
	json_object_set_new(ip, "source", address_json(family, trace->source));
	json_object_set_new(ip, "destination", address_json(family, trace->destination));
	json_object_set_new(ip, "ttl", json_integer(trace->ttl));
	json_object_set_new(ip, "protocol", json_integer(trace->protocol));
	json_object_set_new(ip, "length", json_integer(trace->length));
	if (trace->ports) {
		json_object_set_new(ip, "source_port", json_integer(trace->source_port));
		json_object_set_new(ip, "destination_port", json_integer(trace->destination_port));
	}
	json_object_set_new(object, "ip", ip);
}

static void put_tags(json_t *object, const __be32 *tag, unsigned int count)
{
	json_t *tags = json_array();

	for (unsigned int i = 0; i < count && i < 2; i++)
		json_array_append_new(tags, json_pack("{s:i, s:i}", "protocol", (int)(ntohl(tag[i]) >> 16),
						      "vid", (int)(ntohl(tag[i]) & 0xfff)));
	json_object_set_new(object, "tags", tags);
}

struct slot_search {
	__u32 slot;
	struct view_interface found;
};

static bool is_slot(void *arg, const struct view_interface *interface)
{
	struct slot_search *search = arg;

	if (interface->slot != search->slot)
		return true;
	search->found = *interface;
	return false;
}

/* Returns its routing table. */
static __u32 put_interface(json_t *object, const struct site *site, __u32 slot)
{
	struct slot_search search = { .slot = slot };

	if (!slot)
		return 0;
	view_interfaces(site_fib(site), is_slot, &search);
	json_object_set_new(object, "interface", link_json(site, search.found.ifindex));
	json_object_set_new(object, "table", table_json(site, search.found.table));
	return search.found.table;
}

static json_t *route_table_json(const struct site *site, const struct view_route *route)
{
	switch (route->origin) {
	case VIEW_LOCAL:
		return table_json(site, RT_TABLE_LOCAL);
	case VIEW_FIXED:
		return json_string("of ranges that are never forwarded");
	case VIEW_NEIGHBOUR:
		return json_string("of neighbours on the link");
	default:
		return table_json(site, route->table);
	}
}

static void put_leaf(json_t *route, const struct site *site, __u32 leaf, __u32 nexthop)
{
	struct view_leaf group, path;

	if (view_leaf(site_fib(site), leaf, &group) < 0)
		return;
	if (group.kind == NEXTHOP_GROUP)
		json_object_set_new(route, "members", json_integer(group.members));
	if (view_leaf(site_fib(site), nexthop, &path) < 0 || !path.ifindex)
		return;
	json_object_set_new(route, "dev", link_json(site, path.ifindex));
	if (path.gateway_family)
		json_object_set_new(route, "via", address_json(path.gateway_family, path.gateway));
}

static void put_route(json_t *object, const struct site *site, __u32 table, const struct user_trace *trace)
{
	json_t *route = json_object();
	struct view_answer answer;

	view_lookup(site_fib(site), table, trace->ipv6 ? AF_INET6 : AF_INET, trace->destination, &answer);
	if (answer.matched) {
		json_object_set_new(route, "prefix", prefix_json(&answer.route.prefix));
		json_object_set_new(route, "table", route_table_json(site, &answer.route));
	} else if (answer.leaf != REASON_NO_ROUTE) {
		json_object_set_new(route, "prefix", json_string("default"));
		json_object_set_new(route, "table", table_json(site, table));
	}
	put_leaf(route, site, trace->leaf, trace->nexthop);
	json_object_set_new(object, "route", route);
}

/* nexthop: by which it left. */
static void put_out(json_t *object, const struct site *site, const struct replay_frame *frame, __u32 nexthop)
{
	json_t *out = json_object();
	struct view_leaf leaf;

	json_object_set_new(out, "port", json_string(site_port_name(site, frame->verdict.port)));
	json_object_set_new(out, "length", json_integer(frame->out_length));
	put_frame(out, frame->out, frame->out_captured);
	if (view_leaf(site_fib(site), nexthop, &leaf) == 0 && leaf.tags)
		put_tags(out, leaf.tag, leaf.tags);
	json_object_set_new(object, "out", out);
}

static void put_verdict(json_t *object, const struct site *site, const struct replay_frame *frame,
			__u32 nexthop)
{
	json_object_set_new(object, "verdict", json_string(explain_action(frame->verdict.action)));
	json_object_set_new(object, "reason", json_string(explain_reason(frame->verdict.reason)));
	json_object_set_new(object, "text", json_string(explain_reason_text(frame->verdict.reason)));
	if (frame->verdict.action == ACTION_FORWARD)
		put_out(object, site, frame, nexthop);
}

/* The program once more, on a frame of its own, to see what it sees. Returns the next hop, 0: none. */
static __u32 put_trace(json_t *object, const struct site *site, const struct replay_frame *frame)
{
	__u32 length = frame->length < LONGEST ? frame->length : LONGEST, table;
	__u32 captured = frame->captured < length ? frame->captured : length;
	__u8 *buffer = calloc(1, HEADROOM + length);
	struct user_frame copy = { buffer + HEADROOM, length, HEADROOM };
	struct user_trace trace;

	if (!buffer)
		return 0;
	memcpy(copy.data, frame->bytes, captured);
	(void)user_program_trace(site_store(site), frame->port, &copy, &trace);
	free(buffer);
	if (trace.tags)
		put_tags(object, trace.tag, trace.tags);
	if (trace.parsed)
		put_ip(object, &trace);
	table = trace.admitted ? put_interface(object, site, trace.interface) : 0;
	if (trace.routed)
		put_route(object, site, table, &trace);
	return trace.nexthop;
}

json_t *explain_json(const struct site *site, const struct replay_frame *frame)
{
	json_t *object = json_object();

	json_object_set_new(object, "number", json_integer((json_int_t)frame->number));
	json_object_set_new(object, "time", json_integer((json_int_t)frame->time));
	json_object_set_new(object, "port", json_string(site_port_name(site, frame->port)));
	json_object_set_new(object, "length", json_integer(frame->length));
	json_object_set_new(object, "captured", json_integer(frame->captured));
	put_frame(object, frame->bytes, frame->captured);
	if (frame->cut) {
		json_object_set_new(object, "verdict", json_string("unknown"));
		json_object_set_new(object, "reason", json_string("cut"));
		json_object_set_new(object, "text", json_string("the capture cut it too short to tell"));
		return object;
	}
	put_verdict(object, site, frame, put_trace(object, site, frame));
	return object;
}

/* --- as text --- */

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_protocol(FILE *to, const json_t *ip)
{
	json_int_t protocol = number_of(ip, "protocol");
	const char *name = protocol == IPPROTO_TCP      ? "TCP"
			   : protocol == IPPROTO_UDP    ? "UDP"
			   : protocol == IPPROTO_ICMP   ? "ICMP"
			   : protocol == IPPROTO_ICMPV6 ? "ICMPv6"
							: NULL;

	if (name)
		fprintf(to, ", %s", name);
	else
		fprintf(to, ", protocol %lld", (long long)protocol);
	if (json_object_get(ip, "source_port"))
		fprintf(to, " %lld > %lld", (long long)number_of(ip, "source_port"),
			(long long)number_of(ip, "destination_port"));
}

static void print_tags(FILE *to, const json_t *object)
{
	json_t *tag;
	size_t index;

	json_array_foreach(json_object_get(object, "tags"), index, tag)
		fprintf(to, ", vlan %lld", (long long)number_of(tag, "vid"));
}

static void print_frame(FILE *to, const json_t *document)
{
	const json_t *ip = json_object_get(document, "ip");

	if (!json_object_get(document, "source_mac"))
		return;
	fprintf(to, "  frame %s > %s", string_of(document, "source_mac"),
		string_of(document, "destination_mac"));
	print_tags(to, document);
	if (!ip)
		fprintf(to, ", type 0x%04llx", (unsigned long long)number_of(document, "ethertype"));
	fputc('\n', to);
	if (!ip)
		return;
	fprintf(to, "  IPv%lld %s > %s, ttl %lld, %lld bytes", (long long)number_of(ip, "family"),
		string_of(ip, "source"), string_of(ip, "destination"), (long long)number_of(ip, "ttl"),
		(long long)number_of(ip, "length"));
	print_protocol(to, ip);
	fputc('\n', to);
}

static void print_route(FILE *to, const json_t *route)
{
	if (!route)
		return;
	if (!json_object_get(route, "prefix")) {
		fputs("  route none\n", to);
		return;
	}
	fprintf(to, "  route %s, table %s", string_of(route, "prefix"), string_of(route, "table"));
	if (json_object_get(route, "via"))
		fprintf(to, ", via %s", string_of(route, "via"));
	if (json_object_get(route, "dev"))
		fprintf(to, "%s dev %s", json_object_get(route, "via") ? "" : ",", string_of(route, "dev"));
	if (json_object_get(route, "members"))
		fprintf(to, ", one of %lld next hops", (long long)number_of(route, "members"));
	fputc('\n', to);
}

void explain_print(FILE *to, const json_t *document)
{
	const json_t *out = json_object_get(document, "out");
	const char *verdict = string_of(document, "verdict");
	json_int_t length = number_of(document, "length"), captured = number_of(document, "captured");

	fprintf(to, "packet %lld, %lld bytes in by %s", (long long)number_of(document, "number"),
		(long long)length, string_of(document, "port"));
	if (captured < length)
		fprintf(to, ", %lld of them in the capture", (long long)captured);
	fputc('\n', to);
	print_frame(to, document);
	if (json_object_get(document, "interface"))
		fprintf(to, "  interface %s, table %s\n", string_of(document, "interface"),
			string_of(document, "table"));
	print_route(to, json_object_get(document, "route"));
	if (out) {
		fprintf(to, "  forwarded out of %s, %s > %s", string_of(out, "port"),
			string_of(out, "source_mac"), string_of(out, "destination_mac"));
		print_tags(to, out);
		fprintf(to, ", %lld bytes\n", (long long)number_of(out, "length"));
	} else {
		fprintf(to, "  %s: %s (%s)\n",
			strcmp(verdict, "drop") == 0     ? "dropped"
			: strcmp(verdict, "kernel") == 0 ? "to the kernel"
							 : "unknown",
			string_of(document, "text"), string_of(document, "reason"));
	}
}
