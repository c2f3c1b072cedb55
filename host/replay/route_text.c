// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/route_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define METRIC_IPV6 1024 /* what the kernel takes where none is given */

struct reader {
	const struct route_names *names;
	char *const *word;
	unsigned int count, at;
	bool metric; /* was given */
	struct why *why;
};

struct number_word {
	const char *word;
	__u32 number;
};

static const struct number_word types[] = {
	{ "unicast", RTN_UNICAST },
	{ "local", RTN_LOCAL },
	{ "broadcast", RTN_BROADCAST },
	{ "anycast", RTN_ANYCAST },
	{ "multicast", RTN_MULTICAST },
	{ "blackhole", RTN_BLACKHOLE },
	{ "unreachable", RTN_UNREACHABLE },
	{ "prohibit", RTN_PROHIBIT },
	{ "throw", RTN_THROW },
	{ NULL, 0 },
};

static const struct number_word tables[] = {
	{ "main", RT_TABLE_MAIN },
	{ "local", RT_TABLE_LOCAL },
	{ "default", RT_TABLE_DEFAULT },
	{ NULL, 0 },
};

static const struct number_word protocols[] = {
	{ "redirect", RTPROT_REDIRECT },
	{ "kernel", RTPROT_KERNEL },
	{ "boot", RTPROT_BOOT },
	{ "static", RTPROT_STATIC },
	{ "ra", RTPROT_RA },
	{ "zebra", RTPROT_ZEBRA },
	{ "bird", RTPROT_BIRD },
	{ "dhcp", RTPROT_DHCP },
	{ "bgp", RTPROT_BGP },
	{ "isis", RTPROT_ISIS },
	{ "ospf", RTPROT_OSPF },
	{ "rip", RTPROT_RIP },
	{ "eigrp", RTPROT_EIGRP },
	{ NULL, 0 },
};

static const struct number_word scopes[] = {
	{ "global", RT_SCOPE_UNIVERSE }, { "site", RT_SCOPE_SITE },       { "link", RT_SCOPE_LINK },
	{ "host", RT_SCOPE_HOST },       { "nowhere", RT_SCOPE_NOWHERE }, { NULL, 0 },
};

/* What says nothing about where packets go: words alone, and words with a value behind them. */
static const char *const idle_words[] = { "onlink",         "linkdown",   "pervasive", "offload",
					  "offload_failed", "rt_offload", "rt_trap",   "trap",
					  "notify",         "unresolved", NULL };
static const char *const idle_pairs[] = {
	"pref",   "error",   "users",    "age",     "ipid",     "hoplimit",      "advmss",
	"rtt",    "rttvar",  "ssthresh", "cwnd",    "initcwnd", "initrwnd",      "reordering",
	"window", "rto_min", "features", "congctl", "quickack", "ttl-propagate", "fastopen_no_cookie",
	"uid",    NULL
};

static int refuse(struct reader *reader, const char *what, const char *word)
{
	return why_set(reader->why, EINVAL, "'%.60s' %s", word ? word : "(the end of the line)", what);
}

static const char *next(struct reader *reader)
{
	return reader->at < reader->count ? reader->word[reader->at++] : NULL;
}

static bool is_one_of(const char *word, const char *const *list)
{
	while (*list && strcmp(*list, word))
		list++;
	return *list;
}

static bool is_number(const char *word, __u32 *ret)
{
	unsigned long long number;
	char *end;

	if (!word || *word < '0' || *word > '9')
		return false;
	number = strtoull(word, &end, 0);
	if (*end || number > 0xffffffffu)
		return false;
	*ret = (__u32)number;
	return true;
}

static bool is_named(const char *word, const struct number_word *list, __u32 *ret)
{
	for (; word && list->word; list++)
		if (strcmp(list->word, word) == 0) {
			*ret = list->number;
			return true;
		}
	return false;
}

static int take_number(struct reader *reader, const char *what, __u32 *ret)
{
	const char *word = next(reader);

	return is_number(word, ret) ? 0 : refuse(reader, what, word);
}

bool route_text_address(const char *word, __u8 *family, __u8 address[16])
{
	__u8 is = strchr(word, ':') ? AF_INET6 : AF_INET;

	memset(address, 0, 16);
	if ((*family && *family != is) || inet_pton(is, word, address) != 1)
		return false;
	*family = is;
	return true;
}

