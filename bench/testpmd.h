// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "bench/lane.h"

// DPDK's testpmd as a child process: over net_af_xdp on r0 and r1 of a lane, in "mac" mode, which writes new
// addresses into each frame and sends it out of the other port, with no lookup.

struct testpmd;

// Starts it on one CPU, towards the MAC of gateway 0, and returns once it forwards. Tells on stderr why it
// does not. -ENOENT: it is not installed. -EINTR once *stop is set.
int testpmd_start(const struct lane *lane, unsigned int cpu, const volatile sig_atomic_t *stop,
		  struct testpmd **ret_testpmd);

// Whether there is one to start.
bool testpmd_is_installed(void);

// Returns its process id.
pid_t testpmd_pid(const struct testpmd *testpmd);

// Stops it and waits for its end; NULL is fine.
void testpmd_stop(struct testpmd *testpmd);
