// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/unit/route_model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/fib/fib.h"

static unsigned pick(struct model *model, unsigned below)
{
	return (unsigned)rand_r(&model->seed) % below;
}

static bool is_ipv6(const struct model *model)
{
	return model->family == AF_INET6;
}

static bool same_path(const struct model_path *a, const struct model_path *b)
{
	return a->ifindex == b->ifindex && a->gateway == b->gateway;
}

static bool same_paths(const struct model_route *a, const struct model_route *b)
{
	if (a->paths != b->paths)
		return false;
	for (__u32 i = 0; i < a->paths; i++)
		if (!same_path(&a->path[i], &b->path[i]))
			return false;
	return true;
}

static bool same_key(const struct model_route *a, const struct model_route *b)
{
	return a->metric == b->metric && a->tos == b->tos && a->source == b->source;
}

/* rt6_qualify_for_ecmp() */
static bool is_ecmp(const struct model *model, const struct model_route *route)
{
	return is_ipv6(model) && route->type == RTN_UNICAST && route->paths && route->path[0].gateway;
}

static void emit(struct model *model, __u8 prefix, bool deleted, __u16 nlflags,
		 const struct model_route *route)
{
	if (model->events == model->size) {
		model->size = model->size ? 2 * model->size : 1024;
		model->event = realloc(model->event, model->size * sizeof(*model->event));
	}
	model->event[model->events++] = (struct model_event){
		.prefix = prefix, .deleted = deleted, .nlflags = nlflags, .route = *route
	};
	model->additions += !deleted;
}

static struct model_path random_path(struct model *model)
{
	return (struct model_path){ .ifindex = 1 + pick(model, 3), .gateway = (__u8)pick(model, 5) };
}

static struct model_route random_route(struct model *model)
{
	static const __u8 types[] = { RTN_UNICAST, RTN_UNICAST,   RTN_UNICAST,    RTN_UNICAST,
				      RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE };
	struct model_route route = { .metric = 10 * pick(model, 3),
				     .protocol = (__u8)(RTPROT_BOOT + pick(model, 2)),
				     .type = types[pick(model, sizeof(types))] };

	if (!is_ipv6(model) && !pick(model, 12))
		route.tos = 8;
	if (is_ipv6(model) && !pick(model, 12))
		route.source = (__u8)(1 + pick(model, 2));
	if (route.type != RTN_UNICAST)
		return route;
	route.path[route.paths++] = random_path(model);
	while (route.path[0].gateway && !route.source && route.paths < 3 && !pick(model, 3)) {
		route.path[route.paths] = random_path(model);
		route.path[route.paths].gateway |= 8;
		route.path[route.paths].ifindex = 1 + (route.path[0].ifindex + route.paths) % 3;
		route.paths++;
	}
	return route;
}

static void insert(struct model *model, __u8 prefix, __u32 position, const struct model_route *route)
{
	struct model_route *list = model->prefix[prefix].route;

	memmove(&list[position + 1], &list[position],
		(model->prefix[prefix].count++ - position) * sizeof(*list));
	list[position] = *route;
}

static void drop(struct model *model, __u8 prefix, __u32 position)
{
	struct model_route *list = model->prefix[prefix].route;

	memmove(&list[position], &list[position + 1],
		(--model->prefix[prefix].count - position) * sizeof(*list));
}

/* Sorted as fib_find_alias() and fib6_add_rt2node() keep them: TOS descending, metric ascending. */
static bool before(const struct model_route *a, const struct model_route *b)
{
	if (a->source != b->source)
		return a->source < b->source;
	return a->tos != b->tos ? a->tos > b->tos : a->metric < b->metric;
}

static void range(const struct model *model, __u8 prefix, const struct model_route *route, __u32 *low,
		  __u32 *high)
{
	const struct model_route *list = model->prefix[prefix].route;

	for (*low = 0; *low < model->prefix[prefix].count && before(&list[*low], route);)
		++*low;
	for (*high = *low; *high < model->prefix[prefix].count && same_key(&list[*high], route);)
		++*high;
}

/* --- IPv4 --- */

static bool same_ipv4(const struct model_route *a, const struct model_route *b)
{
	return a->type == b->type && a->protocol == b->protocol && same_paths(a, b);
}

static void change_ipv4(struct model *model, __u8 prefix, const struct model_route *route, unsigned how)
{
	struct model_route *list = model->prefix[prefix].route;
	__u32 low, high, same;

	range(model, prefix, route, &low, &high);
	for (same = low; same < high && !same_ipv4(&list[same], route);)
		same++;
	if (low == high) {
		insert(model, prefix, low, route);
		emit(model, prefix, false, NLM_F_CREATE | NLM_F_EXCL | (how == 1 ? NLM_F_APPEND : 0), route);
		return;
	}
	if (how == 0 || same < high) /* add without a place, or EEXIST */
		return;
	if (how == 3) {
		list[low] = *route;
		emit(model, prefix, false, NLM_F_REPLACE, route);
		return;
	}
	insert(model, prefix, how == 1 ? high : low, route);
	emit(model, prefix, false, how == 1 ? NLM_F_CREATE | NLM_F_APPEND : NLM_F_CREATE, route);
}

