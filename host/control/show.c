// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "host/control/api.h"
#include "host/control/leaf_json.h"
#include "host/fib/view.h"
#include "host/mirror/mirror.h"
#include "host/router.h"

#define PAGE 2000 /* routes to an answer */

/* --- arguments --- */

static int get_number(const struct api_request *request, const char *name, __u32 missing, __u32 *ret,
		      struct why *why)
{
	const char *text = api_argument(request, name);
	unsigned long long number;
	char *end;

	if (!text) {
		*ret = missing;
		return 0;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > UINT32_MAX)
		return why_set(why, EINVAL, "%s: '%.40s' is not a number", name, text);
	*ret = (__u32)number;
	return 0;
}

/* The routing table that the question is about: ?table= or ?vrf=. */
static int get_table(const struct router_state *state, const struct api_request *request, __u32 *ret,
		     struct why *why)
{
	const char *name = api_argument(request, "vrf");
	const struct link *link;

	if (!name)
		return get_number(request, "table", RT_TABLE_MAIN, ret, why);
	link = links_named(mirror_links(state->mirror), name);
	if (!link || !link->vrf_table)
		return why_set(why, ENODEV, "%.20s: there is no such VRF", name);
	*ret = link->vrf_table;
	return 0;
}

static int parse_address(const char *text, __u8 *ret_family, __u8 address[16], struct why *why)
{
	memset(address, 0, 16);
	*ret_family = text && strchr(text, ':') ? AF_INET6 : AF_INET;
	if (!text || inet_pton(*ret_family, text, address) != 1)
		return why_set(why, EINVAL, "'%.60s' is not an IP address", text ? text : "");
	return 0;
}

static int parse_prefix(const char *text, struct fib_prefix *ret, struct why *why)
{
	char address[INET6_ADDRSTRLEN];
	unsigned int length;

	memset(ret, 0, sizeof(*ret));
	if (sscanf(text, "%45[^/]/%u", address, &length) != 2 ||
	    parse_address(address, &ret->family, ret->address, NULL) < 0 ||
	    length > (ret->family == AF_INET ? 32 : 128))
		return why_set(why, EINVAL, "'%.60s' is not a prefix", text);
	ret->length = (__u8)length;
	return 0;
}

static json_t *prefix_json(const struct fib_prefix *prefix)
{
	char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	if (!inet_ntop(prefix->family, prefix->address, address, sizeof(address)))
		return json_null();
	snprintf(text, sizeof(text), "%s/%u", address, prefix->length);
	return json_string(text);
}

static const char *origin_name(enum view_origin origin)
{
	switch (origin) {
	case VIEW_KERNEL:
		return "kernel";
	case VIEW_LOCAL:
		return "local";
	case VIEW_FIXED:
		return "fixed";
	case VIEW_NEIGHBOUR:
		return "neighbour";
	}
	return "?";
}

/* --- interfaces --- */

static void put_flag(json_t *object, const char *name, __u16 flags, enum interface_flag flag)
{
	json_object_set_new(object, name, json_boolean(flags & flag));
}

static bool add_interface(void *arg, const struct view_interface *view)
{
	json_t *object = json_object();

	json_object_set_new(object, "interface", leaf_json_interface(view->ifindex));
	json_object_set_new(object, "ifindex", json_integer(view->ifindex));
	json_object_set_new(object, "slot", json_integer(view->slot));
	json_object_set_new(object, "parent", leaf_json_interface(view->parent));
	json_object_set_new(object, "vlan", view->tpid ? json_integer(view->vid) : json_null());
	json_object_set_new(object, "table", json_integer(view->table));
	json_object_set_new(object, "port", view->port >= 0 ? json_integer(view->port) : json_null());
	put_flag(object, "forward4", view->flags, INTERFACE_FORWARD4);
	put_flag(object, "forward6", view->flags, INTERFACE_FORWARD6);
	put_flag(object, "rp_filter_strict", view->flags, INTERFACE_RPF_STRICT);
	put_flag(object, "rp_filter_loose", view->flags, INTERFACE_RPF_LOOSE);
	put_flag(object, "redirects", view->flags, INTERFACE_REDIRECTS);
	json_object_set_new(object, "ingress",
			    json_string(view->punt ? leaf_json_reason(view->punt) : "forwards"));
	json_object_set_new(object, "egress",
			    json_string(view->egress ? leaf_json_reason(view->egress) : "forwards"));
	json_object_set_new(object, "nexthops", json_integer(view->leaves));
	json_array_append_new(arg, object);
	return true;
}

