// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * IPsec policies, as far as forwarded packets meet them: any for `fwd` or `out`, or a default that blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/netlink.h>

struct netlink_socket;

/* `socket`: of NETLINK_XFRM, with nothing under way. Does not block. If active, `why` says what there is. */
int xfrm_active(struct netlink_socket *socket, bool *ret, char *why, size_t size);

/* The pure part. 1: an answer that says "active"; 0: not. -EBADMSG; -EPROTONOSUPPORT: another message. */
int xfrm_judge(const struct nlmsghdr *message, char *why, size_t size);
