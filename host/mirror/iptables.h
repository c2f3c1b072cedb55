// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The tables of iptables-legacy and ip6tables-legacy, which tell nobody when they change. (Rules of
 * iptables-nft are nftables chains.)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/*
 * Whether a chain that forwarded packets pass has rules or drops by policy; then `why` names it. Looks at
 * tables that exist only: asking for another one would make it. -EAGAIN: it is being changed, ask again.
 */
int iptables_active(__u8 family, bool *ret, char *why, size_t size);

/*
 * The pure part: one table as getsockopt() returns it. 1: active, and *ret_hook is where; 0: not. -EBADMSG.
 * `entries` may be NULL: then policies are not looked at.
 */
struct ipt_getinfo;
int iptables_judge(__u8 family, const struct ipt_getinfo *info, const void *entries, unsigned *ret_hook);
