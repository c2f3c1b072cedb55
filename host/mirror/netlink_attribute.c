// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/netlink_attribute.h"

#include <errno.h>
#include <string.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

_Static_assert(NETLINK_NAME == IFNAMSIZ, "interface names");

const struct nlattr *netlink_attributes_next(struct netlink_attributes *walk)
{
	const struct nlattr *attribute = (const struct nlattr *)walk->at;
	size_t step;

	if (walk->left < sizeof(*attribute)) {
		walk->bad |= walk->left >= NLA_ALIGNTO;
		return NULL;
	}
	if (!mnl_attr_ok(attribute, (int)walk->left)) {
		walk->bad = true;
		return NULL;
	}
	step = NLA_ALIGN(attribute->nla_len);
	if (step > walk->left)
		step = walk->left;
	walk->at += step;
	walk->left -= step;
	return attribute;
}

struct netlink_attributes netlink_attributes_of(const void *start, size_t length)
{
	return (struct netlink_attributes){ .at = start, .left = length };
}

struct netlink_attributes netlink_attributes_nested(const struct nlattr *attribute)
{
	return netlink_attributes_of(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
}

const void *netlink_attributes_open(const struct nlmsghdr *message, size_t header,
				    struct netlink_attributes *ret_walk)
{
	const char *payload = (const char *)message + NLMSG_HDRLEN;

	if (message->nlmsg_len < NLMSG_HDRLEN + header)
		return NULL;
	header = NLMSG_ALIGN(header);
	*ret_walk =
		message->nlmsg_len < NLMSG_HDRLEN + header
			? netlink_attributes_of(payload, 0)
			: netlink_attributes_of(payload + header, message->nlmsg_len - NLMSG_HDRLEN - header);
	return payload;
}

int netlink_attribute_u8(const struct nlattr *attribute, __u8 *ret)
{
	if (mnl_attr_get_payload_len(attribute) < sizeof(*ret))
		return -EBADMSG;
	*ret = mnl_attr_get_u8(attribute);
	return 0;
}

int netlink_attribute_u16(const struct nlattr *attribute, __u16 *ret)
{
	if (mnl_attr_get_payload_len(attribute) < sizeof(*ret))
		return -EBADMSG;
	*ret = mnl_attr_get_u16(attribute);
	return 0;
}

int netlink_attribute_u32(const struct nlattr *attribute, __u32 *ret)
{
	if (mnl_attr_get_payload_len(attribute) < sizeof(*ret))
		return -EBADMSG;
	*ret = mnl_attr_get_u32(attribute);
	return 0;
}

int netlink_attribute_name(const struct nlattr *attribute, char *name)
{
	const char *text = mnl_attr_get_payload(attribute);
	size_t length = strnlen(text, mnl_attr_get_payload_len(attribute));

	if (length >= NETLINK_NAME)
		length = NETLINK_NAME - 1;
	memcpy(name, text, length);
	memset(name + length, 0, NETLINK_NAME - length);
	return 0;
}

__u32 netlink_digest(__u32 hash, const void *bytes, size_t length)
{
	const __u8 *byte = bytes;

	while (length--)
		hash = (hash ^ *byte++) * 16777619u; /* FNV-1a */
	return hash;
}

size_t netlink_address_size(__u8 family)
{
	return family == AF_INET6 ? 16 : 4;
}

int netlink_attribute_address(const struct nlattr *attribute, __u8 family, __u8 *address)
{
	size_t size = netlink_address_size(family);

	if (mnl_attr_get_payload_len(attribute) != size)
		return -EBADMSG;
	memcpy(address, mnl_attr_get_payload(attribute), size);
	return 0;
}

bool netlink_is_ip(__u8 family)
{
	return family == AF_INET || family == AF_INET6;
}

bool netlink_host_bits_clear(const __u8 *address, unsigned length, size_t size)
{
	unsigned byte = length / 8;

	if (length % 8 && address[byte++] & (0xff >> length % 8))
		return false;
	for (; byte < size; byte++)
		if (address[byte])
			return false;
	return true;
}

const struct nlmsghdr *netlink_messages_next(struct netlink_messages *walk)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)walk->at;
	size_t step;

	if (walk->left < sizeof(*message) || message->nlmsg_len < sizeof(*message) ||
	    message->nlmsg_len > walk->left)
		return NULL;
	step = NLMSG_ALIGN((size_t)message->nlmsg_len);
	if (step > walk->left)
		step = walk->left;
	walk->at += step;
	walk->left -= step;
	return message;
}

static const char *error_text(const struct nlattr *attribute)
{
	const char *text = mnl_attr_get_payload(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);

	return strnlen(text, length) < length ? text : NULL;
}

int netlink_error_decode(const struct nlmsghdr *message, const char **ret_text)
{
	bool done = message->nlmsg_type == NLMSG_DONE;
	size_t payload = message->nlmsg_len < NLMSG_HDRLEN ? 0 : message->nlmsg_len - NLMSG_HDRLEN;
	const char *body = (const char *)message + NLMSG_HDRLEN;
	const struct nlattr *attribute;
	const char *text = NULL;
	struct netlink_attributes walk;
	size_t skip;
	__s32 error;

	skip = done ? sizeof(error) : sizeof(struct nlmsgerr);
	if (!done && message->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	if (payload < skip)
		return done ? 0 : -EBADMSG; /* old kernels end a dump without a number */
	memcpy(&error, body, sizeof(error));
	if (!done && !(message->nlmsg_flags & NLM_F_CAPPED)) {
		__u32 request = ((const struct nlmsgerr *)body)->msg.nlmsg_len;

		if (request > sizeof(struct nlmsghdr))
			skip += NLMSG_ALIGN((size_t)request) - sizeof(struct nlmsghdr);
	}
	if (message->nlmsg_flags & NLM_F_ACK_TLVS && skip < payload) {
		walk = netlink_attributes_of(body + skip, payload - skip);
		while ((attribute = netlink_attributes_next(&walk)))
			if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG)
				text = error_text(attribute);
	}
	if (error > 0)
		return -EBADMSG;
	if (ret_text)
		*ret_text = text;
	return error;
}
