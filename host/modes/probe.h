// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The answer to "can it?": yes or no, why, and what a person could do about a no.
 */
#pragma once

#include <stdbool.h>

struct probe {
	bool possible;
	bool alien; /* not possible, and on no port of this kind ever: who does not ask does not care */
	bool asked; /* possible, but something later in the order is better: only when asked for */
	char reason[200];
	char fix[160]; /* a command, or empty */
};

void probe_yes(struct probe *probe, const char *format, ...) __attribute__((format(printf, 2, 3)));
void probe_no(struct probe *probe, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds the fix to a no. */
void probe_fix(struct probe *probe, const char *format, ...) __attribute__((format(printf, 2, 3)));