int show_interfaces(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	json_t *list = json_array();

	view_interfaces(router_state(router)->fib, add_interface, list);
	*ret = json_pack("{s:o}", "interfaces", list);
	return 0;
}

/* --- routes --- */

#define PAGE_LEAVES 64 /* a page has few different ones: their JSON is made once */

struct page {
	const struct fib *fib;
	json_t *list;
	struct fib_prefix last;
	bool more;
	struct {
		__u32 leaf;
		json_t *json;
	} cache[PAGE_LEAVES];
};

/* Borrowed. */
static json_t *page_leaf(struct page *page, __u32 leaf)
{
	unsigned int slot = leaf % PAGE_LEAVES;

	if (page->cache[slot].json && page->cache[slot].leaf == leaf)
		return page->cache[slot].json;
	json_decref(page->cache[slot].json);
	page->cache[slot].leaf = leaf;
	page->cache[slot].json = leaf_json(page->fib, leaf);
	return page->cache[slot].json;
}

static bool add_route(void *arg, const struct view_route *view)
{
	struct page *page = arg;
	json_t *object;

	if (json_array_size(page->list) == PAGE) {
		page->more = true;
		return false;
	}
	object = json_copy(page_leaf(page, view->leaf));
	json_object_set_new(object, "prefix", prefix_json(&view->prefix));
	json_object_set_new(object, "table", json_integer(view->table));
	json_object_set_new(object, "origin", json_string(origin_name(view->origin)));
	json_array_append_new(page->list, object);
	page->last = view->prefix;
	return true;
}

int show_routes(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	struct page page = { .fib = router_state(router)->fib };
	const char *after = api_argument(request, "after");
	struct fib_prefix prefix;
	__u32 table, family;
	int error = get_table(router_state(router), request, &table, why);

	if (error == 0)
		error = get_number(request, "family", 4, &family, why);
	if (error == 0 && family != 4 && family != 6)
		error = why_set(why, EINVAL, "family is 4 or 6");
	if (error == 0 && after)
		error = parse_prefix(after, &prefix, why);
	if (error < 0)
		return error;
	page.list = json_array();
	view_routes(page.fib, table, family == 4 ? AF_INET : AF_INET6, after ? &prefix : NULL, add_route,
		    &page);
	for (unsigned int i = 0; i < PAGE_LEAVES; i++)
		json_decref(page.cache[i].json);
	*ret = json_pack("{s:o, s:o}", "routes", page.list, "next",
			 page.more ? prefix_json(&page.last) : json_null());
	return 0;
}

/* --- next hops and neighbours --- */

struct listing {
	const struct fib *fib;
	json_t *list;
};

static bool add_nexthop(void *arg, const struct view_leaf *view)
{
	struct listing *listing = arg;
	json_t *object = leaf_json(listing->fib, view->leaf);

	json_object_set_new(object, "object", json_boolean(view->owned));
	json_object_set_new(object, "references", json_integer(view->references));
	json_array_append_new(listing->list, object);
	return true;
}

int show_nexthops(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	struct listing listing = { router_state(router)->fib, json_array() };

	view_leaves(listing.fib, add_nexthop, &listing);
	*ret = json_pack("{s:o}", "nexthops", listing.list);
	return 0;
}

