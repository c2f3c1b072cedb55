// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * DPDK's environment: memory, worker threads, its log. In-memory, so that no file outlives the process; with
 * ordinary memory where there are not enough free huge pages.
 */
#pragma once

#include "host/dpdk/plugin.h"

#define EAL_WORKERS 64

struct eal {
	const struct dpdk_log *log;
	unsigned int workers; /* lcores 1 .. workers; the event loop is lcore 0 */
	unsigned int memory;  /* MiB that may be used */
	bool huge;            /* pages */
	char runtime[256];    /* directory of the telemetry socket */
};

/* Nothing is left on failure. The caller's CPU affinity and signal mask stay as they are. */
int eal_start(const struct config *config, const char *instance, const struct dpdk_log *log, struct eal *ret,
	      struct why *why);
void eal_stop(struct eal *eal);

/* Forgets the errors that DPDK has logged so far. */
void eal_errors_clear(void);
/* The first error that DPDK has logged since; "no reason given" if there was none. */
const char *eal_error(void);
