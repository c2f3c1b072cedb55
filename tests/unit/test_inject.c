// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/inject.h"

#include <criterion/criterion.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

struct parsed {
	const struct nlmsghdr *message;
	const struct rtmsg *header;
	const struct nlattr *attributes[RTA_MAX + 1];
	unsigned int count;
};

static char buffer[INJECT_MESSAGE_MAX];

static int parse_attribute(const struct nlattr *attribute, void *data)
{
	struct parsed *parsed = data;

	cr_assert_leq(mnl_attr_get_type(attribute), RTA_MAX);
	parsed->attributes[mnl_attr_get_type(attribute)] = attribute;
	parsed->count++;
	return MNL_CB_OK;
}

static struct parsed build(enum inject_verb verb, const struct table_route *route,
			   const struct inject_hop *hop)
{
	struct parsed parsed = { .message = (void *)buffer };
	size_t size;

	memset(buffer, 0xaa, sizeof(buffer));
	size = inject_message(buffer, verb, route, hop, 77);
	cr_assert_leq(size, INJECT_MESSAGE_MAX);
	cr_assert_eq(size % NLMSG_ALIGNTO, 0);
	cr_assert(mnl_nlmsg_ok(parsed.message, size));
	cr_assert_eq(parsed.message->nlmsg_seq, 77);
	cr_assert_eq(parsed.message->nlmsg_flags & NLM_F_ACK, 0);
	parsed.header = mnl_nlmsg_get_payload(parsed.message);
	cr_assert_eq(mnl_attr_parse(parsed.message, sizeof(struct rtmsg), parse_attribute, &parsed),
		     MNL_CB_OK);
	return parsed;
}

static void check_payload(const struct nlattr *attribute, const void *bytes, unsigned int size)
{
	cr_assert(attribute);
	cr_assert_eq(mnl_attr_get_payload_len(attribute), size);
	cr_assert_eq(memcmp(mnl_attr_get_payload(attribute), bytes, size), 0);
}

static void check_route(__u8 family, unsigned int size)
{
	struct table_route route = { .addr = { 0x20, 1, 2, 3, 4, 5, 6, 7 }, .len = 24, .family = family };
	struct inject_hop hop = { .ifindex = 9,
				  .gateway = { 10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 } };
	struct parsed parsed = build(INJECT_ADD, &route, &hop);

	cr_assert_eq(parsed.message->nlmsg_type, RTM_NEWROUTE);
	cr_assert(parsed.message->nlmsg_flags & NLM_F_EXCL);
	cr_assert_eq(parsed.header->rtm_family, family);
	cr_assert_eq(parsed.header->rtm_dst_len, 24);
	cr_assert_eq(parsed.header->rtm_table, RT_TABLE_MAIN);
	cr_assert_eq(parsed.header->rtm_type, RTN_UNICAST);
	cr_assert_eq(parsed.count, 3);
	check_payload(parsed.attributes[RTA_DST], route.addr, size);
	check_payload(parsed.attributes[RTA_GATEWAY], hop.gateway, size);
	check_payload(parsed.attributes[RTA_OIF], &hop.ifindex, 4);
}

Test(inject, add_by_gateway)
{
	check_route(AF_INET, 4);
	check_route(AF_INET6, 16);
}

Test(inject, replace_by_object)
{
	struct table_route route = { .addr = { 10 }, .len = 8, .family = AF_INET };
	struct inject_hop hop = { .object = 4711, .ifindex = 9 };
	struct parsed parsed = build(INJECT_REPLACE, &route, &hop);

	cr_assert(parsed.message->nlmsg_flags & NLM_F_REPLACE);
	cr_assert(!(parsed.message->nlmsg_flags & NLM_F_EXCL));
	cr_assert_eq(parsed.count, 2);
	check_payload(parsed.attributes[RTA_NH_ID], &hop.object, 4);
}

Test(inject, delete_names_the_prefix_only)
{
	struct table_route route = { .addr = { 10 }, .len = 8, .family = AF_INET };
	struct parsed parsed = build(INJECT_DELETE, &route, NULL);

	cr_assert_eq(parsed.message->nlmsg_type, RTM_DELROUTE);
	cr_assert_eq(parsed.header->rtm_protocol, RTPROT_UNSPEC);
	cr_assert_eq(parsed.count, 1);
}
