// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "bench/dpdk_words.h"
#include "bench/lane.h"

// A program of DPDK's as a child process, over net_af_xdp on r0 and r1 of a lane: its ports 0 and 1.

struct dpdk_child;

// Adds what all of them have in common, up to the "--" behind which the program's own words come. The first
// word, the program, is there already. `lcores` as --lcores wants it; memory: MiB.
void dpdk_child_add(struct dpdk_words *words, const struct lane *lane, const char *lcores,
		    unsigned int memory);

// Adds its own option that says to which MAC port 1 sends: a gateway of the lane's.
void dpdk_child_add_gateway(struct dpdk_words *words, const char *option);

// Starts it in the router's namespace, and returns once it has said `ready`. Tells on stderr why it does not,
// where `name` is what people call it. -ENOENT: it is not installed. -EINTR once *stop is set.
int dpdk_child_start(const struct lane *lane, const char *name, const struct dpdk_words *words,
		     const char *ready, const volatile sig_atomic_t *stop, struct dpdk_child **ret_child);

// Returns its process id.
pid_t dpdk_child_pid(const struct dpdk_child *child);

// Stops it and waits for its end; NULL is fine.
void dpdk_child_stop(struct dpdk_child *child);

// Whether there is a program of that name to start.
bool dpdk_child_is_installed(const char *program);
