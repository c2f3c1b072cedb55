// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The daemon. It owns all that runs (mirror, tables, engines, ports, API) and joins them; what there is to do
 * is done by them.
 *
 * Order at start: look and refuse, take the lock, make new tables, mirror the kernel, and only when the
 * mirror is complete attach; then replace what a dead predecessor left. At the end: hold all packets in the
 * kernel, detach, undo.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/config.h"
#include "host/why.h"

struct changes;
struct fib;
struct gates;
struct instance;
struct mirror;
struct options;
struct pins;
struct platform;

/* Runs until SIGINT or SIGTERM. Takes over the configuration. A negative errno and `why`: did not start, and
 * changed nothing. */
int router_run(const struct options *options, struct config *config, struct why *why);

struct router;

/* For the API: what there is to report about. */
struct router_state {
	const struct config *config;
	const struct platform *platform;
	const struct instance *instance;
	const struct pins *pins;
	const struct fib *fib;
	struct mirror *mirror;
	const struct gates *gates;
	int64_t started, ready; /* seconds of the epoch; ready 0: the tables are not complete yet */
};
const struct router_state *router_state(const struct router *router);
/* Brings the counters up to date. */
void router_sample(struct router *router);
