// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A leaf of the tables as JSON: what would happen to its packets.
 */
#pragma once

#include <jansson.h>
#include <linux/types.h>

#include "xdp/verdict.h"

struct fib;

/* {"action": "forward" | "punt" | "drop" | "group", and what belongs to it}. A new reference. */
json_t *leaf_json(const struct fib *fib, __u32 leaf);

/* Text forms; each a new reference. */
json_t *leaf_json_address(__u8 family, const __u8 *address);
json_t *leaf_json_interface(__u32 ifindex); /* name, or the number of one that is gone; null for 0 */
json_t *leaf_json_mac(const __u8 *mac);
const char *leaf_json_action(enum action action);  /* "punt" */
const char *leaf_json_reason(unsigned int reason); /* "no-route" */
const char *leaf_json_text(unsigned int reason);   /* "no route covers the destination" */
