// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/xfrm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/xfrm.h>
#include <libmnl/libmnl.h>

#include "host/mirror/netlink_attribute.h"
#include "host/mirror/netlink_socket.h"

static int judge_counts(const struct nlmsghdr *message, char *why, size_t size)
{
	struct netlink_attributes walk;
	const struct nlattr *attribute;
	struct xfrmu_spdinfo info;

	if (!netlink_attributes_open(message, sizeof(__u32), &walk))
		return -EBADMSG;
	while ((attribute = netlink_attributes_next(&walk))) {
		if (mnl_attr_get_type(attribute) != XFRMA_SPD_INFO)
			continue;
		if (mnl_attr_get_payload_len(attribute) < sizeof(info))
			return -EBADMSG;
		memcpy(&info, mnl_attr_get_payload(attribute), sizeof(info));
		if (!info.fwdcnt && !info.outcnt)
			return 0;
		snprintf(why, size, "IPsec policies: %u for forwarding, %u outbound", info.fwdcnt,
			 info.outcnt);
		return 1;
	}
	return walk.bad ? -EBADMSG : 0;
}

static int judge_default(const struct nlmsghdr *message, char *why, size_t size)
{
	const struct xfrm_userpolicy_default *policy;
	struct netlink_attributes walk;

	policy = netlink_attributes_open(message, sizeof(*policy), &walk);
	if (!policy)
		return -EBADMSG;
	if (policy->fwd != XFRM_USERPOLICY_BLOCK && policy->out != XFRM_USERPOLICY_BLOCK)
		return 0;
	snprintf(why, size, "the IPsec default policy blocks %s packets",
		 policy->fwd == XFRM_USERPOLICY_BLOCK ? "forwarded" : "outbound");
	return 1;
}

int xfrm_judge(const struct nlmsghdr *message, char *why, size_t size)
{
	switch (message->nlmsg_type) {
	case XFRM_MSG_NEWSPDINFO:
		return judge_counts(message, why, size);
	case XFRM_MSG_GETDEFAULT:
		return judge_default(message, why, size);
	}
	return -EPROTONOSUPPORT;
}

/* The kernel answers before the request returns. */
static int ask(struct netlink_socket *socket, __u16 type, size_t payload, char *why, size_t size)
{
	char buffer[4096] __attribute__((aligned(8)));
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	const struct nlmsghdr *answer;
	struct netlink_messages walk;
	__u32 sequence;
	int r, length;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST;
	memset(mnl_nlmsg_put_extra_header(message, payload), 0, payload);
	r = netlink_socket_send(socket, message, &sequence);
	if (r)
		return r;
	while ((length = netlink_socket_receive(socket, buffer, sizeof(buffer))) >= 0) {
		walk = (struct netlink_messages){ buffer, (size_t)length };
		while ((answer = netlink_messages_next(&walk))) {
			if (answer->nlmsg_seq != sequence)
				continue;
			return answer->nlmsg_type == NLMSG_ERROR ? netlink_error_decode(answer, NULL)
								 : xfrm_judge(answer, why, size);
		}
	}
	return length;
}

int xfrm_active(struct netlink_socket *socket, bool *ret, char *why, size_t size)
{
	int r = ask(socket, XFRM_MSG_GETSPDINFO, sizeof(__u32), why, size);

	if (!r)
		r = ask(socket, XFRM_MSG_GETDEFAULT, sizeof(struct xfrm_userpolicy_default), why, size);
	if (r == -EINVAL || r == -EOPNOTSUPP) /* before 5.15 there is no default */
		r = 0;
	if (r < 0)
		return r;
	*ret = r;
	return 0;
}
