// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/scenario.h"

// Routes that come, change and go in the router's kernel while something else is measured: those that no
// packet of the scenario goes by, of each family that is loaded, so that each packet has the same way all the
// time.

struct updater;

// Starts a thread that makes `rate` changes a second to routes that lead out of egress. -ENOENT: the scenario
// has no such routes.
int updater_start(const struct scenario *scenario, const struct lane_port *egress, double rate,
		  struct updater **ret_updater);

// Ends it and leaves the routes as they were; returns how many changes it made, or what went wrong. NULL is
// fine: 0.
long updater_stop(struct updater *updater);
