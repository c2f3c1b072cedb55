// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Asks the kernel itself what it finds for an address (RTM_GETROUTE with RTM_F_FIB_MATCH), and says it as one
 * line of text. It shares no code with the mirror.
 */
#pragma once

#include <linux/types.h>

#define ORACLE_TEXT 4096

struct kernel_oracle;

struct oracle_hop {
	char text[80];
	unsigned weight;
};

/* Sorts, merges what is there twice, and writes "via ...". */
void oracle_hops_text(struct oracle_hop *hop, unsigned count, char *text);

void kernel_oracle_open(struct kernel_oracle **ret);
void kernel_oracle_close(struct kernel_oracle *oracle);
/* Next hops without carrier do not count (the sysctls ignore_routes_with_linkdown are on). */
void kernel_oracle_ignore_linkdown(struct kernel_oracle *oracle);
/*
 * "none" (no route), "reject" (blackhole, unreachable, prohibit, throw), "local", "broadcast", "multicast",
 * "encap", or "via IFINDEX:GATEWAY ..." with the next hops that the kernel would use, sorted; the gateway is
 * "link" on link. vrf: ifindex of a VRF device, 0 = none.
 */
void kernel_oracle_ask(struct kernel_oracle *oracle, __u8 family, const __u8 *address, __u32 vrf, char *text);