static bool add_neighbour(void *arg, const struct view_neighbour *view)
{
	json_t *object = json_object();

	json_object_set_new(object, "address", leaf_json_address(view->family, view->address));
	json_object_set_new(object, "interface", leaf_json_interface(view->ifindex));
	json_object_set_new(object, "mac", view->usable ? leaf_json_mac(view->mac) : json_null());
	json_object_set_new(object, "usable", json_boolean(view->usable));
	json_object_set_new(object, "gateway_of", json_integer(view->gateway_of));
	json_object_set_new(object, "hosts", json_integer(view->hosts));
	json_array_append_new(arg, object);
	return true;
}

int show_neighbours(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	json_t *list = json_array();

	view_neighbours(router_state(router)->fib, add_neighbour, list);
	*ret = json_pack("{s:o}", "neighbours", list);
	return 0;
}

/* --- lookup --- */

struct ingress {
	__u32 ifindex;
	bool found;
	struct view_interface view;
};

static bool find_ingress(void *arg, const struct view_interface *view)
{
	struct ingress *ingress = arg;

	if (view->ifindex != ingress->ifindex)
		return true;
	ingress->view = *view;
	ingress->found = true;
	return false;
}

/* The port that its frames come in by: itself or what is below it. -1: none. */
static int find_port(const struct fib *fib, const struct ingress *ingress)
{
	struct ingress each = *ingress;

	for (int depth = 0; each.view.port < 0 && each.view.parent && depth < 4; depth++) {
		each = (struct ingress){ .ifindex = each.view.parent };
		view_interfaces(fib, find_ingress, &each);
		if (!each.found)
			return -1;
	}
	return each.view.port;
}

static int find_from(const struct fib *fib, const char *name, struct ingress *ret, struct why *why)
{
	ret->ifindex = if_nametoindex(name);
	if (!ret->ifindex)
		return why_set(why, ENODEV, "%.20s: there is no such interface", name);
	view_interfaces(fib, find_ingress, ret);
	if (!ret->found || find_port(fib, ret) < 0)
		return why_set(
			why, ENODEV,
			"%.20s: is neither a port nor on top of one; what comes in there is the kernel's",
			name);
	return 0;
}

static void put_ingress(json_t *object, const struct ingress *ingress, __u8 family)
{
	enum interface_flag forward = family == AF_INET ? INTERFACE_FORWARD4 : INTERFACE_FORWARD6;
	enum reason punt = ingress->view.punt;

	json_object_set_new(object, "from", leaf_json_interface(ingress->ifindex));
	if (!punt && !(ingress->view.flags & forward))
		punt = REASON_FORWARDING_OFF;
	if (!punt)
		return;
	json_object_set_new(object, "action", json_string("punt"));
	json_object_set_new(object, "reason", json_string(leaf_json_reason(punt)));
	json_object_set_new(object, "text", json_string(leaf_json_text(punt)));
}

int show_lookup(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	const struct fib *fib = router_state(router)->fib;
	const char *from = api_argument(request, "from");
	struct ingress ingress = { 0 };
	struct view_answer answer;
	__u8 family, address[16];
	__u32 table;
	json_t *object;
	int error = parse_address(api_argument(request, "address"), &family, address, why);

	if (error == 0)
		error = get_table(router_state(router), request, &table, why);
	if (error == 0 && from)
		error = find_from(fib, from, &ingress, why);
	if (error < 0)
		return error;
	if (from)
		table = ingress.view.table;
	view_lookup(fib, table, family, address, &answer);
	object = leaf_json(fib, answer.leaf);
	json_object_set_new(object, "address", leaf_json_address(family, address));
	json_object_set_new(object, "table", json_integer(table));
	json_object_set_new(object, "prefix",
			    answer.matched ? prefix_json(&answer.route.prefix) : json_null());
	json_object_set_new(object, "origin",
			    answer.matched ? json_string(origin_name(answer.route.origin)) : json_null());
	if (from)
		put_ingress(object, &ingress, family);
	*ret = object;
	return 0;
}