bool route_text_prefix(const char *word, __u8 *family, __u8 address[16], __u8 *ret_length)
{
	char copy[INET6_ADDRSTRLEN + 5];
	__u32 length;
	char *slash;

	if (strlen(word) >= sizeof(copy))
		return false;
	strcpy(copy, word);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (!route_text_address(copy, family, address))
		return false;
	length = *family == AF_INET ? 32 : 128;
	if (slash && (!is_number(slash, &length) || length > (*family == AF_INET ? 32u : 128u)))
		return false;
	*ret_length = (__u8)length;
	return true;
}

static int take_device(struct reader *reader, __u32 *ret)
{
	const char *word = next(reader);

	*ret = word ? reader->names->device(reader->names->arg, word) : 0;
	return *ret ? 0 : refuse(reader, "is not the name of a device", word);
}

/* `via [inet|inet6] ADDRESS`: the family may be another than the route's. */
static int take_gateway(struct reader *reader, struct route_path *path)
{
	const char *word = next(reader);

	path->family = 0;
	if (word && (strcmp(word, "inet") == 0 || strcmp(word, "inet6") == 0))
		word = next(reader);
	return word && route_text_address(word, &path->family, path->gateway)
		       ? 0
		       : refuse(reader, "is not the address of a gateway", word);
}

static int finish_path(struct reader *reader, struct route_path *path)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (path->ifindex)
		return 0;
	if (!path->family)
		return why_set(reader->why, EINVAL, "a next hop has neither 'via ADDRESS' nor 'dev NAME'");
	path->ifindex = reader->names->device_towards(reader->names->arg, path->family, path->gateway);
	if (path->ifindex)
		return 0;
	inet_ntop(path->family, path->gateway, text, sizeof(text));
	return why_set(reader->why, EINVAL,
		       "no address above this line is on the network of %s; add 'dev NAME'", text);
}

/* A word of a next hop. Returns 1 if it was one, 0 if not. */
static int path_word(struct reader *reader, const char *word, struct route_path *path, bool *encap)
{
	__u32 weight = 0;
	int r = 1;

	if (strcmp(word, "via") == 0) {
		r = take_gateway(reader, path);
	} else if (strcmp(word, "dev") == 0) {
		r = take_device(reader, &path->ifindex);
	} else if (strcmp(word, "weight") == 0) {
		r = take_number(reader, "is not a weight", &weight);
		if (!r && (weight < 1 || weight > 65535))
			r = refuse(reader, "is not a weight from 1 to 65535", reader->word[reader->at - 1]);
		path->weight = (__u16)weight;
	} else if (strcmp(word, "dead") == 0) {
		path->flags |= RTNH_F_DEAD;
	} else if (strcmp(word, "encap") == 0) {
		*encap = path->encap = true;
		reader->at = reader->count; /* whatever it is, the kernel does it */
	} else if (is_one_of(word, idle_pairs)) {
		r = next(reader) ? 1 : refuse(reader, "lacks its value", word);
	} else {
		return is_one_of(word, idle_words);
	}
	return r < 0 ? r : 1;
}

static int add_path(struct reader *reader, struct route_message *route, struct route_path *path)
{
	int r = finish_path(reader, path);

	if (r)
		return r;
	if (route->path_count == ROUTE_PATHS)
		route->too_many = true;
	else
		route->path[route->path_count++] = *path;
	return 0;
}

/* One next hop, up to the next word `nexthop` (1) or the end (0). */
static int read_hop(struct reader *reader, struct route_message *route)
{
	struct route_path path = { .weight = 1 };
	const char *word;
	int r;

	while ((word = next(reader)) && strcmp(word, "nexthop")) {
		r = path_word(reader, word, &path, &route->encap);
		if (r <= 0)
			return r ? r : refuse(reader, "is not a word of a next hop", word);
	}
	r = add_path(reader, route, &path);
	return r ? r : word != NULL;
}

static int read_hops(struct reader *reader, struct route_message *route)
{
	int r;

	do
		r = read_hop(reader, route);
	while (r > 0);
	return r;
}

static int take_table(struct reader *reader, __u32 *ret)
{
	const char *word = next(reader);

	return is_named(word, tables, ret) || (is_number(word, ret) && *ret)
		       ? 0
		       : refuse(reader, "is not a routing table; give its number", word);
}

static int take_vrf(struct reader *reader, __u32 *ret)
{
	const char *word = next(reader);

	*ret = word ? reader->names->vrf(reader->names->arg, word) : 0;
	return *ret ? 0
		    : refuse(reader, "is not a VRF that is declared above: 'link NAME type vrf table N'",
			     word);
}

static int take_mtu(struct reader *reader, __u32 *ret)
{
	if (reader->at < reader->count && strcmp(reader->word[reader->at], "lock") == 0)
		reader->at++;
	return take_number(reader, "is not an MTU", ret);
}

