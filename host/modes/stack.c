// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/stack.h"

#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "host/modes/dump.h"

struct count {
	__u32 ifindex;
	struct stack stack;
};

struct link {
	__u32 lower, master;
	bool elsewhere; /* the lower device is in another namespace */
	const char *kind;
};

static __u32 get_u32(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attribute) : 0;
}

static const char *parse_kind(const struct nlattr *nest)
{
	const struct nlattr *inner;

	mnl_attr_for_each_nested (inner, nest) {
		if (mnl_attr_get_type(inner) == IFLA_INFO_KIND &&
		    mnl_attr_validate(inner, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(inner);
	}
	return "";
}

static void count_upper(const char *kind, struct stack *stack)
{
	if (strcmp(kind, "vlan") == 0)
		stack->vlans++;
	else if (strcmp(kind, "macvlan") == 0 || strcmp(kind, "macvtap") == 0 || strcmp(kind, "ipvlan") == 0)
		stack->macvlans++;
	else if (strcmp(kind, "veth") != 0) /* a veth's lower device is its peer */
		stack->others++;
}

static int link_message(const struct nlmsghdr *header, void *data)
{
	struct link link = { .kind = "" };
	const struct nlattr *attribute;
	struct count *count = data;

	if (header->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(header) < sizeof(struct ifinfomsg))
		return MNL_CB_OK;
	mnl_attr_for_each (attribute, header, sizeof(struct ifinfomsg)) {
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_LINK:
			link.lower = get_u32(attribute);
			break;
		case IFLA_LINK_NETNSID:
			link.elsewhere = true;
			break;
		case IFLA_MASTER:
			link.master = get_u32(attribute);
			break;
		case IFLA_LINKINFO:
			link.kind = parse_kind(attribute);
			break;
		}
	}
	if (link.lower == count->ifindex && !link.elsewhere)
		count_upper(link.kind, &count->stack);
	if (link.master == count->ifindex)
		count->stack.members++;
	return MNL_CB_OK;
}

int stack_read(__u32 ifindex, struct stack *ret)
{
	struct count count = { .ifindex = ifindex, .stack.known = true };
	int error = dump_read(RTM_GETLINK, sizeof(struct ifinfomsg), link_message, &count);

	if (error == 0)
		*ret = count.stack;
	return error;
}
