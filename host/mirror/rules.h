// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Policy rules. The program looks up the local table and then the table of the interface's VRF; this is what
 * the kernel does as long as the rules are its own: local, l3mdev, main, default. Whatever other rules could
 * do to a packet, in the worst case for any mark, port or user, goes to the kernel:
 *
 *   to PREFIX           the prefix, in all tables
 *   iif DEVICE          what comes in there (or, if it is a VRF, by its members)
 *   anything else       all packets of the family
 *   behind `lookup main`, `nop`, `oif DEVICE`, `iif lo`    nothing: forwarded packets that main has no route
 * for go to the kernel anyway, and forwarded packets have no output device yet
 *
 * A rule for some input device also changes reverse path checks (the kernel looks the source up as if the
 * packet had come in where it goes out), so with one, interfaces that check sources give all packets to the
 * kernel.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/links.h"
#include "host/mirror/rib.h"
#include "host/mirror/rule_message.h"

struct rules;

enum rules_effect {
	RULES_NOTHING,   /* part of the kernel's own set, or cannot concern forwarded packets */
	RULES_PREFIX,    /* packets to rule.destination go to the kernel */
	RULES_INTERFACE, /* packets that come in by rule.input (or members of the VRF rule.output) */
	RULES_FAMILY,    /* all packets */
};

int rules_new(struct rules **ret);
/* NULL is fine. */
void rules_free(struct rules *rules);

/* Follows a message. -ENOMEM: the family punts until the next sync. */
int rules_apply(struct rules *rules, const struct rule_message *message);
/* Mark and sweep over a dump of a family. */
void rules_sync_begin(struct rules *rules, __u8 family);
void rules_sync_end(struct rules *rules, __u8 family);
/* The kernel has no policy rules for this family: local and main, always. */
void rules_absent(struct rules *rules, __u8 family);

/* Makes the RIB's overrides those that the rules ask for. -ENOMEM: not all of them. */
int rules_publish(struct rules *rules, struct rib *rib);
/* Whether packets that come in by this link go to the kernel because of a rule. */
bool rules_punt(const struct rules *rules, const struct links *links, const struct link *link);

const char *rules_effect_name(enum rules_effect effect);
/* In the order of their priority. */
void rules_each(const struct rules *rules, __u8 family,
		bool (*each)(void *arg, const struct rule_message *rule, enum rules_effect effect),
		void *arg);
/* Rules that send packets to the kernel. */
__u32 rules_count(const struct rules *rules, __u32 *ret_all);
