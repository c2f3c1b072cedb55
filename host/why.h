// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * One line for a person at 3 a.m.: what is wrong with which object, and how to mend it. Functions that refuse
 * fill it in; the command prints it, the API sends it, `status` keeps it beside the port.
 */
#pragma once

#include <stdarg.h>

struct why {
	char text[320];
};

/* Sets the text and returns -error, so that a refusal is one statement: return why_set(why, ENODEV, "...").
 * `why` may be NULL. */
int why_set(struct why *why, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
