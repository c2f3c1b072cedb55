// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A replay from beginning to end: the router, the capture, what comes out, and the report.
 *
 * A packet came in by the port of the name that the capture (pcapng) gives its interface, or by the one that
 * `in` says.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <linux/types.h>

#include <jansson.h>

#include "host/why.h"

struct session_options {
	const char *input;              /* "-": standard input */
	const char *output;             /* "-": standard output; NULL: nothing is written */
	const char *const *config;      /* files, ends with NULL */
	bool kernel;                    /* the running kernel's tables instead */
	const char *const *in;          /* "IF" or "NAME=IF", ends with NULL */
	__u64 explain_from, explain_to; /* numbers of packets from 1; to 0: none */
	__u64 repeat;                   /* not 0: from memory, so many times, and nothing is written */
	const volatile sig_atomic_t *stop;
	/* A packet explained; borrowed. */
	void (*explained)(void *arg, const json_t *packet);
	/* Now and then; size 0: not known. */
	void (*progress)(void *arg, __u64 packets, __u64 at, __u64 size);
	void *arg;
};

/* The report: packets, reasons, ports, and with repeat the speed. Nothing is left behind on failure. */
int session_run(const struct session_options *options, json_t **ret_report, struct why *why);
