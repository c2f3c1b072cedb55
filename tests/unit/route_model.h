// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A naive model of the kernel's routing table for tests of the RIB: a few prefixes, lists of routes changed
 * as fib_table_insert() and fib6_add_rt2node() do it, the notifications that Linux was seen to send for each
 * change (6.18, both families), and dumps with the kernel's own way of passing routes over.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/route_message.h"

#define MODEL_PREFIXES 24
#define MODEL_ROUTES   12
#define MODEL_PATHS    4
#define MODEL_TEXT     160

struct model_path {
	__u32 ifindex; /* 1..3 */
	__u8 gateway;  /* last byte, 0 = on link */
};

struct model_route {
	__u32 metric;
	__u8 tos, type, protocol, source; /* source: 0 = any */
	__u32 paths;
	struct model_path path[MODEL_PATHS];
};

struct model_event {
	__u8 prefix;
	bool deleted;
	__u16 nlflags;
	struct model_route route;
};

struct model {
	__u8 family;
	unsigned seed;
	struct {
		__u32 count;
		struct model_route route[MODEL_ROUTES];
	} prefix[MODEL_PREFIXES];
	struct model_event *event;
	__u32 events, size;
	__u64 additions; /* what makes a walk of IPv6 restart */
};

void model_init(struct model *model, __u8 family, unsigned seed);
void model_exit(struct model *model);
/* One random operation; may add a notification to model->event, or be refused as the kernel would. */
void model_step(struct model *model);
/* What a lookup that ends at this prefix finds, as text. */
void model_answer(const struct model *model, __u8 prefix, char *text);

void model_message(const struct model *model, const struct model_event *event, struct route_message *ret);
struct fib_prefix;
void model_prefix(const struct model *model, __u8 prefix, struct fib_prefix *ret);

/* A dump in parts. */
struct model_dump {
	__u32 nodes; /* prefixes told */
	__u8 next;   /* by number */
	__u64 additions;
	bool done;
};
/* Tells the routes of at most `prefixes` prefixes. */
__u32 model_dump_part(const struct model *model, struct model_dump *dump, __u32 prefixes,
		      struct model_event *ret, __u32 room);
