// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Which engine a port should run in, and why not in a better one: a pure function from facts and wishes to a
 * table that `plan` prints, the manager obeys and tests compare.
 */
#pragma once

#include "host/config.h"
#include "host/modes/capability.h"
#include "host/modes/egress.h"
#include "host/modes/finding.h"
#include "host/modes/platform.h"
#include "host/modes/probe.h"

struct engine_ops;

#define CHOOSE_OPTIONS 8
#define CHOOSE_TIERS   3
#define CHOOSE_NOTES   8
#define CHOOSE_KERNEL  "kernel" /* the mode of a port that no engine serves */

struct choose_option {
	const char *mode;
	const struct engine_ops *engine; /* NULL: the kernel */
	struct probe probe;
};

struct decision {
	struct choose_option option[CHOOSE_OPTIONS]; /* best first; the kernel last */
	unsigned int count;
	unsigned int chosen; /* index */
	char reason[200];    /* for the choice, one clause */
	/* The engines to attach: `host` first, and on top of it that of the card, which packets meet first.
	 * NULL: none. */
	const struct engine_ops *host, *card;
	/* Where packets go: the chosen mode first, then what serves what that hands on; the kernel last. */
	const char *tier[CHOOSE_TIERS];
	unsigned int tiers;
	const char *effect; /* what may be expected; NULL: nothing is known */
	bool refused;       /* the wish was for a mode that is not possible */
	struct egress egress;
	char change[80]; /* what attaching changes on the device and detaching undoes; empty: nothing */
	struct finding note[CHOOSE_NOTES]; /* what could be better on a port that an engine serves */
	unsigned int notes;
};

/* `wish`: a mode's name, or "auto". `native_peers`: some other port runs native XDP. */
void choose(const struct engine_ops *const *engines, const struct platform *platform,
	    const struct capability *port, const char *wish, bool native_peers, struct decision *ret);