static void delete_ipv4(struct model *model, __u8 prefix)
{
	struct model_route gone;
	__u32 position;

	if (!model->prefix[prefix].count)
		return;
	position = pick(model, model->prefix[prefix].count);
	gone = model->prefix[prefix].route[position];
	drop(model, prefix, position);
	emit(model, prefix, true, 0, &gone);
}

/* --- IPv6 --- */

static __u32 find_ecmp(const struct model *model, __u8 prefix, __u32 low, __u32 high)
{
	while (low < high && !is_ecmp(model, &model->prefix[prefix].route[low]))
		low++;
	return low;
}

/* Adds next hops to a multipath route; the message begins with the new one. */
static void join(struct model *model, __u8 prefix, struct model_route *whole, const struct model_route *more)
{
	struct model_route told;

	for (__u32 i = 0; i < whole->paths; i++)
		if (same_path(&whole->path[i], &more->path[0]))
			return;
	if (whole->paths == MODEL_PATHS || more->paths != 1)
		return;
	whole->path[whole->paths++] = more->path[0];
	whole->protocol = more->protocol;
	told = *whole;
	told.path[0] = more->path[0];
	for (__u32 i = 1; i < whole->paths; i++)
		told.path[i] = whole->path[i - 1];
	emit(model, prefix, false, NLM_F_CREATE | NLM_F_APPEND, &told);
}

static void replace_ipv6(struct model *model, __u8 prefix, const struct model_route *route, __u32 low,
			 __u32 high)
{
	struct model_route *list = model->prefix[prefix].route;
	__u32 position = low;

	while (position < high && is_ecmp(model, &list[position]) != is_ecmp(model, route))
		position++;
	if (position == high)
		position = low;
	list[position] = *route;
	emit(model, prefix, false, NLM_F_REPLACE, route);
}

static void change_ipv6(struct model *model, __u8 prefix, const struct model_route *route, unsigned how)
{
	struct model_route *list = model->prefix[prefix].route;
	__u32 low, high, whole, i;

	range(model, prefix, route, &low, &high);
	if (low == high) {
		insert(model, prefix, low, route);
		emit(model, prefix, false, NLM_F_CREATE | (route->paths < 2 ? NLM_F_EXCL : 0), route);
		return;
	}
	if (how == 0)
		return;
	if (how == 3) {
		replace_ipv6(model, prefix, route, low, high);
		return;
	}
	whole = find_ecmp(model, prefix, low, high);
	if (is_ecmp(model, route) && whole < high) {
		join(model, prefix, &list[whole], route);
		return;
	}
	for (i = low; i < high; i++)
		if (list[i].type == route->type && same_paths(&list[i], route))
			return; /* EEXIST */
	insert(model, prefix, high, route);
	emit(model, prefix, false, NLM_F_CREATE | NLM_F_APPEND, route);
}

static void delete_ipv6(struct model *model, __u8 prefix)
{
	struct model_route *list = model->prefix[prefix].route, gone;
	__u32 position, hop;

	if (!model->prefix[prefix].count)
		return;
	position = pick(model, model->prefix[prefix].count);
	gone = list[position];
	for (__u32 i = 0; i < position; i++) /* of two that are the same, the first goes */
		if (!memcmp(&list[i], &gone, sizeof(gone)))
			position = i;
	if (!is_ecmp(model, &gone) || gone.paths < 2 || !pick(model, 2)) {
		drop(model, prefix, position);
		emit(model, prefix, true, 0, &gone);
		return;
	}
	hop = pick(model, gone.paths);
	gone.path[0] = gone.path[hop];
	gone.paths = 1;
	list[position].paths--;
	for (; hop < list[position].paths; hop++)
		list[position].path[hop] = list[position].path[hop + 1];
	emit(model, prefix, true, 0, &gone);
}

void model_init(struct model *model, __u8 family, unsigned seed)
{
	*model = (struct model){ .family = family, .seed = seed };
}

void model_exit(struct model *model)
{
	free(model->event);
}

void model_step(struct model *model)
{
	__u8 prefix = (__u8)pick(model, MODEL_PREFIXES);
	struct model_route route = random_route(model);
	bool full = model->prefix[prefix].count > MODEL_ROUTES - 2;

	if (full || pick(model, 3) == 0) {
		is_ipv6(model) ? delete_ipv6(model, prefix) : delete_ipv4(model, prefix);
		return;
	}
	if (is_ipv6(model))
		change_ipv6(model, prefix, &route, pick(model, 4));
	else
		change_ipv4(model, prefix, &route, pick(model, 4));
}

static int compare_paths(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct model_path));
}