static int take_protocol(struct reader *reader, __u8 *ret)
{
	const char *word = next(reader);
	__u32 number = RTPROT_STATIC;

	/* A name of /etc/iproute2/rt_protos: which one, makes no difference to packets. */
	if (!word)
		return refuse(reader, "is not a protocol", word);
	if (!is_named(word, protocols, &number))
		(void)is_number(word, &number);
	*ret = (__u8)number;
	return 0;
}

static int take_scope(struct reader *reader, __u8 *ret)
{
	const char *word = next(reader);
	__u32 number;

	if (!is_named(word, scopes, &number) && !is_number(word, &number))
		return refuse(reader, "is not a scope", word);
	*ret = (__u8)number;
	return 0;
}

static int take_address(struct reader *reader, __u8 *address)
{
	const char *word = next(reader);
	__u8 family = 0;

	return word && route_text_address(word, &family, address) ? 0
								  : refuse(reader, "is not an address", word);
}

static int take_source(struct reader *reader, struct route_message *route)
{
	const char *word = next(reader);
	__u8 family = AF_INET6;

	return word && route_text_prefix(word, &family, route->source, &route->source_length)
		       ? 0
		       : refuse(reader, "is not an IPv6 source prefix", word);
}

/* A word of the route itself. Returns 1 if it was one, 0 if not. */
static int route_word(struct reader *reader, const char *word, struct route_message *route)
{
	__u32 number = 0;
	int r;

	if (strcmp(word, "metric") == 0 || strcmp(word, "preference") == 0) {
		r = take_number(reader, "is not a metric", &route->metric);
		reader->metric = true;
	} else if (strcmp(word, "table") == 0) {
		r = take_table(reader, &route->table);
	} else if (strcmp(word, "vrf") == 0) {
		r = take_vrf(reader, &route->table);
	} else if (strcmp(word, "nhid") == 0) {
		r = take_number(reader, "is not the id of a next hop", &route->nexthop);
	} else if (strcmp(word, "mtu") == 0) {
		r = take_mtu(reader, &route->mtu);
	} else if (strcmp(word, "proto") == 0 || strcmp(word, "protocol") == 0) {
		r = take_protocol(reader, &route->protocol);
	} else if (strcmp(word, "scope") == 0) {
		r = take_scope(reader, &route->scope);
	} else if (strcmp(word, "src") == 0) {
		r = take_address(reader, route->preferred);
	} else if (strcmp(word, "from") == 0) {
		r = take_source(reader, route);
	} else if (strcmp(word, "tos") == 0 || strcmp(word, "dsfield") == 0) {
		r = take_number(reader, "is not a TOS", &number);
		route->tos = (__u8)number;
	} else if (strcmp(word, "expires") == 0) {
		route->expires = true;
		r = next(reader) ? 0 : refuse(reader, "lacks its value", word);
	} else {
		return 0;
	}
	return r < 0 ? r : 1;
}

static bool host_bits(const struct route_message *route)
{
	return !netlink_host_bits_clear(route->destination, route->length,
					netlink_address_size(route->family));
}

static int read_prefix(struct reader *reader, __u8 family, struct route_message *route)
{
	const char *word = next(reader);
	__u32 type = RTN_UNICAST;

	if (is_named(word, types, &type))
		word = next(reader);
	route->type = (__u8)type;
	route->family = family;
	if (word && strcmp(word, "default") == 0)
		return 0;
	if (!word || !route_text_prefix(word, &route->family, route->destination, &route->length))
		return refuse(reader, "is neither a prefix nor a type of route", word);
	return host_bits(route) ? refuse(reader, "has bits behind its length; clear them", word) : 0;
}

/* The family of a default route is that of its gateway; `pref` is printed with IPv6 routes only. */
static __u8 default_family(const struct reader *reader, const struct route_message *route,
			   const struct route_path *path)
{
	if (route->path_count)
		path = &route->path[0];
	if (path->family)
		return path->family;
	for (unsigned int i = 0; i < reader->count; i++)
		if (strcmp(reader->word[i], "pref") == 0)
			return AF_INET6;
	return AF_INET;
}

/* The rest of a route; *path is its only next hop if it names one. Returns 1 at a word `nexthop`. */
static int read_rest(struct reader *reader, struct route_message *route, struct route_path *path)
{
	const char *word;
	int r;

	while ((word = next(reader))) {
		if (strcmp(word, "nexthop") == 0)
			return 1;
		r = route_word(reader, word, route);
		if (!r)
			r = path_word(reader, word, path, &route->encap);
		if (r <= 0)
			return r ? r : refuse(reader, "is not a word of a route", word);
	}
	return 0;
}

