// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * All ports of the router.
 */
#pragma once

#include "host/gate.h"
#include "xdp/image.h"

struct config;
struct pins;
struct survey;

struct gates {
	struct gate gate[IMAGE_PORTS];
	unsigned int count;
};

/* The ports of the configuration, planned; nothing is touched. */
void gates_make(struct gates *gates, const struct config *config, const struct gate_place *place);
/* What cannot be as configured is refused: no such interface, an impossible mode, a foreign program. */
int gates_check(const struct gates *gates, struct why *why);
/* Brings ports into the order of the numbers that they had under the last daemon, new ones last: so they get
 * these numbers again, and with them their counters. */
void gates_order(struct gates *gates, struct pins *pins);
/* Reviews each by what was seen of it, but attaches one at most: to load a program takes long, and the loop
 * has other work. Returns true if a mode changed: then all are to be reviewed again soon. */
bool gates_review(struct gates *gates, const struct gate_place *place, const struct survey *survey,
		  bool attach);
/*
 * An engine is about to be attached to this port. Whether others can be sent to depends on who sends: what
 * drivers do for generic XDP or a socket, they do not do for a program in another driver. So ports of other
 * engines are left to the kernel until the next review.
 */
void gates_make_way(struct gates *gates, const struct gate *coming, const struct engine_ops *ops,
		    const struct gate_place *place);
/* A port that was tried to attach and failed, if none runs; NULL: one does, or none was tried. */
const struct gate *gates_hopeless(const struct gates *gates);
/* Some port is about to be tried again: how it ends is not known yet. */
bool gates_waiting(const struct gates *gates);
void gates_release(struct gates *gates, const struct gate_place *place);
void gates_sample(struct gates *gates);
/* Follows a new configuration: ports that are not in it are released, new ones come. */
void gates_follow(struct gates *gates, const struct config *config, const struct gate_place *place);
/* The port of that name; NULL: none. */
struct gate *gates_named(struct gates *gates, const char *name);
/* The port of an attached interface; NULL: none. */
const struct gate *gates_find(const struct gates *gates, __u32 ifindex);