static void describe(const struct model_route *route, char *text)
{
	struct model_path path[MODEL_PATHS] = { 0 };
	int length;

	if (route->type != RTN_UNICAST) {
		sprintf(text, "reason %d",
			route->type == RTN_BLACKHOLE ? REASON_BLACKHOLE : REASON_UNREACHABLE);
		return;
	}
	for (__u32 i = 0; i < route->paths; i++) {
		path[i].ifindex = route->path[i].ifindex;
		path[i].gateway = route->path[i].gateway;
	}
	qsort(path, route->paths, sizeof(path[0]), compare_paths);
	length = sprintf(text, "via");
	for (__u32 i = 0; i < route->paths; i++)
		length += sprintf(text + length, " %u:%u", path[i].ifindex, path[i].gateway);
}

/* Those of the lowest metric; a replacement can make several of the same. */
static bool all_same(const struct model_route *list, __u32 count)
{
	for (__u32 i = 1; i < count && list[i].metric == list[0].metric; i++)
		if (list[i].type != list[0].type || !same_paths(&list[i], &list[0]))
			return false;
	return true;
}

void model_answer(const struct model *model, __u8 prefix, char *text)
{
	const struct model_route *list = model->prefix[prefix].route;
	__u32 count = model->prefix[prefix].count;

	strcpy(text, "none");
	for (__u32 i = 0; i < count; i++) {
		if (list[i].tos || list[i].source) {
			sprintf(text, "reason %d", list[i].tos ? REASON_TOS_ROUTE : REASON_SOURCE_ROUTE);
			return;
		}
	}
	if (!count)
		return;
	if (is_ipv6(model) && count > 1 && list[1].metric == list[0].metric && !all_same(list, count))
		sprintf(text, "reason %d", REASON_UNSUPPORTED_ROUTE);
	else
		describe(&list[0], text);
}

/* Prefixes are nested in each other: 10.x.0.0/16 holds 10.x.0.0/24 ... */
void model_prefix(const struct model *model, __u8 prefix, struct fib_prefix *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->family = model->family;
	if (is_ipv6(model)) {
		ret->address[0] = 0x20;
		ret->address[1] = 1;
		ret->address[3] = prefix / 3;
		ret->length = (__u8)(32 + prefix % 3 * 16);
	} else {
		ret->address[0] = 10;
		ret->address[1] = prefix / 3;
		ret->length = (__u8)(16 + prefix % 3 * 8);
	}
}

void model_message(const struct model *model, const struct model_event *event, struct route_message *ret)
{
	const struct model_route *route = &event->route;
	struct fib_prefix prefix;

	memset(ret, 0, offsetof(struct route_message, path));
	model_prefix(model, event->prefix, &prefix);
	ret->deleted = event->deleted;
	ret->nlflags = event->nlflags;
	ret->family = model->family;
	ret->length = prefix.length;
	memcpy(ret->destination, prefix.address, sizeof(prefix.address));
	ret->source_length = route->source ? 64 : 0;
	ret->source[0] = route->source;
	ret->tos = route->tos;
	ret->protocol = route->protocol;
	ret->type = route->type;
	ret->table = RT_TABLE_MAIN;
	ret->metric = route->metric;
	ret->path_count = route->paths;
	for (__u32 i = 0; i < route->paths; i++) {
		ret->path[i] = (struct route_path){ .ifindex = route->path[i].ifindex, .weight = 1 };
		if (!route->path[i].gateway)
			continue;
		ret->path[i].family = model->family;
		ret->path[i].gateway[is_ipv6(model) ? 15 : 3] = route->path[i].gateway;
	}
}

/* The nth prefix that has routes, from `from`; MODEL_PREFIXES: none. */
static __u8 nth(const struct model *model, __u8 from, __u32 n)
{
	for (__u8 i = from; i < MODEL_PREFIXES; i++)
		if (model->prefix[i].count && !n--)
			return i;
	return MODEL_PREFIXES;
}

__u32 model_dump_part(const struct model *model, struct model_dump *dump, __u32 prefixes,
		      struct model_event *ret, __u32 room)
{
	__u32 count = 0;

	/* fib6_dump_table(): after an addition it begins at the root and skips as many nodes as it had seen.
	 */
	if (is_ipv6(model) && dump->nodes && dump->additions != model->additions)
		dump->next = nth(model, 0, dump->nodes);
	dump->additions = model->additions;
	while (prefixes--) {
		__u8 prefix = nth(model, dump->next, 0);

		if (prefix == MODEL_PREFIXES) {
			dump->done = true;
			break;
		}
		for (__u32 i = 0; i < model->prefix[prefix].count; i++) {
			assert(count < room);
			ret[count++] = (struct model_event){ .prefix = prefix,
							     .nlflags = 0,
							     .route = model->prefix[prefix].route[i] };
		}
		dump->next = prefix + 1;
		dump->nodes++;
	}
	return count;
}
