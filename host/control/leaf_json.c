// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/leaf_json.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>

#include "host/fib/view.h"

static const struct {
	const char *name, *text;
} reasons[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = { string, text },
	REASONS(X)
#undef X
};

static void put_reason(json_t *object, unsigned int reason)
{
	json_object_set_new(object, "reason", json_string(leaf_json_reason(reason)));
	json_object_set_new(object, "text", json_string(leaf_json_text(reason)));
}

static json_t *tags_of(const struct view_leaf *view)
{
	json_t *list = json_array();

	for (int i = 0; i < view->tags && i < 2; i++) {
		__u32 tag = ntohl(view->tag[i]);
		char text[32];

		snprintf(text, sizeof(text), "%04x:%u", tag >> 16, tag & 0xfff);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static void put_path(json_t *object, const struct view_leaf *view)
{
	json_object_set_new(object, "interface", leaf_json_interface(view->ifindex));
	json_object_set_new(object, "via",
			    view->gateway_family ? leaf_json_address(view->gateway_family, view->gateway)
						 : json_null());
}

static void put_adjacency(json_t *object, const struct view_leaf *view)
{
	put_path(object, view);
	json_object_set_new(object, "mac", leaf_json_mac(view->destination_mac));
	json_object_set_new(object, "source_mac", leaf_json_mac(view->source_mac));
	json_object_set_new(object, "mtu", json_integer(view->mtu));
	json_object_set_new(object, "tags", tags_of(view));
}

static json_t *member_json(const struct fib *fib, const struct view_member *member)
{
	struct view_leaf view;
	json_t *object = json_object();

	if (view_leaf(fib, member->leaf, &view) == 0) {
		put_path(object, &view);
		if (view.kind == NEXTHOP_PUNT)
			put_reason(object, view.reason);
	}
	json_object_set_new(object, "weight", json_integer(member->weight));
	json_object_set_new(object, "buckets", json_integer(member->buckets));
	return object;
}

static void put_group(json_t *object, const struct fib *fib, const struct view_leaf *view)
{
	json_t *list = json_array();
	struct view_member member;

	for (__u32 i = 0; i < view->members && view_member(fib, view->leaf, i, &member) == 0; i++)
		json_array_append_new(list, member_json(fib, &member));
	json_object_set_new(object, "members", list);
	json_object_set_new(object, "buckets", json_integer(view->buckets));
}

json_t *leaf_json(const struct fib *fib, __u32 leaf)
{
	struct view_leaf view;
	json_t *object = json_object();

	json_object_set_new(object, "nexthop", json_integer(leaf));
	if (view_leaf(fib, leaf, &view) < 0) {
		json_object_set_new(object, "action", json_string("punt"));
		put_reason(object, REASON_NO_ROUTE);
		return object;
	}
	switch (view.kind) {
	case NEXTHOP_FORWARD:
		json_object_set_new(object, "action", json_string("forward"));
		put_adjacency(object, &view);
		break;
	case NEXTHOP_GROUP:
		json_object_set_new(object, "action", json_string("group"));
		put_group(object, fib, &view);
		break;
	case NEXTHOP_PUNT:
	case NEXTHOP_DROP:
		json_object_set_new(object, "action",
				    json_string(view.kind == NEXTHOP_DROP ? "drop" : "punt"));
		put_reason(object, view.reason);
		put_path(object, &view);
		break;
	}
	return object;
}

json_t *leaf_json_address(__u8 family, const __u8 *address)
{
	char text[INET6_ADDRSTRLEN];

	return inet_ntop(family, address, text, sizeof(text)) ? json_string(text) : json_null();
}

json_t *leaf_json_interface(__u32 ifindex)
{
	char name[IFNAMSIZ];

	if (!ifindex)
		return json_null();
	if (if_indextoname(ifindex, name)) {
		json_t *text = json_string(name);

		if (text) /* names may hold any bytes */
			return text;
	}
	snprintf(name, sizeof(name), "if%u", ifindex);
	return json_string(name);
}

json_t *leaf_json_mac(const __u8 *mac)
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return json_string(text);
}

const char *leaf_json_action(enum action action)
{
	static const char *const names[] = {
		[ACTION_FORWARD] = "forward", [ACTION_PUNT] = "punt", [ACTION_DROP] = "drop"
	};

	return names[action];
}

const char *leaf_json_reason(unsigned int reason)
{
	return reason < REASON_MAX && reasons[reason].name ? reasons[reason].name : "?";
}

const char *leaf_json_text(unsigned int reason)
{
	return reason < REASON_MAX && reasons[reason].text ? reasons[reason].text : "?";
}