static bool is_rejecting(__u8 type)
{
	return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT || type == RTN_THROW;
}

int route_text_read(const struct route_names *names, __u8 family, char *const *word, unsigned int count,
		    struct route_message *ret, struct why *why)
{
	struct reader reader = { .names = names, .word = word, .count = count, .why = why };
	struct route_path path = { .weight = 1 };
	int r;

	memset(ret, 0, offsetof(struct route_message, path));
	ret->nlflags = NLM_F_CREATE | NLM_F_APPEND;
	ret->table = RT_TABLE_MAIN;
	ret->protocol = RTPROT_BOOT;
	r = read_prefix(&reader, family, ret);
	if (!r && reader.at + 1 == count && is_number(word[reader.at], &ret->nexthop))
		reader.at++; /* PREFIX ID */
	if (!r)
		r = read_rest(&reader, ret, &path);
	if (r > 0)
		r = read_hops(&reader, ret);
	if (r < 0)
		return r;
	if (!ret->family)
		ret->family = default_family(&reader, ret, &path);
	if (ret->family == AF_INET6 && !reader.metric)
		ret->metric = METRIC_IPV6;
	if (is_rejecting(ret->type) || ret->nexthop || ret->path_count)
		return 0;
	return path.ifindex || path.family ? add_path(&reader, ret, &path) : 1;
}

int route_text_hop(const struct route_names *names, char *const *word, unsigned int count,
		   struct route_message *route, struct why *why)
{
	struct reader reader = { .names = names, .word = word, .count = count, .why = why };

	return read_hops(&reader, route);
}

/* ID[,WEIGHT]/... */
static int read_group(struct reader *reader, struct nexthop_message *ret)
{
	const char *word = next(reader);
	char copy[4096], *rest = copy, *member;

	ret->group = true;
	if (!word || strlen(word) >= sizeof(copy))
		return refuse(reader, "is not a group of next hops", word);
	strcpy(copy, word);
	while ((member = strsep(&rest, "/"))) {
		char *comma = strchr(member, ',');
		__u32 id, weight = 1;

		if (comma)
			*comma++ = '\0';
		if (!is_number(member, &id) || !id || (comma && !is_number(comma, &weight)) || !weight ||
		    weight > 65535)
			return refuse(reader, "is not a group of next hops: ID[,WEIGHT]/...", word);
		if (ret->member_count == ROUTE_PATHS)
			ret->too_many = true;
		else
			ret->member[ret->member_count++] = (struct nexthop_member){ id, (__u16)weight };
	}
	return 0;
}

static int object_word(struct reader *reader, const char *word, struct nexthop_message *ret)
{
	int r = 0;

	if (strcmp(word, "id") == 0)
		r = take_number(reader, "is not an id", &ret->id);
	else if (strcmp(word, "group") == 0)
		r = read_group(reader, ret);
	else if (strcmp(word, "blackhole") == 0)
		ret->blackhole = true;
	else if (strcmp(word, "fdb") == 0)
		ret->fdb = true;
	else if (strcmp(word, "proto") == 0 || strcmp(word, "protocol") == 0)
		r = take_protocol(reader, &ret->protocol);
	else if (strcmp(word, "type") == 0 || strcmp(word, "scope") == 0 || strcmp(word, "buckets") == 0 ||
		 strcmp(word, "idle_timer") == 0 || strcmp(word, "unbalanced_timer") == 0 ||
		 strcmp(word, "unbalanced_time") == 0)
		r = next(reader) ? 0 : refuse(reader, "lacks its value", word);
	else {
		r = path_word(reader, word, &ret->path, &ret->encap);
		return r > 0 ? 0 : r ? r : refuse(reader, "is not a word of a next hop", word);
	}
	return r;
}

int route_text_object(const struct route_names *names, __u8 family, char *const *word, unsigned int count,
		      struct nexthop_message *ret, struct why *why)
{
	struct reader reader = { .names = names, .word = word, .count = count, .why = why };
	const char *name;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->path.weight = 1;
	while ((name = next(&reader))) {
		r = object_word(&reader, name, ret);
		if (r)
			return r;
	}
	if (!ret->id)
		return why_set(why, EINVAL, "a next hop needs an id: 'nexthop id N via ADDRESS dev NAME'");
	ret->family = ret->path.family ? ret->path.family : family ? family : AF_INET;
	return ret->group || ret->blackhole ? 0 : finish_path(&reader, &ret->path);
}
