// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What other devices are built on a port, and how many it is built of: one dump of all links, so for `plan`
 * and `doctor`, not for every second.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct stack {
	bool known;
	__u32 vlans, macvlans, others; /* on top, in the same network namespace; macvlans and ipvlans */
	__u32 members;                 /* of a bridge, bond, team, VRF */
};

int stack_read(__u32 ifindex, struct stack *ret);
